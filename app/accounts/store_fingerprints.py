"""SQL about the fingerprints of our keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from app.accounts.tables import key_fingerprint
from app.db import Tx, insert


def fingerprints(tx: Tx) -> dict[str, str]:
    """Fingerprint by the name of the key."""
    chosen = select(key_fingerprint.c.name, key_fingerprint.c.fingerprint)
    return {row.name: row.fingerprint for row in tx.execute(chosen)}


def add_fingerprint(tx: Tx, *, name: str, fingerprint: str, created_at: datetime) -> None:
    """Append one row; the row that is there already stays as it is."""
    tx.execute(
        insert(tx, key_fingerprint)
        .values(name=name, fingerprint=fingerprint, created_at=created_at)
        .on_conflict_do_nothing(index_elements=["name"])
    )
