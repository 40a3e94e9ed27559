"""SQL of ``pending``: how a promise joins its device's one pending row, and how a claimed one returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Final

from sqlalchemy import Integer, Text, bindparam, case, literal, select, text, true, update

from app.db import Id, Tx, Types, UtcDateTime, among, given_later, packed
from app.db.identifiers import DeliveryId, DeviceId, PassTypeIdentifier
from app.db.upsert import insert_in
from app.delivery.promises import PRIORITIES, Claimed, Kind, State
from app.delivery.store_returning import give_back, raced
from app.delivery.tables import delivery

CHANNEL: Final = "apple"
PENDING: Final = literal("pending", literal_execute=True)  # spelt out in the SQL, for the partial indexes
SENDING: Final = literal("sending", literal_execute=True)
_PROMISE: Final[Types] = {
    "device_id": Id,
    "pass_type_identifier": Text(),
    "kind": Text(),
    "priority": Integer(),
    "due_at": UtcDateTime(),
}


@dataclass(frozen=True, slots=True)
class Promise:
    """A push that a device shall get."""

    device_id: DeviceId
    pass_type_identifier: PassTypeIdentifier
    kind: Kind
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Again:
    """A claimed promise that goes back."""

    claimed: Claimed
    due_at: datetime
    reason: str | None
    attempts: int  # those that count
    not_before: datetime | None = None  # the provider asked for it: holds for any push of the device


def over(state: State, reason: str | None, now: datetime) -> dict[str, Any]:
    """The columns of a promise that is settled."""
    return {"state": state, "reason": reason, "settled_at": now, "owner": None, "lease_until": None}


def join(tx: Tx, promises: Sequence[Promise], *, now: datetime) -> None:
    """Insert pending rows, at most one for each device; the one that is there takes the more urgent of both.

    Devices are taken in order, so that two transactions that promise to the same devices cannot wait for each
    other in a circle: call it once in a transaction, with all promises.
    """
    most_urgent: dict[DeviceId, Promise] = {}
    for promise in promises:
        known = most_urgent.get(promise.device_id)
        if known is None or PRIORITIES[promise.kind] < PRIORITIES[known.kind]:
            most_urgent[promise.device_id] = promise
    rows = [
        {
            "device_id": promise.device_id,
            "pass_type_identifier": promise.pass_type_identifier,
            "kind": promise.kind,
            "priority": PRIORITIES[promise.kind],
            "due_at": promise.due_at,
        }
        for promise in sorted(most_urgent.values(), key=lambda promise: promise.device_id)
    ]
    tx.execute(_joining(tx.dialect.name), {"rows": packed(tx.dialect, rows, _PROMISE), "now": now})


@cache
def _joining(dialect: str) -> Any:
    """The statement of :func:`join`, built once: that takes longer than SQLite takes to execute it."""
    new_rows = given_later(dialect, bindparam("rows", type_=Text()), _PROMISE)
    constants = {
        "channel": literal(CHANNEL),
        "state": literal("pending"),
        "created_at": bindparam("now", type_=delivery.c.created_at.type),
        "attempts": literal(0),
    }
    statement = insert_in(dialect, delivery).from_select(
        [*_PROMISE, *constants],
        select(*new_rows.c, *constants.values()).where(true()).order_by(new_rows.c.device_id),
    )
    new = statement.excluded
    first = case((new.due_at < delivery.c.due_at, new.due_at), else_=delivery.c.due_at)
    waits_out_a_retry = delivery.c.reason.is_not(None) & delivery.c.held_since.is_(None)
    higher = new.priority < delivery.c.priority
    return statement.on_conflict_do_update(
        index_elements=["device_id"],
        index_where=text("state = 'pending'"),
        set_={
            # Who waits out a retry goes on waiting: the provider asked for it.
            "due_at": case((waits_out_a_retry, delivery.c.due_at), else_=first),
            "priority": case((higher, new.priority), else_=delivery.c.priority),
            "kind": case((higher, new.kind), else_=delivery.c.kind),
        },
    )


def go_back(tx: Tx, again: Sequence[Again], *, now: datetime) -> dict[DeliveryId, State]:
    """Return locked ``sending`` rows to ``pending``, or to ``superseded`` where the device has a newer one.

    The newer row takes over the urgency of the one it supersedes, so that nothing a guest waits for becomes
    a silent refresh, and the wait that the provider asked for.
    """
    if not again:
        return {}
    ordered = sorted(again, key=lambda one: one.claimed.device_id)
    return raced(tx, partial(_go_back, tx, ordered, now))


def _go_back(tx: Tx, again: Sequence[Again], now: datetime) -> dict[DeliveryId, State]:
    newer = set(
        tx.scalars(
            select(delivery.c.device_id).where(
                delivery.c.state == PENDING,
                among(delivery.c.device_id, [one.claimed.device_id for one in again]),
            )
        )
    )
    superseded = [one for one in again if one.claimed.device_id in newer]
    back = [one for one in again if one.claimed.device_id not in newer]
    if superseded:
        tx.execute(
            update(delivery)
            .where(among(delivery.c.id, [one.claimed.id for one in superseded]))
            .values(**over("superseded", "NewerPending", now))
        )
        join(
            tx,
            [
                Promise(one.claimed.device_id, one.claimed.pass_type_identifier, one.claimed.kind, one.due_at)
                for one in superseded
            ],
            now=now,
        )
        asked = [
            {"device": one.claimed.device_id, "until": one.not_before, "why": one.reason}
            for one in superseded
            if one.not_before
        ]
        if asked:  # where the budget held the row back as well: that is looked at again when it is due
            tx.execute(
                update(delivery)
                .where(delivery.c.device_id == bindparam("device"), delivery.c.state == PENDING)
                .values(due_at=bindparam("until"), reason=bindparam("why"), held_since=None),
                asked,
            )
    give_back(tx, back)
    reached: dict[DeliveryId, State] = {one.claimed.id: "superseded" for one in superseded}
    reached.update({one.claimed.id: "pending" for one in back})
    return reached
