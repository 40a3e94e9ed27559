"""SQL of Google's changes on their way: claimed, ended, rescued, counted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, case, func, literal, select, text, update

from app.db import Tx, UtcDateTime, among
from app.db.identifiers import BrandId, DeliveryId, GoogleBroadcastId, GoogleObjectId
from app.delivery import store_attempts
from app.delivery.google_promises import (
    GOOGLE_PRIORITIES,
    ClaimedGoogle,
    GoogleKind,
    GoogleOutcome,
    GoogleQueue,
)
from app.delivery.promises import State
from app.delivery.store_attempts import taking
from app.delivery.store_google_pending import CHANNEL, column_of
from app.delivery.store_pending import PENDING, SENDING, over
from app.delivery.tables import delivery

_BY_INDEX: Final = text("SET LOCAL enable_sort TO off")
"""What the planner knows of a queue is from when it was empty: it would read and sort all that is pending."""
_CLAIMED: Final = (
    delivery.c.id,
    delivery.c.brand_id,
    delivery.c.kind,
    delivery.c.google_object_id.label("object_id"),
    delivery.c.google_class_id.label("class_id"),
    delivery.c.google_broadcast_id.label("broadcast_id"),
    delivery.c.attempts,
    delivery.c.due_at,
)
_TOLD: Final = tuple(delivery.c[name] for name in ("kind", "state", "reason", "created_at", "settled_at"))
_VERDICTS: Final = {"next": "retry"}


def brands_due(tx: Tx, brands: Collection[BrandId], *, now: datetime) -> list[BrandId]:
    """Which of these have a change that is due; asks the index once for each urgency of each."""
    return [
        brand
        for brand in sorted(brands)
        if any(
            tx.execute(_any_due(priority), {"brand": brand, "now": now}).first() is not None
            for priority in GOOGLE_PRIORITIES.values()
        )
    ]


@cache
def _any_due(priority: int) -> Any:
    return select(literal(1)).where(*_is_due(priority)).limit(1)


def _is_due(priority: int) -> tuple[Any, ...]:
    return (
        delivery.c.state == PENDING,
        delivery.c.brand_id == bindparam("brand"),
        delivery.c.priority == literal(priority, literal_execute=True),
        delivery.c.due_at <= bindparam("now", type_=UtcDateTime()),
    )


def claim(
    tx: Tx,
    *,
    owner: str,
    brands: Sequence[BrandId],
    now: datetime,
    lease: timedelta,
    limit: int,
    kinds: Iterable[GoogleKind] = tuple(GOOGLE_PRIORITIES),
) -> list[ClaimedGoogle]:
    """Take up to ``limit`` due changes, the most urgent first; rows of others are passed over.

    So is an object whose last change has no answer yet: writes of one object go one after the other. Of what
    is as urgent each of ``brands`` gets its share, and what one does not need goes to the others.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(_BY_INDEX)
    rows: list[Any] = []
    for kind in sorted(kinds, key=lambda kind: GOOGLE_PRIORITIES[kind]):
        if most := limit - len(rows):
            asked = {"now": now, "most": most}
            found = [
                turn
                for brand in brands
                for turn in enumerate(tx.execute(_due(kind), asked | {"brand": brand}))
            ]
            rows += [row for _, row in sorted(found, key=lambda turn: (turn[0], turn[1].due_at))[:most]]
    if rows:
        tx.execute(taking(), {"ids": [row.id for row in rows], "by": owner, "until": now + lease})
    return [claimed(row, row.attempts + 1) for row in rows]


@cache
def _due(kind: GoogleKind) -> Any:
    """Due rows of one urgency: one range of ``ix_delivery_due_google``."""
    column = column_of(kind)
    on_its_way = delivery.alias("on_its_way")
    # With OFFSET it is asked for each object by index, as in the claim of pushes.
    busy = select(literal(1)).where(
        on_its_way.c[column] == delivery.c[column],
        on_its_way.c[column].is_not(None),
        on_its_way.c.state == SENDING,
    )
    return (
        select(*_CLAIMED)
        .where(*_is_due(GOOGLE_PRIORITIES[kind]), ~busy.offset(0).exists())
        .order_by(delivery.c.due_at)
        .limit(bindparam("most"))
        .with_for_update(of=delivery, skip_locked=True)
    )


