"""Certificates that were uploaded: kept in the database with a sealed key, replaced without a pause.

A brand whose ``credentials`` are :data:`STORED` signs with the one of its pass type identifier; brands that
share the identifier share it. Cards in phones stay valid whichever certificate signed them, so that a new one
is used from the next card on. The one before it is kept until the next: a wrong one is taken back with one
step.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from app.accounts import audit, brands
from app.accounts.brands import Brand
from app.db import Tx
from app.db.identifiers import PassTypeIdentifier
from app.delivery import breaker
from app.errors import Conflict, Misconfigured
from app.passes import certificate_requests, certificates
from app.passes import store_certificates as store
from app.passes.apple_chain import generation
from app.passes.certificate_files import read
from app.passes.certificates import TakenCertificate
from app.passes.credentials import Credentials
from app.passes.sealing import Safe
from app.sentences import say

STORED: Final = "stored:"
"""What the ``credentials`` of a brand say whose certificate lies in the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCertificate:
    """What may be shown of one: never its key."""

    id: int
    pass_type_identifier: PassTypeIdentifier
    team_identifier: str
    organization: str
    issuer: str  # which generation of Apple's intermediate: "G4"
    fingerprint: str
    expires_at: datetime
    stored_at: datetime
    stored_by: str


def take_in(
    tx: Tx,
    safe: Safe,
    data: bytes,
    password: str | None,
    *,
    key: bytes | None = None,
    intermediate: bytes | None = None,
    now: datetime,
) -> TakenCertificate:
    """:func:`app.passes.certificates.take`, where also keys count that wait here for a .cer from Apple.

    Raises :class:`app.passes.certificate_files.CertificateRefused`.
    """
    waiting: list[RSAPrivateKey] = []
    for certificate in read(data, password).certificates:
        waiting += certificate_requests.waiting_key(tx, safe, certificate)
    return certificates.take(
        data,
        password,
        key=key,
        intermediate=intermediate,
        waiting=waiting,
        authorities=safe.authorities,
        now=now,
    )


def store_for(
    tx: Tx, safe: Safe, brand: Brand, taken: TakenCertificate, *, now: datetime, actor: str
) -> StoredCertificate:
    """Sign the brand's cards with it from now on; every process notices within some seconds.

    The brand's ``credentials`` become :data:`STORED` where they were not. Raises Conflict where the
    certificate is of another pass type identifier or team than the brand's cards.
    """
    if taken.pass_type_identifier != brand.pass_type_identifier:
        raise Conflict(
            "another-pass-type",
            f"This certificate is for {taken.pass_type_identifier}, and the cards of {brand.name} are"
            f" {brand.pass_type_identifier}: a card keeps its identifier for life, so bring the certificate"
            f" of {brand.pass_type_identifier}. A new identifier means a new brand",
        )
    if taken.team_identifier != brand.team_identifier:
        raise Conflict(
            "another-team",
            f"This certificate is of team {taken.team_identifier}, and the cards of {brand.name} say"
            f" {brand.team_identifier}: iPhones refuse cards whose team is not the certificate's",
        )
    brands.lock(tx, brand.id)
    present = store.in_use(tx, brand.pass_type_identifier)
    if present is None or present.fingerprint != taken.fingerprint:
        store.put_out_of_use(tx, brand.pass_type_identifier, now=now)
        present = store.insert_certificate(tx, _values(safe, taken, now=now, actor=actor))
        # Where pushes were stopped over the old one, the new one is tried at once.
        breaker.probe_now(tx, brand.pass_type_identifier, now=now)
        audit.record(
            tx,
            at=now,
            actor=actor,
            brand_id=brand.id,
            action="certificate.stored",
            subject=brand.pass_type_identifier,
            detail={"fingerprint": taken.fingerprint, "expires_at": taken.expires_at.isoformat()},
        )
    certificate_requests.fulfilled(tx, taken.certificate)
    if brand.credentials != STORED:
        brands.refer_to_credentials(tx, brand.id, STORED, now=now, actor=actor)
    return _shown(present)


