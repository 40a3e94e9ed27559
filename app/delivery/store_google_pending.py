"""SQL of Google's ``pending`` rows: how a promise joins its object's one, and how a claimed one returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Final, Literal

from sqlalchemy import Integer, Text, bindparam, case, literal, select, text, true, update

from app.db import Id, Tx, Types, UtcDateTime, among, given_later, packed
from app.db.identifiers import DeliveryId
from app.db.upsert import insert_in
from app.delivery.google_promises import GOOGLE_PRIORITIES, ClaimedGoogle, GoogleKind, GooglePromise
from app.delivery.promises import State
from app.delivery.store_pending import PENDING, over
from app.delivery.store_returning import give_back, raced
from app.delivery.tables import delivery

CHANNEL: Final = "google"
Column = Literal["google_object_id", "google_class_id", "google_broadcast_id"]
_COLUMNS: Final[tuple[Column, ...]] = ("google_class_id", "google_broadcast_id", "google_object_id")
_PROMISE: Final[Types] = {
    "brand_id": Id,
    "target": Id,
    "kind": Text(),
    "priority": Integer(),
    "due_at": UtcDateTime(),
}


@dataclass(frozen=True, slots=True)
class Back:
    """A claimed promise that goes back."""

    claimed: ClaimedGoogle
    due_at: datetime
    reason: str
    attempts: int  # those that count
    not_before: datetime | None = None  # holds for any change of the object


def column_of(kind: GoogleKind) -> Column:
    """Which column names what a promise of this kind is about."""
    if kind == "broadcast":
        return "google_broadcast_id"
    return "google_class_id" if kind == "class" else "google_object_id"


def join(tx: Tx, promises: Sequence[GooglePromise], *, now: datetime) -> None:
    """Insert pending rows, at most one for each object and class; one that is there takes the more urgent.

    In order of rows, classes first: two transactions that promise to the same objects cannot wait for each
    other in a circle. Call it once in a transaction, with all promises.
    """
    most_urgent: dict[tuple[Column, int], GooglePromise] = {}
    for promise in promises:
        key = (column_of(promise.kind), int(promise.target))
        known = most_urgent.get(key)
        if known is None or GOOGLE_PRIORITIES[promise.kind] < GOOGLE_PRIORITIES[known.kind]:
            most_urgent[key] = promise
    for column in _COLUMNS:
        rows = [
            {
                "brand_id": promise.brand_id,
                "target": promise.target,
                "kind": promise.kind,
                "priority": GOOGLE_PRIORITIES[promise.kind],
                "due_at": promise.due_at,
            }
            for (own, _), promise in sorted(most_urgent.items(), key=lambda item: item[0])
            if own == column
        ]
        if rows:
            given_rows = packed(tx.dialect, rows, _PROMISE)
            tx.execute(_joining(tx.dialect.name, column), {"rows": given_rows, "now": now})


@cache
def _joining(dialect: str, column: Column) -> Any:
    """The statement of :func:`join`, built once: that takes longer than SQLite takes to execute it."""
    new_rows = given_later(dialect, bindparam("rows", type_=Text()), _PROMISE)
    constants = {
        "channel": literal(CHANNEL),
        "state": literal("pending"),
        "created_at": bindparam("now", type_=delivery.c.created_at.type),
        "attempts": literal(0),
    }
    names = [column if name == "target" else name for name in _PROMISE]
    statement = insert_in(dialect, delivery).from_select(
        [*names, *constants],
        select(*new_rows.c, *constants.values()).where(true()).order_by(new_rows.c.target),
    )
    new = statement.excluded
    sooner = case((new.due_at < delivery.c.due_at, new.due_at), else_=delivery.c.due_at)
    higher = new.priority < delivery.c.priority
    return statement.on_conflict_do_update(
        index_elements=[column],
        index_where=text(f"state = 'pending' AND {column} IS NOT NULL"),
        set_={
            # Who waits out a retry goes on waiting: Google asked for it, or there is a doubt to be settled.
            "due_at": case((delivery.c.reason.is_not(None), delivery.c.due_at), else_=sooner),
            "priority": case((higher, new.priority), else_=delivery.c.priority),
            "kind": case((higher, new.kind), else_=delivery.c.kind),
        },
    )


def go_back(tx: Tx, back: Sequence[Back], *, now: datetime) -> dict[DeliveryId, State]:
    """Return locked ``sending`` rows to ``pending``, or to ``superseded`` where there is a newer one.

    The newer row takes over the urgency of the one it supersedes, and its wait.
    """
    reached: dict[DeliveryId, State] = {}
    for column in _COLUMNS:
        own = [one for one in back if column_of(one.claimed.kind) == column]
        if own:
            reached |= raced(tx, partial(_go_back, tx, column, own, now))
    return reached


def _target(one: Back) -> int:
    return int(one.claimed.class_id or one.claimed.object_id or one.claimed.broadcast_id or 0)


def _go_back(tx: Tx, column: Column, back: Sequence[Back], now: datetime) -> Mapping[DeliveryId, State]:
    about = delivery.c[column]
    newer = set(
        tx.scalars(
            select(about).where(
                delivery.c.state == PENDING, among(about, sorted(_target(one) for one in back))
            )
        )
    )
    superseded = [one for one in back if _target(one) in newer]
    returned = [one for one in back if _target(one) not in newer]
    if superseded:
        ids = [one.claimed.id for one in superseded]
        ending = over("superseded", "NewerPending", now)
        tx.execute(update(delivery).where(among(delivery.c.id, ids)).values(**ending))
        join(tx, [_as_promise(one) for one in superseded], now=now)
        asked = [
            {"about": _target(one), "until": one.not_before, "why": one.reason}
            for one in superseded
            if one.not_before
        ]
        if asked:
            tx.execute(
                update(delivery)
                .where(about == bindparam("about"), delivery.c.state == PENDING)
                .values(due_at=bindparam("until"), reason=bindparam("why")),
                asked,
            )
    give_back(tx, returned)
    reached: dict[DeliveryId, State] = {one.claimed.id: "superseded" for one in superseded}
    return reached | {one.claimed.id: "pending" for one in returned}


def _as_promise(one: Back) -> GooglePromise:
    claimed = one.claimed
    target = claimed.class_id or claimed.object_id or claimed.broadcast_id
    if target is None:  # the table's CHECK refuses such a row
        raise ValueError("a promise about nothing")
    return GooglePromise(brand_id=claimed.brand_id, target=target, kind=claimed.kind, due_at=one.due_at)
