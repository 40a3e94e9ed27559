"""Where a brand's signing certificate lies, and whether it can sign what iOS will accept.

Apple's tools and iOS answer a mismatch, a wrong intermediate, a missing one and an expired certificate with
one and the same sentence. So everything is checked here, once, when a certificate is loaded; every fault is
named at once, each with its fix.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
from cryptography.x509.oid import NameOID

from app.errors import Misconfigured

WWDR_URL = "https://www.apple.com/certificateauthority/"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A certificate, its private key and the intermediate that issued it; checked."""

    certificate: x509.Certificate
    key: RSAPrivateKey
    intermediate: x509.Certificate


@dataclass(frozen=True, slots=True)
class _Source:
    """The bytes as they were found, and what to call them in a message."""

    certificate: bytes | None
    key: bytes | None
    password: bytes | None
    intermediate: bytes | None
    bundle: bytes | None  # a .p12 that holds certificate and key
    certificate_name: str
    key_name: str
    password_name: str
    intermediate_name: str


def load_credentials(
    reference: str, *, pass_type_identifier: str, team_identifier: str, now: datetime
) -> Credentials:
    """Read ``file:DIRECTORY`` or ``env:PREFIX`` and check it.

    Raises :class:`Misconfigured` with one line for every fault.
    """
    scheme, _, place = reference.partition(":")
    if scheme not in ("file", "env") or not place:
        raise Misconfigured(
            f"credentials {reference!r}: write file:DIRECTORY (certificate.pem, key.pem, wwdr.pem) "
            "or env:PREFIX (PREFIX_CERTIFICATE, PREFIX_KEY, PREFIX_WWDR)"
        )
    faults: list[str] = []
    source = _from_directory(Path(place), faults) if scheme == "file" else _from_environment(place, faults)
    certificate, key = _certificate_and_key(source, faults)
    intermediate = _certificate(source.intermediate, source.intermediate_name, faults)
    if certificate:
        faults += _identity_faults(certificate, source, pass_type_identifier, team_identifier)
        faults += _validity_faults(
            certificate,
            source.certificate_name,
            now,
            "renew it at developer.apple.com under Identifiers, Pass Type IDs; installed cards keep working, "
            "new cards and updates wait for it",
        )
    if intermediate:
        faults += _validity_faults(
            intermediate, source.intermediate_name, now, f"fetch the current WWDR certificate from {WWDR_URL}"
        )
    if certificate and intermediate:
        faults += _issuer_faults(certificate, intermediate, source)
    if certificate and key and _public(certificate.public_key()) != _public(key.public_key()):
        faults.append(
            f"{source.key_name}: is not the key of {source.certificate_name}; take the key that made the "
            "certificate signing request, or export both together as .p12 from Keychain Access"
        )
    if faults or certificate is None or key is None or intermediate is None:
        raise Misconfigured(*faults)
    return Credentials(certificate, key, intermediate)


def _from_directory(directory: Path, faults: list[str]) -> _Source:
    if not directory.is_dir():
        raise Misconfigured(
            f"{directory}: no such directory; put certificate.pem, key.pem and wwdr.pem there"
        )

    def read(name: str, *, what: str = "", required: bool = True) -> bytes | None:
        try:
            return (directory / name).read_bytes()
        except FileNotFoundError:
            if required:
                faults.append(f"{directory / name}: is missing; {what}")
        except OSError as fault:
            faults.append(f"{directory / name}: cannot be read: {fault.strerror}")
        return None

    password = read("password.txt", required=False)
    bundle = None
    if not (directory / "certificate.pem").exists():
        bundle = read("certificate.p12", required=False)
    certificate_name = str(directory / ("certificate.p12" if bundle else "certificate.pem"))
    return _Source(
        certificate=None
        if bundle
        else read("certificate.pem", what="put the pass certificate from Apple there, or certificate.p12"),
        key=None if bundle else read("key.pem", what="put the certificate's private key there"),
        password=password.strip(b"\r\n") if password is not None else None,
        intermediate=read("wwdr.pem", what=f"fetch Apple's WWDR intermediate certificate from {WWDR_URL}"),
        bundle=bundle,
        certificate_name=certificate_name,
        key_name=certificate_name if bundle else str(directory / "key.pem"),
        password_name=str(directory / "password.txt"),
        intermediate_name=str(directory / "wwdr.pem"),
    )


