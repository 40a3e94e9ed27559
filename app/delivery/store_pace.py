"""SQL of paces: one row to a subject ("sms:LOGIN", "google:ISSUER"), locked by whoever takes departures."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from app.db import Tx, insert
from app.delivery.pace import Pace
from app.delivery.tables import sending_pace


def free_at(tx: Tx, subject: str, *, now: datetime) -> datetime | None:
    """When the next thing of a subject is free to leave; its row is locked until the transaction ends."""
    asked = select(sending_pace.c.free_at).where(sending_pace.c.subject == subject).with_for_update()
    found: datetime | None = tx.scalar(asked)
    if found is None:
        tx.execute(insert(tx, sending_pace).values(subject=subject, free_at=now).on_conflict_do_nothing())
        found = tx.scalar(asked)
    return found


def depart(tx: Tx, subject: str, pace: Pace, count: int, *, now: datetime) -> list[datetime]:
    """Take ``count`` departures of a subject; the row is this transaction's, see :func:`free_at`."""
    departures, free = pace.take(free_at(tx, subject, now=now), count, now=now)
    if departures:
        tx.execute(update(sending_pace).where(sending_pace.c.subject == subject).values(free_at=free))
    return departures
