"""Loading a certificate: what fits is loaded, what does not is named, all at once and with its fix."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.errors import Misconfigured
from app.passes.cms import DetachedSigner
from app.passes.signing import Signer, expiry_stage, expiry_warning, load_signer
from app.simulators.authority import Authority
from tests.passes import card

DAY = timedelta(days=1)


def load(
    reference: str, *, at_day: int = 0, pass_type: str = card.PASS_TYPE, team: str = card.TEAM
) -> Signer:
    return load_signer(
        reference, pass_type_identifier=pass_type, team_identifier=team, now=card.NOW + at_day * DAY
    )


def faults(reference: str, **arguments: object) -> list[str]:
    with pytest.raises(Misconfigured) as refused:
        load(reference, **arguments)  # type: ignore[arg-type]
    return list(refused.value.faults)


def made(authority: Authority, directory: Path, **special: object) -> Path:
    return authority.pass_credentials(
        directory,
        **{"pass_type_identifier": card.PASS_TYPE, "team_identifier": card.TEAM, "organization": "Берёзка"}  # type: ignore[arg-type]
        | special,
    )


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def copied(credentials: Path, to: Path) -> Path:
    shutil.copytree(credentials, to)
    return to


def test_a_signer_holds_what_the_push_client_signs_in_with(signer: Signer) -> None:
    certificate = x509.load_pem_x509_certificate(signer.certificate_pem)
    key = load_pem_private_key(signer.key_pem, None)
    assert certificate.public_key() == key.public_key()
    assert signer.expires_at == certificate.not_valid_after_utc
    assert signer.wwdr_expires_at > signer.expires_at
    assert "PRIVATE" not in repr(signer)


def test_an_encrypted_key_is_opened_with_its_password(authority: Authority, tmp_path: Path) -> None:
    locked = made(authority, tmp_path / "locked", key_password="пароль".encode())
    assert b"ENCRYPTED" not in load(f"file:{locked}").key_pem
    (locked / "password.txt").write_bytes("пароль\n".encode())
    load(f"file:{locked}")
    (locked / "password.txt").write_bytes(b"wrong")
    assert "password" in faults(f"file:{locked}")[0]
    (locked / "password.txt").unlink()
    assert "is encrypted; put its password" in faults(f"file:{locked}")[0]


def test_a_p12_is_as_good_as_two_files(credentials: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "p12"
    bundle.mkdir()
    shutil.copy(credentials / "wwdr.pem", bundle)
    openssl(
        "pkcs12", "-export", "-in", credentials / "certificate.pem", "-inkey", credentials / "key.pem",
        "-passout", "pass:секрет", "-out", bundle / "certificate.p12",
    )  # fmt: skip
    assert "put its password, alone, into" in faults(f"file:{bundle}")[0]
    (bundle / "password.txt").write_text("мимо", "utf-8")
    assert "is wrong" in faults(f"file:{bundle}")[0]
    (bundle / "password.txt").write_text("секрет\n", "utf-8")
    assert load(f"file:{bundle}").certificate_pem == load(f"file:{credentials}").certificate_pem


def test_a_p12_without_its_key_says_how_to_export_it(credentials: Path, tmp_path: Path) -> None:
    openssl(
        "pkcs12", "-export", "-nokeys", "-in", credentials / "certificate.pem",
        "-passout", "pass:", "-out", tmp_path / "certificate.p12",
    )  # fmt: skip
    (tmp_path / "password.txt").write_text("", "utf-8")
    shutil.copy(credentials / "wwdr.pem", tmp_path)
    assert "together with its private key" in faults(f"file:{tmp_path}")[0]


def test_an_rsa_key_is_needed(credentials: Path, tmp_path: Path) -> None:
    other = copied(credentials, tmp_path / "ec")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", other / "key.pem")
    assert "is not an RSA key" in faults(f"file:{other}")[0]


def test_apples_own_downloads_are_taken_in_der(credentials: Path, tmp_path: Path) -> None:
    copy = copied(credentials, tmp_path / "der")
    for name in ("certificate", "wwdr"):
        pem = credentials / f"{name}.pem"
        openssl("x509", "-in", pem, "-outform", "DER", "-out", copy / f"{name}.pem")
    load(f"file:{copy}")


def test_the_environment_does_instead_of_files(credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, name in (("CERTIFICATE", "certificate"), ("KEY", "key"), ("WWDR", "wwdr")):
        monkeypatch.setenv(f"BEREZKA_{variable}", (credentials / f"{name}.pem").read_text())
    assert load("env:BEREZKA").key_pem == load(f"file:{credentials}").key_pem
    monkeypatch.delenv("BEREZKA_KEY")
    monkeypatch.delenv("BEREZKA_WWDR")
    assert [fault.split(":")[0] for fault in faults("env:BEREZKA")] == ["BEREZKA_KEY", "BEREZKA_WWDR"]


@pytest.mark.parametrize("reference", ["", "certs", "https://example.com", "file:", "env:"])
def test_a_reference_that_is_none_says_what_to_write(reference: str) -> None:
    assert "file:DIRECTORY" in faults(reference)[0]


def test_a_missing_directory_and_missing_files_are_named(tmp_path: Path) -> None:
    assert "no such directory" in faults(f"file:{tmp_path / 'nowhere'}")[0]
    missing = faults(f"file:{tmp_path}")
    assert len(missing) == 3
    for name in ("certificate.pem", "key.pem", "wwdr.pem"):
        assert sum(name in fault.split(":")[0] for fault in missing) == 1


def test_files_that_are_something_else_are_named(credentials: Path, tmp_path: Path) -> None:
    broken = copied(credentials, tmp_path / "broken")
    for name in ("certificate.pem", "key.pem", "wwdr.pem"):
        (broken / name).write_bytes("не то".encode())
    assert len(faults(f"file:{broken}")) == 3


def test_another_brands_certificate_names_both_identifiers(credentials: Path) -> None:
    found = faults(f"file:{credentials}", pass_type="pass.com.example.other", team="ZZZZZZZZZZ")
    assert len(found) == 2
    assert card.PASS_TYPE in found[0]
    assert "pass.com.example.other" in found[0]
    assert card.TEAM in found[1]


def test_another_key_is_noticed(authority: Authority, credentials: Path, tmp_path: Path) -> None:
    copy = copied(credentials, tmp_path / "copy")
    stranger = made(authority, tmp_path / "stranger")
    shutil.copy(stranger / "key.pem", copy / "key.pem")
    (found,) = faults(f"file:{copy}")
    assert "is not the key of" in found


def test_an_intermediate_that_only_has_the_right_name_is_noticed(credentials: Path, tmp_path: Path) -> None:
    impostor = Authority.create(tmp_path / "impostor", now=card.NOW)
    copy = copied(credentials, tmp_path / "copy")
    shutil.copy(impostor.wwdr, copy / "wwdr.pem")
    issuer = x509.load_pem_x509_certificate((copy / "certificate.pem").read_bytes()).issuer
    assert x509.load_pem_x509_certificate(impostor.wwdr.read_bytes()).subject == issuer
    (found,) = faults(f"file:{copy}")
    assert "did not issue" in found


def test_a_certificate_of_another_issuer_is_noticed(authority: Authority, tmp_path: Path) -> None:
    (found,) = faults(f"file:{made(authority, tmp_path / 'direct', signed_by_root=True)}")
    assert "did not issue" in found


def test_expired_and_not_yet_valid_certificates_are_noticed(credentials: Path, tmp_path: Path) -> None:
    (late,) = faults(f"file:{credentials}", at_day=366)
    assert "expired on 2027-11-21" in late
    both = faults(f"file:{credentials}", at_day=366 * 7)
    assert [("certificate.pem" in fault, "wwdr.pem" in fault) for fault in both] == [
        (True, False),
        (False, True),
    ]
    assert all("clock" in fault for fault in faults(f"file:{credentials}", at_day=-10))


def test_all_faults_are_told_at_once(authority: Authority, tmp_path: Path) -> None:
    bad = made(authority, tmp_path / "bad", begins=card.NOW - 30 * DAY, valid=10 * DAY, signed_by_root=True)
    shutil.copy(made(authority, tmp_path / "other") / "key.pem", bad / "key.pem")
    assert len(faults(f"file:{bad}", pass_type="pass.other", team="OTHER")) == 5


@pytest.mark.parametrize(
    ("days_left", "stage", "said"),
    [
        (61, None, None),
        (60, 60, "in 60 days"),
        (31, 60, "in 31 days"),
        (30, 30, "in 30 days"),
        (7, 7, "in 7 days"),
        (1, 1, "in 1 days"),
        (0, 0, "expired on"),
        (-3, 0, "expired on"),
    ],
)
def test_the_operator_is_told_before_the_end(
    signer: Signer, days_left: int, stage: int | None, said: str | None
) -> None:
    now = signer.expires_at - days_left * DAY
    assert expiry_stage(signer, now) == stage
    warning = expiry_warning(signer, now)
    assert warning is None if said is None else warning is not None and said in warning


def test_the_intermediates_end_is_told_too(authority: Authority, tmp_path: Path) -> None:
    short = Authority.create(tmp_path / "short", now=card.NOW, wwdr_valid=20 * DAY)
    signer = load(f"file:{made(short, tmp_path / 'credentials')}")
    warning = expiry_warning(signer, card.NOW)
    assert warning is not None
    assert "WWDR" in warning


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_signatures_of_any_rsa_size_are_der(tmp_path: Path, bits: int) -> None:
    openssl("genrsa", "-out", tmp_path / "key.pem", bits)
    openssl(
        "req", "-x509", "-key", tmp_path / "key.pem", "-subj", "/UID=x/CN=Карта", "-days", 30, "-utf8",
        "-out", tmp_path / "certificate.pem",
    )  # fmt: skip
    certificate = x509.load_pem_x509_certificate((tmp_path / "certificate.pem").read_bytes())
    key = load_pem_private_key((tmp_path / "key.pem").read_bytes(), None)
    signature = DetachedSigner(key, certificate, certificate).sign(b"{}\n\r\n", signing_time=card.NOW)  # type: ignore[arg-type]
    (tmp_path / "signature").write_bytes(signature)
    (tmp_path / "content").write_bytes(b"{}\n\r\n")
    openssl(
        "cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "signature",
        "-content", tmp_path / "content", "-noverify", "-out", "/dev/null",
    )  # fmt: skip
