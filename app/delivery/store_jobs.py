"""SQL of periodic work: one row per (kind, slot)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, or_, select, update

from app.db import Tx, insert
from app.delivery.tables import job


def take(tx: Tx, kind: str, slot: datetime, *, owner: str, now: datetime, lease_until: datetime) -> bool:
    """True where the slot is the owner's now: nobody had it, or who had it is dead."""
    statement = insert(tx, job).values(kind=kind, slot=slot, owner=owner, lease_until=lease_until)
    taken = statement.on_conflict_do_update(
        index_elements=["kind", "slot"],
        set_={"owner": owner, "lease_until": lease_until},
        where=job.c.done_at.is_(None) & or_(job.c.lease_until.is_(None), job.c.lease_until < now),
    ).returning(job.c.kind)
    return tx.execute(taken).first() is not None


def finish(tx: Tx, kind: str, slot: datetime, *, owner: str, now: datetime) -> bool:
    """True where the owner still had the slot."""
    done = tx.execute(
        update(job)
        .where(job.c.kind == kind, job.c.slot == slot, job.c.owner == owner)
        .values(done_at=now, owner=None, lease_until=None)
        .returning(job.c.kind)
    )
    return done.first() is not None


def forget(tx: Tx, *, before: datetime, kind: str | None = None) -> None:
    """Delete slots of long ago, of any work or of this ``kind``."""
    old = delete(job).where(job.c.slot < before)
    tx.execute(old if kind is None else old.where(job.c.kind == kind))


def last_done(tx: Tx) -> datetime | None:
    """The newest end of any slot; a few thousand rows are kept at most."""
    found: datetime | None = tx.scalar(select(func.max(job.c.done_at, type_=job.c.done_at.type)))
    return found
