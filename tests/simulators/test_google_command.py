"""``perkpass simulate google`` as a person runs it, twice with one service account."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.servers import free_port
from tests.simulators.google_caller import CLIENT, GRANT, assertion


def test_the_command_serves_google_wallet_and_keeps_its_service_account(tmp_path: Path) -> None:
    path = tmp_path / "sandbox" / "google.json"
    made = [served(path, free_port()) for _ in range(2)]
    assert made[0] | {"token_uri": ""} == made[1] | {"token_uri": ""}
    assert made[0]["token_uri"] != made[1]["token_uri"]


def served(path: Path, port: int) -> dict[str, str]:
    """Run it once; the service account as it then lies there."""
    command = [sys.executable, "-m", "app", "simulate", "google", "--file", str(path), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            said = dict(process.stdout.readline().strip().split("=") for _ in range(4))
            assert set(said) == {
                f"PERKPASS_GOOGLE_{name}_URL" for name in ("WALLET", "TOKEN", "SAVE", "CALLBACK_KEYS")
            }
            assert f"file:{path}" in process.stdout.readline()
            assert path.stat().st_mode & 0o777 == 0o600
            account: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
            answer: httpx.Response = CLIENT.post(
                said["PERKPASS_GOOGLE_TOKEN_URL"], data={"grant_type": GRANT, "assertion": assertion(account)}
            )
            assert answer.status_code == 200
            assert len(CLIENT.get(said["PERKPASS_GOOGLE_CALLBACK_KEYS_URL"]).json()["keys"]) == 3
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
            assert process.stdout.read().endswith("Stopped.\n")
            return account
        finally:
            process.kill()
