"""``perkpass simulate certificate``: what it makes is what the console takes, with the authority it names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509

from app.commands.simulate import simulate
from app.passes import certificates
from app.passes.certificate_files import CertificateRefused


def test_a_sandbox_certificate_is_one_to_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["certificate", "pass.com.example.birch", "A1B2C3D4E5", "made"]
    said = CliRunner().invoke(simulate, arguments, catch_exceptions=False).output
    upload = re.search(r'console: (\S+) \(password "(\w+)"\)', said)
    authority = re.search(r"export PERKPASS_APNS_CA=(\S+)", said)
    assert upload
    assert authority
    data, now = Path(upload[1]).read_bytes(), datetime.now(UTC)
    root = x509.load_pem_x509_certificate(Path(authority[1]).read_bytes())
    taken = certificates.take(data, upload[2], authorities=[root], now=now)
    assert (taken.pass_type_identifier, taken.team_identifier) == ("pass.com.example.birch", "A1B2C3D4E5")
    with pytest.raises(CertificateRefused):
        certificates.take(data, upload[2], now=now)
    assert Path(upload[1]).stat().st_mode & 0o077 == 0
