"""Requests to Apple for a pass certificate, made here: who has no Mac needs no other tool.

The private key is made on the server, and stays there sealed until Apple's .cer is brought. A key that nobody
comes back for is forgotten after :data:`KEPT`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from app.db import Tx
from app.errors import Conflict
from app.passes import store_certificates as store
from app.passes.certificates import public_key_of
from app.passes.sealing import Safe

KEPT: Final = timedelta(days=90)
_MOST_WAITING: Final = 10


def make_request(
    tx: Tx, safe: Safe, *, organization: str, email: str, now: datetime, actor: str
) -> tuple[bytes, str]:
    """A certificate signing request in PEM, for developer.apple.com, and the fingerprint it is known by.

    Apple puts the identifier and the team into the certificate itself; who asks is only told for people to
    read. Takes some 100 ms. Raises Conflict where the same person has ten that wait.
    """
    store.delete_requests(tx, made_before=now - KEPT)
    if len(store.requests(tx, actor)) >= _MOST_WAITING:
        raise Conflict(
            "too-many-requests-wait",
            f"{_MOST_WAITING} requests of yours wait for Apple's answer: bring one of those certificates",
        )
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = [x509.NameAttribute(NameOID.COMMON_NAME, organization[:64] or "Perkpass")]
    if email:
        name.append(x509.NameAttribute(NameOID.EMAIL_ADDRESS, email[:255]))
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(name)).sign(key, hashes.SHA256())
    fingerprint = hashlib.sha256(public_key_of(key)).hexdigest()
    secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = safe.seal(secret, about=_about(fingerprint))
    store.insert_request(tx, store.RequestRow(fingerprint, sealed, now, actor))
    return request.public_bytes(Encoding.PEM), fingerprint


def waiting_since(tx: Tx, *, actor: str, now: datetime) -> datetime | None:
    """When the newest request of this person was made that still waits for its certificate."""
    rows = [row for row in store.requests(tx, actor) if row.made_at > now - KEPT]
    return rows[0].made_at if rows else None


def waiting_key(tx: Tx, safe: Safe, certificate: x509.Certificate) -> list[rsa.RSAPrivateKey]:
    """The key that waits here for exactly this certificate, or none."""
    fingerprint = _fingerprint(certificate)
    row = store.request(tx, fingerprint) if fingerprint else None
    if row is None:
        return []
    key = load_der_private_key(safe.open(row.sealed_key, about=_about(row.fingerprint)), None)
    return [key] if isinstance(key, rsa.RSAPrivateKey) else []


def fulfilled(tx: Tx, certificate: x509.Certificate) -> None:
    """The certificate is stored with its key: nothing waits for it any more."""
    if fingerprint := _fingerprint(certificate):
        store.delete_request(tx, fingerprint)


def _fingerprint(certificate: x509.Certificate) -> str:
    try:
        return hashlib.sha256(public_key_of(certificate)).hexdigest()
    except (ValueError, TypeError):  # a kind of key that nobody asks Apple for
        return ""


def _about(fingerprint: str) -> str:
    return f"certificate request {fingerprint}"
