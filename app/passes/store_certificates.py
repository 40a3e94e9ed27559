"""SQL about certificates that lie in the database, and about keys that wait for theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update

from app.db import Tx, insert
from app.passes.tables import certificate_request, stored_certificate


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """A row of ``stored_certificate``, columns in the table's order."""

    id: int
    pass_type_identifier: str
    team_identifier: str
    organization: str
    certificate: str  # PEM
    intermediate: str  # PEM
    sealed_key: str
    fingerprint: str
    expires_at: datetime
    stored_at: datetime
    stored_by: str
    replaced_at: datetime | None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A row of ``certificate_request``, columns in the table's order."""

    fingerprint: str  # SHA-256 of the public key
    sealed_key: str
    made_at: datetime
    made_by: str


def _row(found: Row[*tuple[Any, ...]] | None) -> CertificateRow | None:
    return CertificateRow(*found) if found else None


def in_use(tx: Tx, pass_type_identifier: str) -> CertificateRow | None:
    """The one that cards of this pass type are signed with now."""
    statement = select(stored_certificate).where(
        stored_certificate.c.pass_type_identifier == pass_type_identifier,
        stored_certificate.c.replaced_at.is_(None),
    )
    return _row(tx.execute(statement).first())


def number_in_use(tx: Tx, pass_type_identifier: str) -> int | None:
    """Its number alone: who has it already need not read it again."""
    statement = select(stored_certificate.c.id).where(
        stored_certificate.c.pass_type_identifier == pass_type_identifier,
        stored_certificate.c.replaced_at.is_(None),
    )
    found: int | None = tx.execute(statement).scalar()
    return found


def replaced(tx: Tx, pass_type_identifier: str) -> CertificateRow | None:
    """The one that was in use before, if it is kept."""
    statement = (
        select(stored_certificate)
        .where(
            stored_certificate.c.pass_type_identifier == pass_type_identifier,
            stored_certificate.c.replaced_at.is_not(None),
        )
        .order_by(stored_certificate.c.replaced_at.desc(), stored_certificate.c.id.desc())
        .limit(1)
    )
    return _row(tx.execute(statement).first())


def put_out_of_use(tx: Tx, pass_type_identifier: str, *, now: datetime) -> None:
    """Replace what is in use, and forget what was in use before it: nobody keeps keys for nothing."""
    of_type = stored_certificate.c.pass_type_identifier == pass_type_identifier
    tx.execute(delete(stored_certificate).where(of_type, stored_certificate.c.replaced_at.is_not(None)))
    tx.execute(
        update(stored_certificate)
        .where(of_type, stored_certificate.c.replaced_at.is_(None))
        .values(replaced_at=now)
    )


def insert_certificate(tx: Tx, values: Mapping[str, object]) -> CertificateRow:
    """The new row, in use."""
    statement = insert(tx, stored_certificate).values(**values).returning(stored_certificate)
    return CertificateRow(*tx.execute(statement).one())


def swap(tx: Tx, *, out: int, back: int, now: datetime) -> None:
    """Put the certificate ``out`` of use, and the one before it ``back``."""
    for number, moment in ((out, now), (back, None)):
        tx.execute(
            update(stored_certificate).where(stored_certificate.c.id == number).values(replaced_at=moment)
        )


def insert_request(tx: Tx, row: RequestRow) -> None:
    """Keep a key that waits for its certificate."""
    tx.execute(
        insert(tx, certificate_request).values(
            fingerprint=row.fingerprint,
            sealed_key=row.sealed_key,
            made_at=row.made_at,
            made_by=row.made_by,
        )
    )


def request(tx: Tx, fingerprint: str) -> RequestRow | None:
    """The key that waits for the certificate of this public key."""
    found = tx.execute(
        select(certificate_request).where(certificate_request.c.fingerprint == fingerprint)
    ).first()
    return RequestRow(*found) if found else None


def requests(tx: Tx, made_by: str) -> list[RequestRow]:
    """Those that one person made, newest first."""
    statement = (
        select(certificate_request)
        .where(certificate_request.c.made_by == made_by)
        .order_by(certificate_request.c.made_at.desc())
    )
    return [RequestRow(*row) for row in tx.execute(statement)]


def delete_request(tx: Tx, fingerprint: str) -> None:
    """Its certificate came."""
    tx.execute(delete(certificate_request).where(certificate_request.c.fingerprint == fingerprint))


def delete_requests(tx: Tx, *, made_before: datetime) -> int:
    """Forget those that nobody came back for; gives how many."""
    done = tx.execute(
        delete(certificate_request)
        .where(certificate_request.c.made_at < made_before)
        .returning(certificate_request.c.fingerprint)
    )
    return len(done.all())
