"""The audit log: who changed what, and when. Written in the transaction that made the change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.accounts import store_audit as store
from app.db import Tx
from app.db.identifiers import BrandId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change."""

    id: int
    at: datetime
    actor: str
    brand_id: BrandId | None
    action: str
    subject: str
    detail: Mapping[str, object]


def record(
    tx: Tx,
    *,
    at: datetime,
    actor: str,
    brand_id: BrandId | None,
    action: str,
    subject: str,
    detail: Mapping[str, object],
) -> None:
    """Write one entry.

    ``actor`` says who ("cli:anna", "key:17"), ``action`` what in the form "thing.happened", ``subject`` to
    which one. Never put a secret, a token or a guest's phone number into ``detail``.
    """
    store.insert_entry(
        tx, at=at, actor=actor, brand_id=brand_id, action=action, subject=subject, detail=dict(detail)
    )


def entries(
    tx: Tx, *, brand_id: BrandId | None = None, before: int | None = None, limit: int = 100
) -> list[AuditEntry]:
    """The newest ``limit`` entries, newest first; of one brand, older than entry ``before`` where given."""
    return [_entry(row) for row in store.entries(tx, brand_id=brand_id, before=before, limit=limit)]


def latest(tx: Tx, action: str) -> AuditEntry | None:
    """The newest entry of this action among those of the installation (without a brand)."""
    row = store.latest(tx, action)
    return _entry(row) if row else None


def _entry(row: store.AuditRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        brand_id=BrandId(row.brand_id) if row.brand_id is not None else None,
        action=row.action,
        subject=row.subject,
        detail=row.detail,
    )
