"""Taking a certificate: every form it comes in, and every fault named with its fix."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.passes import apple_chain
from app.passes.certificate_files import LARGEST, CertificateRefused
from app.passes.certificates import TakenCertificate, take
from tests.passes import card
from tests.passes.certificate_maker import TEAM, TYPE, YEAR, Maker

SECRET = "кофе и чай"


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("maker"), card.NOW)


def _take(
    maker: Maker,
    data: bytes,
    password: str | None = None,
    *,
    key: bytes | None = None,
    intermediate: bytes | None = None,
) -> TakenCertificate:
    return take(
        data,
        password,
        key=key,
        intermediate=intermediate or maker.wwdr.public_bytes(Encoding.PEM),
        authorities=(maker.root,),
        now=card.NOW,
    )


FORMS: dict[str, Callable[[Maker], TakenCertificate]] = {
    "p12": lambda m: _take(m, m.brought().p12(SECRET.encode()), SECRET),
    "p12 in 3DES, as Keychain Access exports": lambda m: _take(
        m, m.brought().legacy_p12(SECRET.encode()), SECRET
    ),
    "p12 without a password": lambda m: _take(m, m.brought().p12()),
    "one PEM with both": lambda m: _take(m, m.brought().key_pem() + m.brought().pem),
    "PEM, locked key": lambda m: _take(m, m.brought().pem + m.brought().key_pem(b"abc"), "abc"),
    "PEM, a key locked in the old way": lambda m: _take(
        m, m.brought().pem, "abcd", key=m.brought().key_pem(b"abcd", traditional=True)
    ),
    "PEM, key not locked, a password typed": lambda m: _take(m, m.brought().pem + m.brought().key_pem(), "x"),
    "cer and its key": lambda m: _take(m, m.brought().cer, key=m.brought().key_pem()),
    "cer and its key in DER": lambda m: _take(
        m,
        m.brought().cer,
        key=m.key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    ),
    "as openssl prints it, with its chatter": lambda m: _take(
        m,
        b"Bag Attributes\n    friendlyName: birch\nsubject=UID = x\n"
        + m.brought().pem
        + b"Bag Attributes\n"
        + m.brought().key_pem(),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_it_is_taken_in_every_form(form: str, maker: Maker) -> None:
    taken = FORMS[form](maker)
    assert (taken.pass_type_identifier, taken.team_identifier) == (TYPE, TEAM)
    assert taken.organization == "Birch Coffee LLC"
    assert taken.expires_at == card.NOW.replace(microsecond=0) + YEAR
    assert taken.intermediate == maker.wwdr
    assert taken.key.key_size == 2048
    assert "PRIVATE" not in repr(taken)
    assert "key" not in repr(taken)


@pytest.mark.parametrize("cipher", ["PBE-SHA1-RC2-40", "PBE-SHA1-3DES", "AES-256-CBC"])
def test_openssl_is_a_witness_for_old_encryption(cipher: str, maker: Maker, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl, "the machine that runs the tests has openssl"
    brought = maker.brought()
    (tmp_path / "both.pem").write_bytes(brought.pem + brought.key_pem())
    legacy = "" if cipher.startswith("AES") else "-legacy"
    subprocess.run(
        f"{openssl} pkcs12 -export {legacy} -in both.pem -out a.p12 -passout pass:geheim"
        f" -certpbe {cipher} -keypbe {cipher}".split(),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert _take(maker, (tmp_path / "a.p12").read_bytes(), "geheim").pass_type_identifier == TYPE


def test_the_newest_of_a_whole_keychain_is_meant(maker: Maker) -> None:
    old = maker.brought(ends=card.NOW - timedelta(days=3))
    new = maker.brought()
    stranger = maker.brought(subject={"CN": "Apple Development: Anna (X)", "UID": "X"}, key=maker.key("dev"))
    taken = _take(maker, stranger.pem + old.pem + new.pem + new.key_pem())
    assert taken.certificate == new.certificate


def _kind(maker: Maker, **subject: str) -> bytes:
    return maker.brought(subject=subject).p12(b"abc")


def _elliptic(maker: Maker) -> CertificateRefused:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return _refused(lambda: _take(maker, maker.brought().pem, key=pem))


def _refused(act: Callable[[], object]) -> CertificateRefused:
    with pytest.raises(CertificateRefused) as raised:
        act()
    return raised.value


def _request(maker: Maker) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(maker.wwdr.subject)
    return builder.sign(maker.key(), hashes.SHA256()).public_bytes(Encoding.PEM)


# What was brought, the code, the field it is told beside, and a part of the fix.
FAULTS: dict[str, tuple[Callable[[Maker], object], str, str, str]] = {
    "nothing": (lambda m: _take(m, b"  "), "empty-file", "certificate", "choose it again"),
    "a film": (lambda m: _take(m, b"0" * (LARGEST + 1)), "too-large", "certificate", "choose the .p12"),
    "a picture": (lambda m: _take(m, b"\x89PNG\r\n"), "not-a-certificate", "certificate", "choose the .p12"),
    "a finished card": (lambda m: _take(m, b"PK\x03\x04rest"), "not-a-certificate", "certificate", "unpack"),
    "a cut-off p12": (
        lambda m: _take(m, m.p12()[:900], "secret"),
        "wrong-password",
        "password",
        "type the one",
    ),
    "a damaged PEM": (
        lambda m: _take(m, m.brought().pem[:200] + m.brought().pem[-60:]),
        "damaged-file",
        "certificate",
        "again",
    ),
    "the request itself": (
        lambda m: _take(m, _request(m)),
        "a-request",
        "certificate",
        "developer.apple.com",
    ),
    "p12 without its password": (lambda m: _take(m, m.p12()), "password-needed", "password", "type the"),
    "wrong password": (
        lambda m: _take(m, m.p12(), "Secret"),
        "wrong-password",
        "password",
        "Keychain Access",
    ),
    "wrong password, old encryption": (
        lambda m: _take(m, m.brought().legacy_p12(b"abc"), "abd"),
        "wrong-password",
        "password",
        "openssl pkcs12 -legacy -in old.p12",
    ),
    "a password that no file has": (
        lambda m: _take(m, m.p12(), "a\0b"),
        "wrong-password",
        "password",
        "type",
    ),
    "locked PEM key": (
        lambda m: _take(m, m.brought().pem + m.brought().key_pem(b"abc")),
        "password-needed",
        "password",
        "type the password",
    ),
    "wrong password of a PEM key": (
        lambda m: _take(m, m.brought().pem + m.brought().key_pem(b"abc"), "abd"),
        "wrong-password",
        "password",
        "that it was locked with",
    ),
    "cer alone": (lambda m: _take(m, m.brought().cer), "no-key", "key", "export as .p12"),
    "key alone": (lambda m: _take(m, m.brought().key_pem()), "key-alone", "certificate", "select both lines"),
    "a key file without a key": (
        lambda m: _take(m, m.brought().cer, key=m.brought().pem),
        "no-key",
        "key",
        "BEGIN PRIVATE KEY",
    ),
    "key of another": (
        lambda m: _take(m, m.brought().cer, key=m.brought(key=m.key("other")).key_pem()),
        "key-of-another",
        "certificate",
        "made the request",
    ),
    "push certificate of an app": (
        lambda m: _take(m, _kind(m, UID="com.x.app", CN="Apple Push Services: com.x.app"), "abc"),
        "wrong-kind",
        "certificate",
        "Pass Type ID Certificate",
    ),
    "developer's certificate": (
        lambda m: _take(m, _kind(m, UID="AB", CN="Apple Development: Anna (AB)"), "abc"),
        "wrong-kind",
        "certificate",
        "Pass Type ID Certificate",
    ),
    "distribution certificate": (
        lambda m: _take(m, _kind(m, UID="AB", CN="iPhone Distribution: Birch (AB)"), "abc"),
        "wrong-kind",
        "certificate",
        "distribution",
    ),
    "certificate of orders": (
        lambda m: _take(m, _kind(m, UID="order.x", CN="Order Type ID: order.x"), "abc"),
        "wrong-kind",
        "certificate",
        "orders in Wallet",
    ),
    "website's": (
        lambda m: _take(m, _kind(m, UID="web.com.x", CN="Somebody"), "abc"),
        "wrong-kind",
        "certificate",
        "web.com.x",
    ),
    "Apple's own": (
        lambda m: _take(m, m.wwdr.public_bytes(Encoding.DER)),
        "wrong-kind",
        "certificate",
        "issues yours",
    ),
    "without UID": (
        lambda m: _take(m, _kind(m, CN=f"Pass Type ID: {TYPE}", OU=TEAM), "abc"),
        "no-pass-type",
        "certificate",
        "subject UID",
    ),
    "without OU": (
        lambda m: _take(m, _kind(m, UID=TYPE, CN=f"Pass Type ID: {TYPE}"), "abc"),
        "no-pass-type",
        "certificate",
        "subject OU",
    ),
    "expired": (
        lambda m: _take(m, m.brought(ends=card.NOW - timedelta(minutes=1)).p12(b"abc"), "abc"),
        "wrong-time",
        "certificate",
        "renew it",
    ),
    "not valid yet": (
        lambda m: _take(m, m.brought(begins=card.NOW + timedelta(days=2)).p12(b"abc"), "abc"),
        "wrong-time",
        "certificate",
        "clock of this server",
    ),
    "a generation that is not known": (
        lambda m: take(m.brought().p12(b"abc"), "abc", authorities=(m.root,), now=card.NOW),
        "unknown-intermediate",
        "intermediate",
        "www.apple.com/certificateauthority",
    ),
    "not Apple's": (
        lambda m: take(m.p12(), "secret", now=card.NOW),
        "not-apple",
        "certificate",
        "developer.apple.com",
    ),
    "an intermediate that ran out": (
        lambda m: take(
            m.brought(ends=card.NOW + 30 * YEAR).p12(b"abc", chain=[m.wwdr]),
            "abc",
            authorities=(m.root,),
            now=card.NOW + 15 * YEAR,
        ),
        "intermediate-expired",
        "intermediate",
        "www.apple.com/certificateauthority",
    ),
    "a small key": (
        lambda m: _take(m, m.brought(key=m.key("small", 1024)).p12(b"abc"), "abc"),
        "key-size",
        "certificate",
        "RSA, 2048 bits",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_with_its_fix(fault: str, maker: Maker) -> None:
    bring, code, field, fix = FAULTS[fault]
    refused = _refused(lambda: bring(maker))
    assert (refused.code, refused.field) == (code, field), refused.message
    assert fix in refused.message
    assert all(sentence.template % sentence.values == sentence for sentence in refused.sentences)
    for secret in ("secret", "abc", "PRIVATE KEY-----\n"):
        assert secret not in refused.message.lower()


def test_an_elliptic_key_is_refused(maker: Maker) -> None:
    refused = _elliptic(maker)
    assert refused.code == "not-rsa"
    assert "RSA, 2048 bits" in refused.message


def test_two_faults_are_told_at_once(maker: Maker) -> None:
    nameless = maker.brought(subject={"CN": "Pass Type ID: x"}, ends=card.NOW - timedelta(days=1))
    refused = _refused(lambda: _take(maker, nameless.p12(b"abc"), "abc"))
    assert len(refused.sentences) == 3


def test_apples_own_certificates_are_the_published_ones() -> None:
    (root,) = apple_chain.apple_roots()
    (wwdr,) = apple_chain.known_intermediates()
    assert root.fingerprint(hashes.SHA256()).hex() == (
        "b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024"
    )
    assert wwdr.serial_number == 0x13DC77955271E53DC632E8CCFFE521F3CCC5CED2
    assert apple_chain.issued(wwdr, root)
    assert wwdr.not_valid_after_utc.year == 2030
