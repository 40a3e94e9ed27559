"""The delivery table as a queue: promises in, claims with leases, outcomes in, leases of the dead taken back.

Verbs take the open transaction and never commit. Nothing is lost between them: a promise is a row written in
the transaction that caused it, a claim ends by itself, and who lost its lease settles nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from random import random
from typing import Any

from sqlalchemy import Select, literal, select, text, update
from sqlalchemy import insert as plain_insert

from app.db import Id, Tx, Types, UtcDateTime, among, given
from app.db.identifiers import DeliveryId, DeviceId, PassTypeIdentifier
from app.delivery import budget, retry, store_attempts
from app.delivery.budget import Patience, Policy
from app.delivery.promises import PRIORITIES, Claim, Claimed, Kind, Outcome, State, Unsent
from app.delivery.store_outcomes import charge, end, finish_attempts
from app.delivery.store_overview import forget_devices, purge, snapshot
from app.delivery.store_pending import CHANNEL, PENDING, SENDING, Again, Promise, go_back, join, over
from app.delivery.tables import attempt, delivery, push_budget

__all__ = [
    "Promise",
    "begin_attempts",
    "claim",
    "enqueue_pushes",
    "forget_devices",
    "promise",
    "purge",
    "release",
    "rescue",
    "settle",
    "settle_unsent",
    "snapshot",
]

_CLAIMED = (
    delivery.c.id,
    delivery.c.device_id,
    delivery.c.pass_type_identifier,
    delivery.c.kind,
    delivery.c.attempts,
    delivery.c.due_at,
)
_HELD: Types = {"row": Id, "until": UtcDateTime(), "since": UtcDateTime()}
_BY_INDEX = text("SET LOCAL enable_sort TO off")
"""What the planner knows of a queue is from when it was empty: it would read and sort all that is pending."""
_PATIENCE = (push_budget.c.score, push_budget.c.last_push_at, push_budget.c.passes)


def enqueue_pushes(
    tx: Tx,
    device_ids: Sequence[DeviceId],
    *,
    pass_type_identifier: PassTypeIdentifier,
    kind: Kind,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """Promise one push to each device, due now or at ``due_at``.

    A device that has a pending push already gets no second one: the row takes the earlier due time and the
    higher priority (only a row that waits out a retry keeps its time). What the phone's patience allows is
    decided when the row is claimed. Call it once in a transaction, with all the devices; where they are of
    several pass types or the pushes of several kinds, call :func:`promise`.
    """
    due = due_at or now
    promise(tx, [Promise(one, pass_type_identifier, kind, due) for one in device_ids], now=now)


def promise(tx: Tx, promises: Sequence[Promise], *, now: datetime) -> None:
    """The same for any promises; of several to one device the most urgent counts."""
    if promises:
        join(tx, promises, now=now)


def claim(
    tx: Tx,
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    policy: Policy,
    limit: int = 500,
    blocked: Collection[PassTypeIdentifier] = (),
    only: PassTypeIdentifier | None = None,
) -> Claim:
    """Take up to ``limit`` due promises for ``owner`` until ``now + lease``; the most urgent kind first.

    Rows that another transaction holds are passed over (``SKIP LOCKED``; SQLite has one writer), so is a
    device whose last push has no answer yet: the answer decides when the next may leave. Rows that the
    phone's budget or the coalescing time holds back are put to their time instead. ``blocked`` pass types
    (an open breaker) are left alone; ``only`` narrows to one (its probe), where phones that took a push
    before come first: nobody can make those up.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(_BY_INDEX)
    rows: list[Any] = []
    for priority in sorted(PRIORITIES.values()):
        if len(rows) < limit:
            rows += tx.execute(_due(priority, now, blocked, only).limit(limit - len(rows))).all()
    taken, held = [], []
    for row in rows:
        patience = None if row.score is None else Patience(row.score, row.last_push_at, row.passes)
        when, by_budget = budget.earliest_push(patience, row.kind, policy, now)
        if when <= now:
            taken.append(_claimed(row, row.attempts + 1, patience))
        else:
            since = (row.held_since or now) if by_budget else None
            held.append({"row": row.id, "until": when, "since": since})
    if held:
        waits = given(tx, held, _HELD)
        tx.execute(
            update(delivery)
            .where(delivery.c.id == waits.c.row)
            .values(due_at=waits.c.until, held_since=waits.c.since)
        )
    if taken:
        tx.execute(
            update(delivery)
            .where(among(delivery.c.id, [one.id for one in taken]))
            .values(
                state="sending",
                owner=owner,
                lease_until=now + lease,
                held_since=None,
                attempts=delivery.c.attempts + 1,
            )
        )
    return Claim(tuple(taken), len(held))


def begin_attempts(tx: Tx, claimed: Sequence[Claimed], *, now: datetime) -> None:
    """Record that these are about to be tried: written before the call, so that a crash leaves a trace."""
    if claimed:
        source = select(delivery.c.id, delivery.c.attempts, literal(now, attempt.c.started_at.type)).where(
            among(delivery.c.id, [one.id for one in claimed])
        )
        tx.execute(plain_insert(attempt).from_select(["delivery_id", "number", "started_at"], source))


def settle_unsent(tx: Tx, owner: str, unsent: Sequence[Unsent], *, now: datetime) -> None:
    """End promises that have nobody to be sent to; no attempt was made at them."""
    for state, reason in {(one.state, one.reason) for one in unsent}:
        ids = [one.claimed.id for one in unsent if (one.state, one.reason) == (state, reason)]
        tx.execute(end(owner, ids, state, reason, now).values(attempts=delivery.c.attempts - 1))


