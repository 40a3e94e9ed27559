"""SQL of breakers: which are open, and who may probe one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from app.db import Tx, insert
from app.delivery.tables import breaker


@dataclass(frozen=True, slots=True)
class Breaker:
    """An open breaker; a closed one has no row."""

    subject: str  # "apple:pass.example.cafe"
    opened_at: datetime
    probe_at: datetime
    reason: str


def all_open(tx: Tx) -> list[Breaker]:
    """Every open breaker, by subject."""
    return [Breaker(*row) for row in tx.execute(select(breaker).order_by(breaker.c.subject))]


def add(tx: Tx, row: Breaker) -> bool:
    """True where the breaker was closed until now."""
    statement = insert(tx, breaker).values(
        subject=row.subject, opened_at=row.opened_at, probe_at=row.probe_at, reason=row.reason
    )
    added = tx.execute(statement.on_conflict_do_nothing().returning(breaker.c.subject)).first()
    return added is not None


def postpone(tx: Tx, subject: str, *, now: datetime, probe_at: datetime) -> bool:
    """True where a probe was due and is this transaction's; the next one is due at ``probe_at``."""
    taken = tx.execute(
        update(breaker)
        .where(breaker.c.subject == subject, breaker.c.probe_at <= now)
        .values(probe_at=probe_at)
        .returning(breaker.c.subject)
    ).first()
    return taken is not None


def hasten(tx: Tx, subject: str, *, probe_at: datetime) -> None:
    """A probe is due by ``probe_at``, where the breaker is open."""
    tx.execute(
        update(breaker)
        .where(breaker.c.subject == subject, breaker.c.probe_at > probe_at)
        .values(probe_at=probe_at)
    )


def remove(tx: Tx, subject: str) -> bool:
    """True where the breaker was open."""
    return (
        tx.execute(delete(breaker).where(breaker.c.subject == subject).returning(breaker.c.subject)).first()
        is not None
    )
