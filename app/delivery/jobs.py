"""Periodic work that happens once, however many workers run: a leased row per (kind, slot).

A slot is a stretch of time (the minute from 12:00, say). Who dies in the middle of a slot's work leaves a
lease that ends, and another worker does it again: work must bear being done twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from app.db import Tx
from app.delivery import store_jobs

KEPT: Final = timedelta(days=2)
"""Slots older than this are deleted; no period may be longer than half of it."""
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


def slot_of(now: datetime, every: timedelta) -> datetime:
    """The beginning of the slot that ``now`` lies in; the same on every machine."""
    return now - (now - _EPOCH) % every


def take(tx: Tx, kind: str, slot: datetime, *, owner: str, now: datetime, lease: timedelta) -> bool:
    """True where this owner is to do the work of that slot now."""
    return store_jobs.take(tx, kind, slot, owner=owner, now=now, lease_until=now + lease)


def finish(tx: Tx, kind: str, slot: datetime, *, owner: str, now: datetime) -> bool:
    """The work is done, and nobody does it again; False where the lease went to another worker meanwhile."""
    return store_jobs.finish(tx, kind, slot, owner=owner, now=now)


def forget(tx: Tx, *, now: datetime) -> None:
    """Delete the rows of slots that are over for long."""
    store_jobs.forget(tx, before=now - KEPT)


def forget_slots(tx: Tx, kind: str, *, before: datetime) -> None:
    """Delete the rows of this work's slots before then: it is done so often that they would be many."""
    store_jobs.forget(tx, before=before, kind=kind)


def last_done(tx: Tx) -> datetime | None:
    """When any worker last finished some of it, by that worker's clock; None where none ever did."""
    return store_jobs.last_done(tx)
