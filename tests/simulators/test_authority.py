"""The sandbox's certificate authority."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from app.simulators.authority import WWDR_NAME, Authority

NOW = datetime.now(UTC).replace(microsecond=0)


def _credentials(authority: Authority, directory: Path, **more: object) -> Path:
    return authority.pass_credentials(
        directory,
        pass_type_identifier="pass.example.kofe",
        team_identifier="TEAM123456",
        organization="Kofe",
        **more,  # type: ignore[arg-type]
    )


def _certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _openssl_verifies(authority: Authority, certificate: Path, untrusted: Path, *more: str) -> bool:
    files = ["-CAfile", str(authority.root), "-untrusted", str(untrusted), str(certificate)]
    command = ["openssl", "verify", *more, *files]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_a_pass_certificate_names_its_pass_type_and_team_and_chains_through_wwdr(
    authority: Authority, tmp_path: Path
) -> None:
    directory = _credentials(authority, tmp_path / "kofe")
    certificate = _certificate(directory / "certificate.pem")
    subject = {attribute.oid: attribute.value for attribute in certificate.subject}
    assert subject[NameOID.USER_ID] == "pass.example.kofe"
    assert subject[NameOID.ORGANIZATIONAL_UNIT_NAME] == "TEAM123456"
    assert subject[NameOID.COMMON_NAME] == "Pass Type ID: pass.example.kofe"
    assert certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == WWDR_NAME
    assert _openssl_verifies(
        authority, directory / "certificate.pem", directory / "wwdr.pem", "-purpose", "sslclient"
    )


def test_a_key_is_readable_by_its_owner_alone(authority: Authority, tmp_path: Path) -> None:
    directory = _credentials(authority, tmp_path / "kofe")
    assert (directory / "key.pem").stat().st_mode & 0o077 == 0
    assert (authority.directory / "root.key").stat().st_mode & 0o077 == 0


def test_an_expired_certificate_can_be_made(authority: Authority, tmp_path: Path) -> None:
    directory = _credentials(
        authority, tmp_path / "old", begins=NOW - timedelta(days=40), valid=timedelta(days=30)
    )
    assert _certificate(directory / "certificate.pem").not_valid_after_utc == NOW - timedelta(days=10)
    assert not _openssl_verifies(authority, directory / "certificate.pem", directory / "wwdr.pem")


def test_a_certificate_by_another_issuer_can_be_made(authority: Authority, tmp_path: Path) -> None:
    directory = _credentials(authority, tmp_path / "other", signed_by_root=True)
    issuer = _certificate(directory / "certificate.pem").issuer
    assert issuer == _certificate(authority.root).subject != _certificate(authority.wwdr).subject


def test_an_authority_opened_again_issues_what_the_same_root_verifies(
    authority: Authority, tmp_path: Path
) -> None:
    again = Authority.open(authority.directory)
    chain, key = again.server_certificate(tmp_path)
    assert _openssl_verifies(authority, chain, chain, "-verify_ip", "127.0.0.1")
    assert _openssl_verifies(authority, chain, chain, "-verify_hostname", "localhost")
    assert key.stat().st_mode & 0o077 == 0


def test_a_protected_key_is_written_beside_its_password(authority: Authority, tmp_path: Path) -> None:
    directory = _credentials(authority, tmp_path / "locked", key_password=b"two words")
    assert b"ENCRYPTED" in (directory / "key.pem").read_bytes()
    assert (directory / "password.txt").read_bytes() == b"two words"
