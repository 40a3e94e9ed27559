"""``perkpass simulate sms`` as a person runs it: three gateways, and a file of logins that opens them."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from app.sms import logins
from app.sms.gateway import Outgoing, Verdict
from tests.servers import free_port


def test_the_command_serves_three_gateways_and_writes_their_logins(tmp_path: Path) -> None:
    ports = [str(free_port()) for _ in range(4)]
    path = tmp_path / "sandbox" / "sms.toml"
    names = ("--port", "--control-port", "--smpp-port", "--smpp-control-port")
    command = [sys.executable, "-m", "app", "simulate", "sms", "--file", str(path), "--brand", "kofe"]
    for name, port in zip(names, ports, strict=True):
        command += [name, port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(5)]
            assert said[0] == f"PERKPASS_SMS_FILE={path}\n"
            assert path.stat().st_mode & 0o777 == 0o600
            book = logins.read(path)
            assert (set(book.logins), book.brands["kofe"].login) == ({"smsc", "twilio", "smpp"}, "smsc")
            assert asyncio.run(sent_by_each(book)) == {Verdict.ACCEPTED}
            log = httpx.get(f"http://127.0.0.1:{ports[1]}/texts").json()
            assert [text["gateway"] for text in log["texts"]] == ["smsc", "twilio"]
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
            assert process.stdout.read() == "Stopped.\n"
        finally:
            process.kill()


async def sent_by_each(book: logins.SmsBook) -> set[Verdict]:
    verdicts = set()
    for number, login in enumerate(book.logins.values(), 1):
        gateway = logins.open_gateway(login, receipts_url=None)
        outgoing = Outgoing(reference=number, number="+79001234567", text="Привет")
        verdicts.add((await gateway.send(outgoing)).verdict)
        await gateway.close()
    return verdicts
