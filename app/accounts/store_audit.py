"""SQL about the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from app.accounts.tables import audit_entry
from app.db import Tx


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of ``audit_entry``, columns in the table's order."""

    id: int
    at: datetime
    actor: str
    brand_id: int | None
    action: str
    subject: str
    detail: dict[str, Any]


def insert_entry(
    tx: Tx,
    *,
    at: datetime,
    actor: str,
    brand_id: int | None,
    action: str,
    subject: str,
    detail: dict[str, Any],
) -> None:
    """Append one row."""
    tx.execute(
        insert(audit_entry).values(
            at=at, actor=actor, brand_id=brand_id, action=action, subject=subject, detail=detail
        )
    )


def entries(tx: Tx, *, brand_id: int | None, before: int | None, limit: int) -> list[AuditRow]:
    """Newest first."""
    statement = select(audit_entry).order_by(audit_entry.c.id.desc()).limit(limit)
    if brand_id is not None:
        statement = statement.where(audit_entry.c.brand_id == brand_id)
    if before is not None:
        statement = statement.where(audit_entry.c.id < before)
    return [AuditRow(*row) for row in tx.execute(statement)]


def latest(tx: Tx, action: str) -> AuditRow | None:
    """The newest of this action that concerns no brand: those are few, and found by the index."""
    statement = (
        select(audit_entry)
        .where(audit_entry.c.brand_id.is_(None), audit_entry.c.action == action)
        .order_by(audit_entry.c.at.desc())
        .limit(1)
    )
    found = tx.execute(statement).first()
    return AuditRow(*found) if found else None