def in_use(tx: Tx, pass_type_identifier: PassTypeIdentifier) -> StoredCertificate | None:
    """What may be shown of the one that signs now; None where none was uploaded."""
    row = store.in_use(tx, pass_type_identifier)
    return _shown(row) if row else None


def replaced(tx: Tx, pass_type_identifier: PassTypeIdentifier, *, now: datetime) -> StoredCertificate | None:
    """The one before it, if it could sign again."""
    row = store.replaced(tx, pass_type_identifier)
    return _shown(row) if row and row.expires_at > now else None


def take_back(tx: Tx, brand: Brand, *, now: datetime, actor: str) -> StoredCertificate:
    """Sign with the certificate before this one again; raises Conflict where there is none that could."""
    brands.lock(tx, brand.id)
    present = store.in_use(tx, brand.pass_type_identifier)
    before = store.replaced(tx, brand.pass_type_identifier)
    if present is None or before is None or before.expires_at <= now:
        raise Conflict(
            "nothing-before", "There is no certificate before this one that could still sign: upload it"
        )
    store.swap(tx, out=present.id, back=before.id, now=now)
    breaker.probe_now(tx, brand.pass_type_identifier, now=now)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=brand.id,
        action="certificate.taken_back",
        subject=brand.pass_type_identifier,
        detail={"fingerprint": before.fingerprint},
    )
    return _shown(before)


def number_in_use(tx: Tx, pass_type_identifier: PassTypeIdentifier) -> int | None:
    """Changes with every replacement: a cheap question for who holds the signer already."""
    return store.number_in_use(tx, pass_type_identifier)


def open_credentials(tx: Tx, safe: Safe, pass_type_identifier: PassTypeIdentifier) -> Credentials:
    """Certificate, key and intermediate, to sign with; raises Misconfigured. Not for any page."""
    row = store.in_use(tx, pass_type_identifier)
    if row is None:
        raise Misconfigured(
            say(
                "No certificate was uploaded for %(identifier)s: upload it in the console under Certificate,"
                " or let the brand's credentials name where it lies (file:DIRECTORY or env:PREFIX)",
                identifier=pass_type_identifier,
            )
        )
    # Proved sound when it was uploaded, and sealed since: to prove it again would take 30 ms each time.
    secret = safe.open(row.sealed_key, about=_about(row))
    key = load_der_private_key(secret, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured(f"{pass_type_identifier}: the stored key is not RSA: upload the certificate anew")
    return Credentials(
        certificate=x509.load_pem_x509_certificate(row.certificate.encode()),
        key=key,
        intermediate=x509.load_pem_x509_certificate(row.intermediate.encode()),
    )


def _values(safe: Safe, taken: TakenCertificate, *, now: datetime, actor: str) -> dict[str, object]:
    secret = taken.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    values: dict[str, object] = {
        "pass_type_identifier": taken.pass_type_identifier,
        "team_identifier": taken.team_identifier,
        "organization": taken.organization,
        "certificate": taken.certificate.public_bytes(Encoding.PEM).decode(),
        "intermediate": taken.intermediate.public_bytes(Encoding.PEM).decode(),
        "fingerprint": taken.fingerprint,
        "expires_at": taken.expires_at,
        "stored_at": now,
        "stored_by": actor,
    }
    about = f"certificate {taken.pass_type_identifier} {taken.fingerprint}"
    return {**values, "sealed_key": safe.seal(secret, about=about)}


def _about(row: store.CertificateRow) -> str:
    return f"certificate {row.pass_type_identifier} {row.fingerprint}"


def _shown(row: store.CertificateRow) -> StoredCertificate:
    certificate = x509.load_pem_x509_certificate(row.certificate.encode())
    return StoredCertificate(
        id=row.id,
        pass_type_identifier=PassTypeIdentifier(row.pass_type_identifier),
        team_identifier=row.team_identifier,
        organization=row.organization,
        issuer=generation(certificate),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        expires_at=row.expires_at,
        stored_at=row.stored_at,
        stored_by=row.stored_by,
    )
