"""The signature of a pass, verified as iOS does, with our own walk through the CMS structure (RFC 5652).

Apple, "Building a Pass": detached PKCS#7 over manifest.json by the pass certificate, with signing time and
the WWDR intermediate enclosed; certificate UID = passTypeIdentifier, OU = teamIdentifier. Trust is judged at
signing time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from app.simulators import der

_SIGNED_DATA, _DATA = "1.2.840.113549.1.7.2", "1.2.840.113549.1.7.1"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_DIGESTS: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "1.3.14.3.2.26": ("sha1", hashes.SHA1()),  # noqa: S303  # passes signed so are still in use
    "2.16.840.1.101.3.4.2.1": ("sha256", hashes.SHA256()),
}
_WWDR = "Apple Worldwide Developer Relations"


class BadSignature(ValueError):
    """Why iOS would not trust the signature."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that holds."""

    certificate: x509.Certificate
    signed_at: datetime

    def name(self, oid: x509.ObjectIdentifier) -> str:
        """One part of the signer's subject; empty where it has none."""
        parts = self.certificate.subject.get_attributes_for_oid(oid)
        return str(parts[0].value) if parts else ""

    @property
    def pass_type_identifier(self) -> str:
        """The subject's UID."""
        return self.name(NameOID.USER_ID)

    @property
    def team_identifier(self) -> str:
        """The subject's OU."""
        return self.name(NameOID.ORGANIZATIONAL_UNIT_NAME)


def verify(signature: bytes, content: bytes, *, root: x509.Certificate, now: datetime) -> Signature:
    """Check ``signature`` (DER) over ``content``; raises :class:`BadSignature`."""
    try:
        return _verify(signature, content, root, now)
    except der.NotDer as fault:
        raise BadSignature(f"not a DER CMS structure: {fault}") from fault
    except (IndexError, StopIteration) as fault:
        raise BadSignature("the CMS structure ends too early") from fault


def _verify(signature: bytes, content: bytes, root: x509.Certificate, now: datetime) -> Signature:
    kind, wrapped = der.element(signature).expect(der.SEQUENCE).children()
    if kind.oid() != _SIGNED_DATA:
        raise BadSignature("not SignedData")
    parts = iter(der.element(wrapped.expect(der.CONTEXT_0).content).expect(der.SEQUENCE).children())
    next(parts).integer()
    next(parts).expect(der.SET)
    if len(next(parts).expect(der.SEQUENCE).children()) != 1:
        raise BadSignature("not detached: it encloses its content")
    certificates: list[x509.Certificate] = []
    signers: list[der.Element] = []
    for part in parts:
        if part.tag == der.CONTEXT_0:
            certificates = [x509.load_der_x509_certificate(each.whole) for each in part.children()]
        elif part.tag == der.SET:
            signers = part.children()
    if len(signers) != 1:
        raise BadSignature(f"{len(signers)} signers")
    signer, signed_at = _signer(iter(signers[0].children()), content, certificates)
    if signed_at > now + timedelta(days=1):
        raise BadSignature("signed in the future")
    _chain(signer, certificates, root, signed_at)
    return Signature(signer, signed_at)


def _signer(
    parts: Iterator[der.Element], content: bytes, certificates: list[x509.Certificate]
) -> tuple[x509.Certificate, datetime]:
    next(parts).integer()
    issuer, serial = next(parts).expect(der.SEQUENCE).children()
    digest = next(parts).children()[0].oid()
    if digest not in _DIGESTS:
        raise BadSignature(f"digest {digest} is not accepted")
    name, algorithm = _DIGESTS[digest]
    attributes = next(parts).expect(der.CONTEXT_0)
    next(parts)
    value = next(parts).expect(der.OCTET_STRING).content
    by_oid = {}
    for attribute in attributes.children():
        oid, values = attribute.children()
        by_oid[oid.oid()] = values.children()[0]
    if _CONTENT_TYPE not in by_oid or by_oid[_CONTENT_TYPE].oid() != _DATA:
        raise BadSignature("the signed content type is not data")
    if (
        _MESSAGE_DIGEST not in by_oid
        or by_oid[_MESSAGE_DIGEST].content != hashlib.new(name, content).digest()
    ):
        raise BadSignature("manifest.json is not what was signed")
    if _SIGNING_TIME not in by_oid:
        raise BadSignature("Signature must contain a signing date")
    certificate = next(
        (
            each
            for each in certificates
            if each.serial_number == serial.integer() and each.issuer.public_bytes() == issuer.whole
        ),
        None,
    )
    if certificate is None:
        raise BadSignature("the signer's certificate is not enclosed")
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadSignature("not an RSA key")
    try:
        # The attributes are signed as a SET, while they travel under [0] (RFC 5652, 5.4).
        key.verify(value, b"\x31" + attributes.whole[1:], padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise BadSignature("the signature does not verify") from None
    return certificate, _time(by_oid[_SIGNING_TIME])


def _time(element: der.Element) -> datetime:
    form = "%y%m%d%H%M%SZ" if element.tag == der.UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(element.content.decode("ascii"), form).replace(tzinfo=UTC)


def _chain(
    signer: x509.Certificate, certificates: list[x509.Certificate], root: x509.Certificate, at: datetime
) -> None:
    wwdr = next((each for each in certificates if each.subject == signer.issuer and each != signer), None)
    if wwdr is None:
        raise BadSignature("the WWDR intermediate is not enclosed")
    names = wwdr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not names or not str(names[0].value).startswith(_WWDR):
        raise BadSignature("the issuer is not Apple Worldwide Developer Relations")
    for child, parent in ((signer, wwdr), (wwdr, root)):
        try:
            child.verify_directly_issued_by(parent)
        except (InvalidSignature, ValueError, TypeError):
            raise BadSignature("the certificate trust chain could not be verified") from None
    for certificate in (signer, wwdr):
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise BadSignature("a certificate was not valid when the pass was signed")
