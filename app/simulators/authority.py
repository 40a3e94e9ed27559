"""A certificate authority in a directory: stands for Apple's root and its WWDR intermediate.

Every key is RSA-2048 and made when it is asked for; nothing is shipped. The pass certificates carry what
Apple's carry: subject UID = pass type identifier, OU = team identifier, CN "Pass Type ID: …", and the WWDR
intermediate as their issuer.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

WWDR_NAME = "Apple Worldwide Developer Relations Certification Authority"
_YEAR = timedelta(days=365)
_CLOCK_SKEW = timedelta(days=1)


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(**parts: str) -> x509.Name:
    oids = {
        "uid": NameOID.USER_ID,
        "cn": NameOID.COMMON_NAME,
        "ou": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "o": NameOID.ORGANIZATION_NAME,
        "c": NameOID.COUNTRY_NAME,
    }
    return x509.Name([x509.NameAttribute(oids[part], value) for part, value in parts.items()])


def _write(path: Path, content: bytes, *, secret: bool = False) -> Path:
    if secret:
        path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def _write_key(path: Path, key: rsa.RSAPrivateKey, password: bytes | None = None) -> Path:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return _write(path, pem, secret=True)


def _write_certificate(path: Path, certificate: x509.Certificate) -> Path:
    return _write(path, certificate.public_bytes(serialization.Encoding.PEM))


def _read_key(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{path}: not an RSA key")
    return key


@dataclass(frozen=True, slots=True)
class _Issuer:
    """A certificate that signs others, with its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    def sign(
        self,
        subject: x509.Name,
        key: rsa.RSAPublicKey,
        extensions: list[tuple[x509.ExtensionType, bool]],
        *,
        begins: datetime,
        ends: datetime,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256())