def claimed(row: Any, attempts: int) -> ClaimedGoogle:
    """A row of the columns of a claim."""
    return ClaimedGoogle(**(dict(row._mapping) | {"attempts": attempts}))


def lost(tx: Tx, *, now: datetime, limit: int) -> list[ClaimedGoogle]:
    """Changes that somebody holds whose lease is over, locked."""
    rows = tx.execute(
        select(*_CLAIMED)
        .where(delivery.c.state == SENDING, delivery.c.lease_until < now, delivery.c.channel == CHANNEL)
        .order_by(delivery.c.lease_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return [claimed(row, row.attempts) for row in rows]


def finish(tx: Tx, outcomes: Sequence[GoogleOutcome], *, now: datetime) -> None:
    """Write the answers beside the open attempts."""
    rows = [
        {
            "row": one.claimed.id,
            "status": one.status,
            "reason": one.reason[:200],
            "verdict": _VERDICTS.get(one.verdict, one.verdict),
            "provider_id": None,
        }
        for one in outcomes
    ]
    store_attempts.finish(tx, rows, now=now)


def end(tx: Tx, ids: Collection[DeliveryId], state: State, reason: str | None, *, now: datetime) -> None:
    """End locked rows."""
    tx.execute(update(delivery).where(among(delivery.c.id, sorted(ids))).values(**over(state, reason, now)))


def queue(tx: Tx, brand: BrandId, *, now: datetime) -> GoogleQueue:
    """How deep and how late the changes of a brand are."""
    due = delivery.c.due_at <= now
    row = tx.execute(
        select(
            func.count().label("everything"),
            func.coalesce(func.sum(case((due, 1), else_=0)), 0).label("due"),
            func.min(case((due, delivery.c.due_at)), type_=delivery.c.due_at.type).label("oldest"),
        ).where(delivery.c.state == PENDING, delivery.c.brand_id == brand)
    ).one()
    sending = tx.scalar(select(func.count()).where(delivery.c.state == SENDING, delivery.c.brand_id == brand))
    return GoogleQueue(
        brand_id=brand,
        due=int(row.due),
        waiting=int(row.everything - row.due),
        sending=int(sending or 0),
        oldest_due_seconds=(now - row.oldest).total_seconds() if row.oldest else 0.0,
    )


def newest(tx: Tx, object_ids: Sequence[GoogleObjectId]) -> list[Any]:
    """The promise with the highest number of each object: object, kind, state, reason, times."""
    own = delivery.c.google_object_id
    last = select(func.max(delivery.c.id)).where(among(own, object_ids), own.is_not(None)).group_by(own)
    return list(tx.execute(select(own, *_TOLD).where(delivery.c.id.in_(last)).order_by(own)))


def broadcasts_under_way(tx: Tx) -> dict[GoogleBroadcastId, DeliveryId]:
    """Messages to classes that are not settled, with their promises."""
    about = delivery.c.google_broadcast_id
    # Each state has an index of its own, of the few rows that are in it.
    rows = [
        row
        for state in (PENDING, SENDING)
        for row in tx.execute(
            select(about, delivery.c.id).where(about.is_not(None), delivery.c.state == state)
        )
    ]
    return {GoogleBroadcastId(row[0]): DeliveryId(row[1]) for row in rows}


def of_broadcast(tx: Tx, broadcast_id: GoogleBroadcastId) -> list[Any]:
    """The promises of a message to a class, the newest first."""
    own = delivery.c.google_broadcast_id
    asked = select(*_TOLD).where(own == broadcast_id, own.is_not(None))
    return list(tx.execute(asked.order_by(delivery.c.id.desc())))