def settle(tx: Tx, owner: str, outcomes: Sequence[Outcome], *, now: datetime) -> dict[DeliveryId, State]:
    """Write what came of attempts, in one go; returns the state that each promise reached.

    Only rows that ``owner`` still holds are touched: who lost its lease changes nothing, and its rows are not
    in the answer. An accepted push is charged to the phone's budget. What is to be tried again goes back to
    ``pending`` after :func:`app.delivery.retry.delay`; to ``superseded`` where a newer pending row for the
    device says the same; to ``exhausted`` where there were attempts enough.
    """
    mine = store_attempts.held(tx, owner, [outcome.claimed for outcome in outcomes])
    outcomes = [outcome for outcome in outcomes if outcome.claimed.id in mine]
    if not outcomes:
        return {}
    finish_attempts(tx, outcomes, now)
    charge(tx, [outcome for outcome in outcomes if outcome.verdict == "accepted"], now)
    reached: dict[DeliveryId, State] = {}
    again: list[Again] = []
    for outcome in outcomes:
        one = outcome.claimed
        if outcome.verdict in ("accepted", "gone", "refused"):
            reached[one.id] = outcome.verdict
            continue
        attempts = one.attempts if outcome.counts else one.attempts - 1
        wait = retry.delay(attempts, retry_after=outcome.retry_after, chance=random())  # noqa: S311
        if wait is None:
            reached[one.id] = "exhausted"
        else:
            asked = outcome.retry_after if outcome.counts else None
            not_before = now + min(asked, retry.LONGEST_RETRY_AFTER) if asked else None
            why = outcome.reason or outcome.verdict
            again.append(Again(one, now + wait, why, attempts, not_before))
    ends: dict[tuple[State, str | None], list[DeliveryId]] = {}
    for outcome in outcomes:
        if state := reached.get(outcome.claimed.id):
            ends.setdefault((state, outcome.reason), []).append(outcome.claimed.id)
    for (state, reason), ids in ends.items():
        tx.execute(end(owner, ids, state, reason, now))
    return reached | go_back(tx, again, now=now)


def release(
    tx: Tx, owner: str, claimed: Sequence[Claimed], *, reason: str, due_at: datetime, now: datetime
) -> None:
    """Give claimed promises back untried, due at ``due_at``."""
    mine = store_attempts.held(tx, owner, claimed)
    back = [Again(one, due_at, reason, one.attempts - 1) for one in claimed if one.id in mine]
    go_back(tx, back, now=now)


def rescue(tx: Tx, *, now: datetime, limit: int = 500) -> int:
    """Take back what was claimed by someone whose lease is over; returns how many rows.

    Their attempts end as ``lost``. A row whose attempts are used up is ``exhausted``: what kills its worker
    every time must not be claimed for ever.
    """
    rows = tx.execute(
        select(*_CLAIMED)
        .where(delivery.c.state == SENDING, delivery.c.lease_until < now, delivery.c.channel == CHANNEL)
        .order_by(delivery.c.lease_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return 0
    tx.execute(
        update(attempt)
        .where(among(attempt.c.delivery_id, [row.id for row in rows]), attempt.c.finished_at.is_(None))
        .values(finished_at=now, verdict="lost", reason="LeaseExpired")
    )
    worn = [row.id for row in rows if row.attempts >= retry.MOST_ATTEMPTS]
    if worn:
        dead = update(delivery).where(among(delivery.c.id, worn))
        tx.execute(dead.values(**over("exhausted", "LeaseExpired", now)))
    again = [
        Again(_claimed(row, row.attempts, None), now, "LeaseExpired", row.attempts)
        for row in rows
        if row.attempts < retry.MOST_ATTEMPTS
    ]
    go_back(tx, again, now=now)
    return len(rows)


def _due(
    priority: int, now: datetime, blocked: Collection[PassTypeIdentifier], only: PassTypeIdentifier | None
) -> Select[Any]:
    """Due rows of one priority: one range of ``ix_delivery_due``, however many rows wait for later."""
    on_its_way = delivery.alias("on_its_way")
    # With OFFSET it is asked for each device by index. PostgreSQL would join it, with a wrong idea of how
    # many are on their way.
    busy = select(literal(1)).where(
        on_its_way.c.device_id == delivery.c.device_id, on_its_way.c.state == SENDING
    )
    statement = (
        select(*_CLAIMED, delivery.c.held_since, *_PATIENCE)
        .select_from(delivery.outerjoin(push_budget, push_budget.c.device_id == delivery.c.device_id))
        .where(
            delivery.c.state == PENDING,
            delivery.c.priority == priority,
            delivery.c.due_at <= now,
            ~busy.offset(0).exists(),
        )
        .with_for_update(of=delivery, skip_locked=True)
    )
    if blocked:
        statement = statement.where(delivery.c.pass_type_identifier.not_in(sorted(blocked)))
    if only is not None:
        statement = statement.where(delivery.c.pass_type_identifier == only)
        statement = statement.order_by(push_budget.c.device_id.is_(None))
    return statement.order_by(delivery.c.due_at)


def _claimed(row: Any, attempts: int, patience: Patience | None) -> Claimed:
    return Claimed(
        id=DeliveryId(row.id),
        device_id=DeviceId(row.device_id),
        pass_type_identifier=PassTypeIdentifier(row.pass_type_identifier),
        kind=row.kind,
        attempts=attempts,
        due_at=row.due_at,
        patience=patience,
    )
