"""SQL of the pace of logins: one row each, locked by whoever takes departures."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from app.db import Tx, insert
from app.delivery.pace import Pace
from app.delivery.tables import login_pace


def free_at(tx: Tx, login: str, *, now: datetime) -> datetime | None:
    """When the next text of a login is free to leave; its row is locked until the transaction ends."""
    asked = select(login_pace.c.free_at).where(login_pace.c.login == login).with_for_update()
    found: datetime | None = tx.scalar(asked)
    if found is None:
        tx.execute(insert(tx, login_pace).values(login=login, free_at=now).on_conflict_do_nothing())
        found = tx.scalar(asked)
    return found


def depart(tx: Tx, login: str, pace: Pace, count: int, *, now: datetime) -> list[datetime]:
    """Take ``count`` departures of a login; the row is this transaction's, see :func:`free_at`."""
    departures, free = pace.take(free_at(tx, login, now=now), count, now=now)
    if departures:
        tx.execute(update(login_pace).where(login_pace.c.login == login).values(free_at=free))
    return departures
