"""Certificates as people bring them: Keychain's exports, Apple's .cer, and everything that goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from app.passes.sealing import Safe
from app.simulators.authority import Authority

TYPE, TEAM = "pass.com.example.birch", "A1B2C3D4E5"
PASS_KEY = b"a pass key of the tests' own, forty char"
YEAR = timedelta(days=365)
_OIDS = {
    "UID": NameOID.USER_ID,
    "CN": NameOID.COMMON_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "O": NameOID.ORGANIZATION_NAME,
}


@dataclass(frozen=True)
class Brought:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def cer(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self, password: bytes | None = None, *, traditional: bool = False) -> bytes:
        form = PrivateFormat.TraditionalOpenSSL if traditional else PrivateFormat.PKCS8
        return self.key.private_bytes(Encoding.PEM, form, _locked(password))

    def p12(self, password: bytes | None = None, *, chain: list[x509.Certificate] | None = None) -> bytes:
        return pkcs12.serialize_key_and_certificates(
            b"birch", self.key, self.certificate, chain, _locked(password)
        )

    def legacy_p12(self, password: bytes) -> bytes:
        encryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(2048)
            .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
            .hmac_hash(hashes.SHA1())
            .build(password)
        )
        return pkcs12.serialize_key_and_certificates(b"birch", self.key, self.certificate, None, encryption)


def _locked(password: bytes | None) -> KeySerializationEncryption:
    return BestAvailableEncryption(password) if password else NoEncryption()


class Maker:
    """An authority that stands for Apple's, and what it issues; keys are made once."""

    def __init__(self, directory: Path, now: datetime) -> None:
        self.now = now
        self.authority = Authority.create(directory / "apple", now=now)
        self.root = x509.load_pem_x509_certificate(self.authority.root.read_bytes())
        self.wwdr = x509.load_pem_x509_certificate(self.authority.wwdr.read_bytes())
        self.safe = Safe.of(PASS_KEY, authorities=(self.root,))
        self._keys: dict[tuple[str, int], rsa.RSAPrivateKey] = {}

    def key(self, name: str = "own", bits: int = 2048) -> rsa.RSAPrivateKey:
        if (name, bits) not in self._keys:
            self._keys[name, bits] = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        return self._keys[name, bits]

    def brought(
        self,
        *,
        pass_type_identifier: str = TYPE,
        team_identifier: str = TEAM,
        subject: dict[str, str] | None = None,
        key: rsa.RSAPrivateKey | None = None,
        begins: datetime | None = None,
        ends: datetime | None = None,
        is_authority: bool = False,
    ) -> Brought:
        """A certificate under the WWDR intermediate; ``subject`` says all of it where it is not a pass's."""
        key = key or self.key()
        names = subject or {
            "UID": pass_type_identifier,
            "CN": f"Pass Type ID: {pass_type_identifier}",
            "OU": team_identifier,
            "O": "Birch Coffee LLC",
        }
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(_OIDS[n], v) for n, v in names.items()]))
            .issuer_name(self.wwdr.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins or min(self.now, ends or self.now) - timedelta(days=1))
            .not_valid_after(ends or self.now + YEAR)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(self.authority._wwdr.key, hashes.SHA256())
        )
        return Brought(made, key)

    def p12(self, password: bytes = b"secret", **about: str) -> bytes:
        """What Keychain Access exports, with Apple's (here: the sandbox's) intermediate in it."""
        return self.brought(**about).p12(password, chain=[self.wwdr])  # type: ignore[arg-type]

    def issued_for(
        self, request: x509.CertificateSigningRequest, pass_type: str = TYPE, team: str = TEAM
    ) -> bytes:
        """The .cer that developer.apple.com gives for a request: the names are Apple's choice."""
        key = request.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        made = (
            x509.CertificateBuilder()
            .subject_name(
                self.brought(pass_type_identifier=pass_type, team_identifier=team).certificate.subject
            )
            .issuer_name(self.wwdr.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now)
            .not_valid_after(self.now + YEAR)
            .sign(self.authority._wwdr.key, hashes.SHA256())
        )
        return made.public_bytes(Encoding.DER)
