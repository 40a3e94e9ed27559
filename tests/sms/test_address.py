"""``perkpass sms address`` as an operator asks it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.__main__ import main
from app.sms import logins

FILE = """
[logins.main]
gateway = "smsc"
rate = 1.0
receipts_secret = "made-by-a-machine-1"
secrets = { apikey = "very-secret" }
[logins.silent]
gateway = "smsc"
rate = 1.0
secrets = { apikey = "very-secret" }
[logins.centre]
gateway = "smpp"
url = "smpp://127.0.0.1:2775"
rate = 1.0
secrets = { system_id = "kofe", password = "secret" }
"""


def asked(login: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    path = tmp_path / "sms.toml"
    path.write_text(FILE)
    path.chmod(0o600)
    monkeypatch.setenv("PERKPASS_SMS_FILE", str(path))
    monkeypatch.setenv("PERKPASS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PERKPASS_PUBLIC_URL", "https://cards.example.com")
    monkeypatch.setattr(sys, "argv", ["perkpass", "sms", "address", login])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_the_address_for_the_cabinet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not asked("main", tmp_path, monkeypatch)
    book = logins.read(tmp_path / "sms.toml")
    address = logins.receipts_address(book.logins["main"], "https://cards.example.com/sms/receipts/main")
    assert capsys.readouterr().out == f"{address}\n"


@pytest.mark.parametrize(
    ("login", "sentence"),
    [
        ("silent", "give it a receipts_secret"),
        ("centre", "over its own connection"),
        ("mian", "no login 'mian'"),
    ],
)
def test_a_login_without_an_address(
    login: str,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert asked(login, tmp_path, monkeypatch)
    told = capsys.readouterr()
    assert sentence in told.err
    assert "very-secret" not in told.err