def _usage(*, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True, slots=True)
class Authority:
    """A root, a WWDR intermediate under it, and what they issue. Use :meth:`create` or :meth:`open`."""

    directory: Path
    _root: _Issuer
    _wwdr: _Issuer
    _now: datetime

    @classmethod
    def create(cls, directory: Path, *, now: datetime, wwdr_valid: timedelta = 6 * _YEAR) -> Authority:
        """Make root.pem, root.key, wwdr.pem and wwdr.key in ``directory`` (made when missing).

        ``now`` (aware) is when validity begins, less one day for clocks that run apart. What the returned
        object issues counts from the same ``now``.
        """
        directory.mkdir(parents=True, exist_ok=True)
        begins = now - _CLOCK_SKEW
        root_key, wwdr_key = _key(), _key()
        root_name = _name(cn="Apple Root CA (sandbox)", ou="Certification Authority", o="Sandbox", c="US")
        root_certificate = (
            x509.CertificateBuilder()
            .subject_name(root_name)
            .issuer_name(root_name)
            .public_key(root_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(now + 20 * _YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        root = _Issuer(root_certificate, root_key)
        wwdr_certificate = root.sign(
            _name(cn=WWDR_NAME, ou="G4", o="Apple Inc. (sandbox)", c="US"),
            wwdr_key.public_key(),
            [
                (x509.BasicConstraints(ca=True, path_length=0), True),
                (_usage(signs_certificates=True), True),
            ],
            begins=begins,
            ends=now + wwdr_valid,
        )
        _write_certificate(directory / "root.pem", root_certificate)
        _write_key(directory / "root.key", root_key)
        _write_certificate(directory / "wwdr.pem", wwdr_certificate)
        _write_key(directory / "wwdr.key", wwdr_key)
        return cls(directory, root, _Issuer(wwdr_certificate, wwdr_key), now)

    @classmethod
    def open(cls, directory: Path, *, now: datetime | None = None) -> Authority:
        """Read what :meth:`create` wrote; ``now`` defaults to the moment it was created at."""
        issuers = [
            _Issuer(
                x509.load_pem_x509_certificate((directory / f"{name}.pem").read_bytes()),
                _read_key(directory / f"{name}.key"),
            )
            for name in ("root", "wwdr")
        ]
        created = issuers[0].certificate.not_valid_before_utc + _CLOCK_SKEW
        return cls(directory, issuers[0], issuers[1], now or created)

    @property
    def root(self) -> Path:
        """The root certificate (PEM): what a client that trusts this authority is given."""
        return self.directory / "root.pem"

    @property
    def wwdr(self) -> Path:
        """The intermediate certificate (PEM)."""
        return self.directory / "wwdr.pem"

    def pass_credentials(
        self,
        directory: Path,
        *,
        pass_type_identifier: str,
        team_identifier: str,
        organization: str,
        valid: timedelta = _YEAR,
        begins: datetime | None = None,
        common_name: str | None = None,
        signed_by_root: bool = False,
        key_password: bytes | None = None,
    ) -> Path:
        """Write certificate.pem, key.pem and wwdr.pem into ``directory`` and return it.

        The rest makes what tests need and Apple would not issue: ``begins`` in the past and a short ``valid``
        is an expired certificate; ``signed_by_root`` leaves the WWDR intermediate out of the chain; another
        ``team_identifier`` than the pass says is a stranger's. A ``key_password`` is also written to
        password.txt.
        """
        directory.mkdir(parents=True, exist_ok=True)
        key = _key()
        ends = (begins or self._now) + valid
        certificate = (self._root if signed_by_root else self._wwdr).sign(
            _name(
                uid=pass_type_identifier,
                cn=common_name or f"Pass Type ID: {pass_type_identifier}",
                ou=team_identifier,
                o=organization,
                c="US",
            ),
            key.public_key(),
            [
                (x509.BasicConstraints(ca=False, path_length=None), True),
                (_usage(), True),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
            ],
            begins=begins or self._now - _CLOCK_SKEW,
            ends=ends,
        )
        _write_certificate(directory / "certificate.pem", certificate)
        _write_key(directory / "key.pem", key, key_password)
        _write_certificate(directory / "wwdr.pem", self._wwdr.certificate)
        if key_password:
            _write(directory / "password.txt", key_password, secret=True)
        return directory

    def for_upload(self, directory: Path, password: str) -> Path:
        """Pack what :meth:`pass_credentials` wrote there as Keychain Access exports it; returns the file."""
        certificate, wwdr = (
            x509.load_pem_x509_certificate((directory / name).read_bytes())
            for name in ("certificate.pem", "wwdr.pem")
        )
        packed = pkcs12.serialize_key_and_certificates(
            b"perkpass", _read_key(directory / "key.pem"), certificate, [wwdr],
            serialization.BestAvailableEncryption(password.encode()),
        )  # fmt: skip
        return _write(directory / "upload.p12", packed, secret=True)

    def server_certificate(self, directory: Path, *hosts: str) -> tuple[Path, Path]:
        """Write server.pem (with its chain) and server.key for ``hosts``; returns both paths.

        Without hosts the certificate is for 127.0.0.1, ::1 and localhost.
        """
        directory.mkdir(parents=True, exist_ok=True)
        hosts = hosts or ("127.0.0.1", "::1", "localhost")
        names: list[x509.GeneralName] = []
        for host in hosts:
            try:
                names.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                names.append(x509.DNSName(host))
        key = _key()
        certificate = self._wwdr.sign(
            _name(cn=hosts[0], o="Sandbox", c="US"),
            key.public_key(),
            [
                (x509.BasicConstraints(ca=False, path_length=None), True),
                (_usage(), True),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
                (x509.SubjectAlternativeName(names), False),
            ],
            begins=self._now - _CLOCK_SKEW,
            ends=self._now + _YEAR,
        )
        chain = b"".join(
            part.public_bytes(serialization.Encoding.PEM) for part in (certificate, self._wwdr.certificate)
        )
        return _write(directory / "server.pem", chain), _write_key(directory / "server.key", key)
