"""SQL about the tills' calls and their first answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, tuple_, update

from app.db import Tx, insert
from app.loyalty.tables import till_call


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call that was answered."""

    fingerprint: str
    status: int
    answer: dict[str, Any]


def begin(tx: Tx, *, venue_id: int, key: str, fingerprint: str, now: datetime) -> bool:
    """Claim the key; waits for a transaction that holds it. False where it was used before."""
    claimed = tx.execute(
        insert(tx, till_call)
        .values(venue_id=venue_id, idempotency_key=key, fingerprint=fingerprint, status=0, answer={}, at=now)
        .on_conflict_do_nothing()
        .returning(till_call.c.venue_id)
    )
    return claimed.first() is not None


def answer(tx: Tx, *, venue_id: int, key: str, status: int, document: dict[str, Any]) -> None:
    """Keep the answer to the call that :func:`begin` claimed."""
    tx.execute(
        update(till_call)
        .where(till_call.c.venue_id == venue_id, till_call.c.idempotency_key == key)
        .values(status=status, answer=document)
    )


def call(tx: Tx, *, venue_id: int, key: str) -> CallRow | None:
    """The call that used this key."""
    row = tx.execute(
        select(till_call.c.fingerprint, till_call.c.status, till_call.c.answer).where(
            till_call.c.venue_id == venue_id, till_call.c.idempotency_key == key
        )
    ).first()
    return CallRow(*row) if row else None


def purge(tx: Tx, *, before: datetime, limit: int) -> int:
    """Forget the oldest calls; returns how many."""
    identity = (till_call.c.venue_id, till_call.c.idempotency_key)
    old = select(*identity).where(till_call.c.at < before).order_by(till_call.c.at).limit(limit)
    return tx.execute(delete(till_call).where(tuple_(*identity).in_(old))).rowcount
