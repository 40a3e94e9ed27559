"""The signature file of a .pkpass: CMS SignedData (RFC 5652), detached, in DER.

Only three things differ between two signatures of one signer: the manifest's digest, the time and the RSA
value. All three have a fixed length, so the rest is laid out once and a signature is one join.

The signed attributes are in DER order (RFC 5652, section 5.3): strict readers refuse any other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

_SEQUENCE, _SET, _INTEGER, _OCTETS, _NULL, _OID = 0x30, 0x31, 0x02, 0x04, 0x05, 0x06
_UTC_TIME, _GENERALIZED_TIME, _CONTEXT_0 = 0x17, 0x18, 0xA0
_PADDING, _SHA256 = PKCS1v15(), SHA256()
_LAST_UTC_TIME_YEAR = 2049  # RFC 5652, section 11.3: GeneralizedTime from 2050 on


def _tlv(tag: int, *content: bytes) -> bytes:
    """Tag, length, value (X.690, section 8.1)."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    encoded = bytearray()
    for number in (first * 40 + second, *rest):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(0x80 | number & 0x7F)
        encoded += bytes(reversed(septets))
    return _tlv(_OID, bytes(encoded))


_DATA = _oid("1.2.840.113549.1.7.1")
_SIGNED_DATA = _oid("1.2.840.113549.1.7.2")
_CONTENT_TYPE = _oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = _oid("1.2.840.113549.1.9.4")
_SIGNING_TIME = _oid("1.2.840.113549.1.9.5")
_SHA256_ALGORITHM = _tlv(_SEQUENCE, _oid("2.16.840.1.101.3.4.2.1"))
_RSA_ALGORITHM = _tlv(_SEQUENCE, _oid("1.2.840.113549.1.1.1"), _tlv(_NULL))


_CONTENT_TYPE_ATTRIBUTE = _tlv(_SEQUENCE, _CONTENT_TYPE, _tlv(_SET, _DATA))
_DIGEST_ATTRIBUTE = _tlv(_SEQUENCE, _MESSAGE_DIGEST, _tlv(_SET, _tlv(_OCTETS, bytes(32))))[:-32]
_TIME_ATTRIBUTES = {
    tag: _tlv(_SEQUENCE, _SIGNING_TIME, _tlv(_SET, _tlv(tag, bytes(length))))[:-length]
    for tag, length in ((_UTC_TIME, 13), (_GENERALIZED_TIME, 15))
}


@lru_cache(maxsize=4)
def _before_digest(second: int) -> bytes:
    """Content type and signing time, up to the digest; the same for all passes of one second."""
    moment = datetime.fromtimestamp(second, UTC)
    if moment.year > _LAST_UTC_TIME_YEAR:
        tag, said = _GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ")
    else:
        tag, said = _UTC_TIME, moment.strftime("%y%m%d%H%M%SZ")
    return b"".join((_CONTENT_TYPE_ATTRIBUTE, _TIME_ATTRIBUTES[tag], said.encode(), _DIGEST_ATTRIBUTE))


def _attributes(digest: bytes, signing_time: datetime) -> bytes:
    """The content of the SET of signed attributes.

    DER sorts a SET OF by the encoded bytes; here the lengths, 24, 28 or 30, and 47, decide.
    """
    return _before_digest(int(signing_time.timestamp())) + digest


@dataclass(frozen=True, slots=True)
class _Frame:
    """A whole signature with its three holes cut out; valid for one length of the signed attributes."""

    before_attributes: bytes
    after_attributes: bytes
    set_header: bytes  # the attributes are signed as a SET, and stored as [0] IMPLICIT


class DetachedSigner:
    """Signs byte strings with one RSA key, embedding the signer's certificate and its issuer's."""

    def __init__(
        self, key: RSAPrivateKey, certificate: x509.Certificate, intermediate: x509.Certificate
    ) -> None:
        """The three must belong together; :mod:`app.passes.credentials` checks that."""
        self._key = key
        self._certificates = _tlv(
            _CONTEXT_0, *sorted(each.public_bytes(Encoding.DER) for each in (certificate, intermediate))
        )
        serial = certificate.serial_number
        self._issuer_and_serial = _tlv(
            _SEQUENCE,
            certificate.issuer.public_bytes(),
            _tlv(_INTEGER, serial.to_bytes(serial.bit_length() // 8 + 1, "big")),
        )
        self._frames: dict[int, _Frame] = {}

    def sign(self, content: bytes, *, signing_time: datetime) -> bytes:
        """A detached signature over exactly these bytes (nothing is canonicalised: OpenSSL's "binary").

        ``signing_time`` is aware; iOS refuses a signature without one.
        """
        attributes = _attributes(hashlib.sha256(content).digest(), signing_time)
        frame = self._frames.get(len(attributes)) or self._frame(len(attributes))
        signature = self._key.sign(frame.set_header + attributes, _PADDING, _SHA256)
        return b"".join((frame.before_attributes, attributes, frame.after_attributes, signature))

    def _frame(self, attributes_size: int) -> _Frame:
        """Lay the structure out around zeros of the right size, then cut the zeros out."""
        signature_size = self._key.key_size // 8
        attributes = bytes(attributes_size)
        after_attributes = _RSA_ALGORITHM + _tlv(_OCTETS, bytes(signature_size))[:-signature_size]
        signer_info = _tlv(
            _SEQUENCE,
            _tlv(_INTEGER, b"\x01"),  # version 1: the signer is named by issuer and serial number
            self._issuer_and_serial,
            _SHA256_ALGORITHM,
            _tlv(_CONTEXT_0, attributes),
            after_attributes,
            bytes(signature_size),
        )
        signed_data = _tlv(
            _SEQUENCE,
            _tlv(_INTEGER, b"\x01"),
            _tlv(_SET, _SHA256_ALGORITHM),
            _tlv(_SEQUENCE, _DATA),  # detached: the type of the content, without the content
            self._certificates,
            _tlv(_SET, signer_info),
        )
        whole = _tlv(_SEQUENCE, _SIGNED_DATA, _tlv(_CONTEXT_0, signed_data))
        tail = len(after_attributes) + signature_size
        frame = _Frame(
            before_attributes=whole[: len(whole) - tail - attributes_size],
            after_attributes=after_attributes,
            set_header=_tlv(_SET, attributes)[:-attributes_size],
        )
        self._frames[attributes_size] = frame
        return frame
