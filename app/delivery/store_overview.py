"""SQL that looks at the queue as a whole: gauges, and the end of rows that nobody needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, case, delete, func, or_, select

from app.db import Tx, among
from app.db.identifiers import DeviceId
from app.delivery.google_tables import google_notification
from app.delivery.promises import PRIORITIES, QueueSnapshot
from app.delivery.store_pending import CHANNEL, PENDING, SENDING
from app.delivery.tables import attempt, breaker, delivery, push_budget, text_message


def snapshot(tx: Tx, now: datetime) -> QueueSnapshot:
    """How deep and how late the queue of pushes is at ``now``."""
    due = delivery.c.due_at <= now
    pending = tx.execute(
        select(
            func.count().label("all"),
            func.coalesce(func.sum(case((due, 1), else_=0)), 0).label("due"),
            func.coalesce(func.sum(case(((~due) & delivery.c.held_since.is_not(None), 1), else_=0)), 0).label(
                "held"
            ),
            func.min(case((due, delivery.c.due_at)), type_=delivery.c.due_at.type).label("oldest"),
        ).where(delivery.c.state == PENDING, delivery.c.channel == CHANNEL)
    ).one()
    sending = tx.scalar(
        select(func.count()).where(delivery.c.state == SENDING, delivery.c.channel == CHANNEL)
    )
    late = (now - pending.oldest).total_seconds() if pending.oldest else 0.0
    return QueueSnapshot(
        due=int(pending.due),
        waiting=int(pending.all - pending.due - pending.held),
        held=int(pending.held),
        sending=int(sending or 0),
        oldest_due_seconds=late,
        open_breakers=tuple(tx.scalars(select(breaker.c.subject).order_by(breaker.c.subject))),
    )


def purge(tx: Tx, *, settled_before: datetime, limit: int = 500) -> int:
    """Delete the oldest settled promises with their attempts; returns how many (0: nothing is left to do).

    Looks at the ``limit`` oldest settled rows only, so that it never walks the whole table in vain.
    """
    oldest = (
        select(delivery.c.id, delivery.c.settled_at)
        .where(delivery.c.settled_at.is_not(None))
        .order_by(delivery.c.id)
        .limit(limit)
        .subquery()
    )
    ids = tx.scalars(select(oldest.c.id).where(oldest.c.settled_at < settled_before)).all()
    if ids:
        if forgotten := _forget_notifications(tx, ids, limit):
            return forgotten
        tx.execute(delete(attempt).where(attempt.c.delivery_id.in_(ids)))
        tx.execute(delete(text_message).where(text_message.c.delivery_id.in_(ids)))
        tx.execute(delete(delivery).where(delivery.c.id.in_(ids)))
    return len(ids)


def _forget_notifications(tx: Tx, ids: Sequence[int], limit: int) -> int:
    """Delete their lines, a message to a class has many; how many, where some are left, else 0."""
    line = google_notification.c
    own = line.delivery_id.in_(ids)
    after = select(line.delivery_id, line.google_object_id).where(own)
    last = tx.execute(after.order_by(line.delivery_id, line.google_object_id).offset(limit).limit(1)).first()
    if last is None:
        tx.execute(delete(google_notification).where(own))
        return 0
    same = and_(line.delivery_id == last.delivery_id, line.google_object_id < last.google_object_id)
    tx.execute(delete(google_notification).where(own, or_(line.delivery_id < last.delivery_id, same)))
    return limit


def forget_devices(tx: Tx, device_ids: Sequence[DeviceId]) -> set[DeviceId]:
    """Forget the patience of devices that no promise is left of, settled or not; returns those."""
    promised = select(delivery.c.device_id).where(among(delivery.c.device_id, device_ids)).distinct()
    forgotten = set(device_ids) - set(tx.scalars(promised))
    tx.execute(delete(push_budget).where(among(push_budget.c.device_id, sorted(forgotten))))
    return forgotten


def stuck(tx: Tx, *, lease_over_before: datetime) -> int:
    """How many promises a worker claimed whose lease was over by then, and that nobody took back."""
    statement = select(func.count()).where(
        delivery.c.state == SENDING, delivery.c.lease_until < lease_over_before
    )
    return int(tx.scalar(statement) or 0)


def clock_of_database(tx: Tx) -> datetime | None:
    """What time it is on the database's machine, aware; None where that is this machine (SQLite)."""
    if tx.dialect.name == "sqlite":
        return None
    told: datetime | None = tx.scalar(select(func.clock_timestamp()))
    return told


def oldest_due(tx: Tx, now: datetime) -> datetime | None:
    """When the push that is longest overdue was due; three looks into an index, however long the queue is."""
    firsts = [
        tx.scalar(
            select(delivery.c.due_at)
            .where(delivery.c.state == PENDING, delivery.c.priority == priority, delivery.c.due_at <= now)
            .order_by(delivery.c.due_at)
            .limit(1)
        )
        for priority in sorted(PRIORITIES.values())
    ]
    return min((first for first in firsts if first is not None), default=None)
