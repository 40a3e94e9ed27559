"""Changes that Google shall take, as promises: claimed within the issuer's pace, one of an object at a time.

Each waits in the queue of its brand, whose account makes it; brands of one issuer share its pace.

Verbs take the open transaction and never commit. What is promised is that an object (or a class) becomes what
the database says it should be: whatever waits is one row, and the content is that of the moment of its claim.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Any, Final

from app.db import Tx
from app.db.identifiers import BrandId, DeliveryId, GoogleBroadcastId, GoogleIssuerId, GoogleObjectId
from app.delivery import retry, store_attempts, store_google, store_google_pending, store_pace
from app.delivery.google_promises import (
    ClaimedGoogle,
    GoogleKind,
    GoogleOutcome,
    GooglePromise,
    GoogleQueue,
    Shown,
    shown,
)
from app.delivery.pace import Pace
from app.delivery.promises import State
from app.delivery.stopped import GOOGLE
from app.delivery.store_google_pending import Back

RATE: Final = 20.0
"""Requests a second that Google takes of an issuer (its FAQ; no scope is stated)."""
_LEASE_EXPIRED: Final = "LeaseExpired"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastChange:
    """The newest promise to an object; settled ones are kept for some weeks only."""

    kind: GoogleKind
    state: State
    reason: str | None
    shown: Shown | None  # None: under way
    created_at: datetime
    settled_at: datetime | None


def promise(tx: Tx, promises: Sequence[GooglePromise], *, now: datetime) -> None:
    """Promise changes. An object (or class) that has a pending one gets no second: the more urgent counts.

    Call it once in a transaction, with all of them.
    """
    if promises:
        store_google_pending.join(tx, promises, now=now)


def brands_due(tx: Tx, brands: Collection[BrandId], *, now: datetime) -> list[BrandId]:
    """Which of these have something to claim."""
    return store_google.brands_due(tx, brands, now=now)


def claim(
    tx: Tx,
    *,
    owner: str,
    issuer_id: GoogleIssuerId,
    brands: Sequence[BrandId],
    pace: Pace,
    now: datetime,
    lease: timedelta,
    limit: int,
) -> list[ClaimedGoogle]:
    """Take due changes of an issuer's ``brands``, the most urgent first: up to ``limit`` that may leave soon.

    The issuer's pace is locked until the transaction ends; requests then take their departures with
    :func:`depart`.
    """
    room = pace.room(store_pace.free_at(tx, GOOGLE.subject_of(issuer_id), now=now), now=now)
    if not (most := min(limit, room)):
        return []
    return store_google.claim(tx, owner=owner, brands=brands, now=now, lease=lease, limit=most)


def claim_classes(
    tx: Tx, *, owner: str, brands: Sequence[BrandId], now: datetime, lease: timedelta, limit: int
) -> list[ClaimedGoogle]:
    """Take due classes alone, after :func:`claim` in one transaction: those that its objects need first."""
    return store_google.claim(
        tx, owner=owner, brands=brands, now=now, lease=lease, limit=limit, kinds=("class",)
    )


def depart(tx: Tx, issuer_id: GoogleIssuerId, count: int, *, pace: Pace, now: datetime) -> list[datetime]:
    """When ``count`` requests may leave, in order; each inner call of a batch is one."""
    return store_pace.depart(tx, GOOGLE.subject_of(issuer_id), pace, count, now=now)


def begin_attempts(tx: Tx, claimed: Sequence[ClaimedGoogle], *, now: datetime) -> None:
    """Record that these are about to be tried: written before the call, so that a crash leaves a trace."""
    store_attempts.begin(tx, claimed, now=now)


def put_off(
    tx: Tx, owner: str, claimed: Sequence[ClaimedGoogle], *, due_at: datetime, reason: str, now: datetime
) -> None:
    """Give claimed changes back untried, due at ``due_at``."""
    mine = store_attempts.held(tx, owner, claimed)
    back = [Back(one, due_at, reason, one.attempts - 1) for one in claimed if one.id in mine]
    store_google_pending.go_back(tx, back, now=now)


def end_untried(
    tx: Tx, owner: str, ended: Mapping[ClaimedGoogle, str], *, state: State = "accepted", now: datetime
) -> None:
    """End claimed changes that nothing need be sent for, each with its reason."""
    mine = store_attempts.held(tx, owner, list(ended))
    for reason in sorted(set(ended.values())):
        ids = [one.id for one, why in ended.items() if why == reason and one.id in mine]
        store_google.end(tx, ids, state, reason, now=now)


def hold(tx: Tx, owner: str, claimed: Sequence[ClaimedGoogle]) -> set[DeliveryId]:
    """Which of these ``owner`` still holds; they are locked, before the objects that they are about."""
    return store_attempts.held(tx, owner, claimed)


def settle(
    tx: Tx, owner: str, outcomes: Sequence[GoogleOutcome], *, now: datetime
) -> dict[DeliveryId, State]:
    """Write what came of attempts; returns the state that each promise reached.

    Only rows that ``owner`` still holds are touched: who lost its lease changes nothing, and its rows are not
    in the answer.
    """
    mine = store_attempts.held(tx, owner, [outcome.claimed for outcome in outcomes])
    outcomes = [outcome for outcome in outcomes if outcome.claimed.id in mine]
    store_google.finish(tx, outcomes, now=now)
    reached: dict[DeliveryId, State] = {}
    ends: dict[tuple[State, str], list[DeliveryId]] = {}
    back: list[Back] = []
    for outcome in outcomes:
        if returned := _back(outcome, now):
            back.append(returned)
            continue
        state: State = outcome.verdict if outcome.verdict in ("accepted", "refused") else "exhausted"
        reached[outcome.claimed.id] = state
        ends.setdefault((state, outcome.reason[:200]), []).append(outcome.claimed.id)
    for (state, reason), ids in ends.items():
        store_google.end(tx, ids, state, reason, now=now)
    return reached | store_google_pending.go_back(tx, back, now=now)


def lost(tx: Tx, *, now: datetime, limit: int = 500) -> list[ClaimedGoogle]:
    """What was claimed by someone whose lease is over, locked: each of them may have happened.

    Their objects are told of it before they are given back (:func:`take_back`), in this transaction.
    """
    return store_google.lost(tx, now=now, limit=limit)


def take_back(tx: Tx, dead: Sequence[ClaimedGoogle], *, now: datetime) -> None:
    """Let others have what was :func:`lost`; one whose attempts are used up is ``exhausted``."""
    outcomes = [GoogleOutcome(claimed=one, verdict="lost", reason=_LEASE_EXPIRED) for one in dead]
    store_google.finish(tx, outcomes, now=now)
    worn = [one.id for one in dead if one.attempts >= retry.MOST_ATTEMPTS]
    if worn:
        store_google.end(tx, worn, "exhausted", _LEASE_EXPIRED, now=now)
    back = [Back(one, now, _LEASE_EXPIRED, one.attempts) for one in dead if one.id not in worn]
    store_google_pending.go_back(tx, back, now=now)


def queues(tx: Tx, brands: Collection[BrandId], *, now: datetime) -> list[GoogleQueue]:
    """How deep and how late the changes of each brand are."""
    return [store_google.queue(tx, brand, now=now) for brand in sorted(brands)]


def last_changes(tx: Tx, object_ids: Sequence[GoogleObjectId]) -> dict[GoogleObjectId, LastChange]:
    """The last promise to each object, as people are told of it."""
    return {row.google_object_id: _last(row) for row in store_google.newest(tx, object_ids)}


def broadcasts_under_way(tx: Tx) -> dict[GoogleBroadcastId, DeliveryId]:
    """Messages to classes that are not settled, with their promises: the few that people just sent."""
    return store_google.broadcasts_under_way(tx)


def last_broadcast(tx: Tx, broadcast_id: GoogleBroadcastId) -> LastChange | None:
    """The last promise of a message to a class, as people are told of it."""
    return next((_last(row) for row in store_google.of_broadcast(tx, broadcast_id)), None)


def estimate(updates: int, *, rate: float = RATE, notifying: bool = True, ahead: int = 0) -> timedelta:
    """How long it takes until Google took so many changes, at ``rate`` requests a second.

    A change that notifies is two requests: the patch, then the message. ``ahead``: changes that wait already
    and are no less urgent (:attr:`GoogleQueue.due`), taken for as many requests each.
    """
    each = 2 if notifying else 1
    return timedelta(seconds=max(0, updates + ahead) * each / rate)


def _last(row: Any) -> LastChange:
    return LastChange(
        kind=row.kind,
        state=row.state,
        reason=row.reason,
        shown=shown(row.state, row.reason),
        created_at=row.created_at,
        settled_at=row.settled_at,
    )


def _back(outcome: GoogleOutcome, now: datetime) -> Back | None:
    """How a promise goes back; None where it is over."""
    one, reason = outcome.claimed, outcome.reason[:200]
    if outcome.verdict in ("accepted", "refused"):
        return None
    attempts = one.attempts if outcome.counts else one.attempts - 1
    wait = retry.delay(attempts, retry_after=outcome.retry_after, chance=random())  # noqa: S311
    if wait is None:
        return None
    if outcome.verdict == "next":
        return Back(one, now, reason, attempts)
    until = now + max(wait, outcome.not_before or wait)
    asked = outcome.not_before or (outcome.retry_after if outcome.counts else None)
    not_before = now + min(asked, retry.LONGEST_RETRY_AFTER) if asked else None
    return Back(one, until, reason, attempts, not_before)