def _from_environment(prefix: str, faults: list[str]) -> _Source:
    def read(name: str, *, required: bool = True) -> bytes | None:
        value = os.environ.get(f"{prefix}_{name}")
        if not value and required:
            faults.append(f"{prefix}_{name}: is not set; it must hold PEM")
        return value.encode() if value else None

    return _Source(
        certificate=read("CERTIFICATE"),
        key=read("KEY"),
        password=read("KEY_PASSWORD", required=False),
        intermediate=read("WWDR"),
        bundle=None,
        certificate_name=f"{prefix}_CERTIFICATE",
        key_name=f"{prefix}_KEY",
        password_name=f"{prefix}_KEY_PASSWORD",
        intermediate_name=f"{prefix}_WWDR",
    )


def _certificate(data: bytes | None, name: str, faults: list[str]) -> x509.Certificate | None:
    """PEM, or DER as Apple's downloads (.cer) come."""
    if data is None:
        return None
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except ValueError:
        faults.append(
            f"{name}: is not a certificate; export it as PEM (it begins with -----BEGIN CERTIFICATE)"
        )
        return None


def _certificate_and_key(
    source: _Source, faults: list[str]
) -> tuple[x509.Certificate | None, RSAPrivateKey | None]:
    if source.bundle is not None:
        try:
            key, certificate, _ = load_key_and_certificates(source.bundle, source.password)
        except ValueError:
            faults.append(
                f"{source.certificate_name}: cannot be opened; put its password, alone, "
                f"into {source.password_name}"
                if source.password is None
                else f"{source.certificate_name}: cannot be opened; the password in {source.password_name} "
                "is wrong, or the file is not a .p12"
            )
            return None, None
        if certificate is None or key is None:
            faults.append(
                f"{source.certificate_name}: must hold the certificate together with its private key; in "
                "Keychain Access unfold the certificate, select both lines, then export"
            )
    else:
        certificate = _certificate(source.certificate, source.certificate_name, faults)
        key = None
        if source.key is not None:
            try:
                key = load_pem_private_key(source.key, source.password)
            except TypeError:
                faults.append(
                    f"{source.key_name}: is encrypted; put its password, alone, into {source.password_name}"
                    if source.password is None
                    else f"{source.key_name}: is not encrypted; remove {source.password_name}"
                )
            except ValueError:
                faults.append(
                    f"{source.key_name}: is not a private key in PEM"
                    + (f", or the password in {source.password_name} is wrong" if source.password else "")
                )
    if key is not None and not isinstance(key, RSAPrivateKey):
        faults.append(
            f"{source.key_name}: is not an RSA key; Apple's pass certificates are RSA 2048, "
            "make the certificate signing request with one"
        )
        key = None
    return certificate, key


def _identity_faults(
    certificate: x509.Certificate, source: _Source, pass_type_identifier: str, team_identifier: str
) -> list[str]:
    """Wallet takes a pass only where UID and OU of the subject are the pass's own two identifiers."""
    faults = []
    for oid, what, called, wanted in (
        (NameOID.USER_ID, "pass type identifier", "UID", pass_type_identifier),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "team identifier", "OU", team_identifier),
    ):
        found = [attribute.value for attribute in certificate.subject.get_attributes_for_oid(oid)]
        if wanted not in found:
            shown = ", ".join(str(value) for value in found) or "none"
            faults.append(
                f"{source.certificate_name}: its {what} (subject {called}) is {shown}, the brand's is "
                f"{wanted}; set it to the certificate's, or take the one made for {wanted}"
            )
    return faults


def _validity_faults(certificate: x509.Certificate, name: str, now: datetime, fix: str) -> list[str]:
    if certificate.not_valid_after_utc <= now:
        return [f"{name}: expired on {certificate.not_valid_after_utc:%Y-%m-%d}; {fix}"]
    if certificate.not_valid_before_utc > now:
        return [
            f"{name}: is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on only; "
            "check this machine's clock"
        ]
    return []


def _issuer_faults(
    certificate: x509.Certificate, intermediate: x509.Certificate, source: _Source
) -> list[str]:
    """Not "is it G4": the next generation of the intermediate will come."""
    try:
        certificate.verify_directly_issued_by(intermediate)
    except (ValueError, TypeError, InvalidSignature):
        generation = certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        which = f" ({generation[0].value!s})" if generation else ""
        return [
            f"{source.intermediate_name}: did not issue {source.certificate_name}; fetch the WWDR "
            f"intermediate that did{which} from {WWDR_URL}"
        ]
    return []


def _public(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]
