"""The two database beats of Google: prepare (claim, plans, departures) and settle."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from app.db import Database, Tx
from app.db.identifiers import BrandId, GoogleIssuerId, GoogleObjectId
from app.delivery import google, store_google_quota
from app.delivery.pace import Pace
from app.delivery.stopped import GOOGLE, PROBE_SIZE, writer
from app.passes import google_cards, google_patches, store_google, store_google_broadcasts
from app.passes.google_cards import HolderChange
from app.passes.google_press import GooglePress
from app.passes.store_google import ObjectRow
from app.worker import metrics
from app.worker.google_broadcast_judging import judge_broadcast
from app.worker.google_channel import GoogleChannel
from app.worker.google_judging import Judged, judge
from app.worker.google_parcels import GoogleAnswered, GoogleReady
from app.worker.google_planning import IN_PARTS, Planned, Planning
from app.worker.google_telling import tell
from app.worker.lane import Taken

log = structlog.get_logger()

_SOONEST: Final = 0.25
"""Seconds until an issuer whose pace was the limit is looked at again: half of what is given out ahead."""
_CLASS_AGAIN: Final = timedelta(seconds=2)
_REFUSED_AGAIN: Final = timedelta(minutes=10)
"""A class that Google refused becomes another one by hand: with a new design version."""
_NO_LIMIT: Final = 1e6

Changed = Callable[[Tx, Sequence[HolderChange], datetime], None]
"""Told who holds a card now, or does no more, within the settling transaction."""


@dataclass(frozen=True, slots=True)
class HeardGoogle:
    """Answers, settled until the database takes them."""

    answers: tuple[GoogleAnswered, ...]


class GoogleCarrier:
    """One worker's hands on Google's changes."""

    def __init__(
        self,
        database: Database,
        channel: GoogleChannel,
        press: GooglePress,
        *,
        owner: str,
        clock: Callable[[], datetime],
        lease: timedelta,
        changed: Changed = lambda _tx, _changes, _now: None,
    ) -> None:
        """``owner`` must be unlike every other worker's, living or dead."""
        self._database, self._channel, self._press, self._owner = database, channel, press, owner
        self._clock, self._lease, self._changed = clock, lease, changed

    def rescue(self) -> int:
        """Take back changes of dead workers: whatever they asked may have been done."""
        now = self._clock()
        with self._database.write() as tx:
            dead = google.lost(tx, now=now)
            rows = store_google.lock_objects(tx, [one.object_id for one in dead if one.object_id is not None])
            store_google.write_objects(
                tx, [replace(row, sent=None, messages=None, unread_since=now) for row in rows.values()]
            )
            said = [one.broadcast_id for one in dead if one.broadcast_id is not None]
            store_google_broadcasts.doubt(tx, said, now=now)
            store_google.doubt_classes(tx, [one.class_id for one in dead if one.class_id is not None])
            google.take_back(tx, dead, now=now)
        if dead:
            metrics.RESCUED.inc(len(dead))
            log.warning("google_changes_rescued", count=len(dead))
        return len(dead)

    def take(self, limit: int) -> Taken[GoogleReady]:
        """Prepare: for each issuer with something due a short transaction of its own.

        So for each account that is stopped and may be tried: what it holds up is its own.
        """
        if not (accounts := self._channel.accounts):
            return Taken(())
        now = self._clock()
        with self._database.read() as tx:
            due = google.brands_due(tx, accounts, now=now)
            closed = GOOGLE.all_stopped(tx) if due else {}
        ready: list[GoogleReady] = []
        again: list[float] = []
        together: dict[tuple[GoogleIssuerId, str], list[BrandId]] = {}
        for brand in due:
            name = writer(accounts[brand].issuer_id, brand)
            stopped = name in closed
            if stopped and closed[name].probe_at > now:
                continue
            if not accounts[brand].wallet.has_token():
                again.append(
                    _SOONEST
                )  # departures are for who can leave: those that waited would leave as one
            elif not stopped:
                together.setdefault((accounts[brand].issuer_id, ""), []).append(brand)
            else:
                together[accounts[brand].issuer_id, name] = [brand]
        for (issuer, probed), brands in together.items():
            pace = Pace(accounts[brands[0]].rate or _NO_LIMIT)
            taken = self._take(issuer, brands, pace, max(1, limit // len(together)), probed, now)
            ready += taken.ready
            again += [] if taken.again is None else [taken.again]
        return Taken(tuple(ready), min(again, default=None))

    def _take(
        self,
        issuer: GoogleIssuerId,
        brands: Sequence[BrandId],
        pace: Pace,
        limit: int,
        probed: str,
        now: datetime,
    ) -> Taken[GoogleReady]:
        """Of these brands; ``probed`` names the one account where it is stopped."""
        with self._database.write() as tx:
            if probed:
                if not GOOGLE.take_probe(tx, probed, now=now):
                    return Taken(())
                limit = PROBE_SIZE
            claimed = google.claim(
                tx,
                owner=self._owner,
                issuer_id=issuer,
                brands=brands,
                pace=pace,
                now=now,
                lease=self._lease,
                limit=limit,
            )
            planning = Planning(tx, self._press, brands, now=now)
            parts = planning.sort(claimed, owner=self._owner, lease=self._lease)
            google.end_untried(tx, self._owner, parts.over, now=now)
            google.end_untried(tx, self._owner, parts.gone, state="gone", now=now)
            google.put_off(
                tx,
                self._owner,
                parts.too_early,
                due_at=now + _CLASS_AGAIN,
                reason="ClassNotReady",
                now=now,
            )
            google.put_off(
                tx,
                self._owner,
                parts.refused,
                due_at=now + _REFUSED_AGAIN,
                reason="ClassRefused",
                now=now,
            )
            google.put_off(tx, self._owner, parts.again, due_at=now, reason=IN_PARTS, now=now)
            if probed and not parts.ready:
                GOOGLE.give_back_probe(tx, probed, now=now)
            requests = sum(one.plan.requests for one in parts.ready)
            departures = google.depart(tx, issuer, requests, pace=pace, now=now)
            google.begin_attempts(tx, [one.claimed for one in parts.ready], now=now)
        for one, _ in [*parts.over.items(), *parts.gone.items()]:
            metrics.GOOGLE.labels(issuer, one.kind, "accepted" if one in parts.over else "gone").inc()
        ready = self._ready(issuer, parts.ready, departures, now)
        if probed:
            return Taken(ready)
        more = len(claimed) >= limit or len(parts.over) > 0 or len(parts.again) > 0
        return Taken(ready, 0.0 if more else _SOONEST)

    def _ready(
        self,
        issuer: GoogleIssuerId,
        planned: Sequence[Planned],
        departures: Sequence[datetime],
        now: datetime,
    ) -> tuple[GoogleReady, ...]:
        at, lease, left = time.monotonic(), self._lease.total_seconds(), iter(departures)
        return tuple(
            GoogleReady(
                claimed=one.claimed,
                issuer_id=issuer,
                plan=one.plan,
                prepared_at=now,
                prepared=at,
                leaves=tuple(at + (next(left) - now).total_seconds() for _ in range(one.plan.requests)),
                too_late=at + lease / 3,
                message_by=at + lease * 0.55,
                after_class=one.after_class,
            )
            for one in planned
        )

    def hear(self, answers: Sequence[GoogleAnswered]) -> HeardGoogle:
        """Take in what came back."""
        return HeardGoogle(tuple(answers))

    def settle(self, heard: HeardGoogle) -> None:
        """Settle: outcomes, what Google has now, who holds what, stopped accounts. One short transaction."""
        now = self._clock()
        judged = [
            (answer, (judge if answer.ready.plan.broadcast is None else judge_broadcast)(answer, now=now))
            for answer in heard.answers
        ]
        opened: list[tuple[str, str]] = []
        with self._database.write() as tx:
            claims = [one.outcome.claimed for _, one in judged]
            mine = google.hold(tx, self._owner, claims)
            kept = [(answer, one) for answer, one in judged if one.outcome.claimed.id in mine]
            changes = self._write(tx, kept, now)
            reached = google.settle(tx, self._owner, [one.outcome for _, one in kept], now=now)
            breakers = GOOGLE.all_stopped(tx)
            denied = {_writer(answer): one.denied for answer, one in judged if one.denied}
            for name, reason in sorted(denied.items()):
                if GOOGLE.stop(tx, name, reason=reason, now=now):
                    opened.append((name, reason))
            let_in = {
                _writer(answer)
                for answer, one in judged
                if one.outcome.verdict in ("accepted", "next", "refused")
                and _writer(answer) in breakers
                and answer.ready.prepared_at >= breakers[_writer(answer)].opened_at
            } - denied.keys()
            closed = [name for name in sorted(let_in) if GOOGLE.works(tx, name)]
            if changes:
                self._changed(tx, changes, now)
        tell(judged, reached, opened, closed, now)

    def _write(
        self, tx: Tx, judged: Sequence[tuple[GoogleAnswered, Judged]], now: datetime
    ) -> list[HolderChange]:
        """What Google has now. Objects are locked after their promises, as everywhere."""
        rows = store_google.lock_objects(
            tx, [one.outcome.claimed.object_id for _, one in judged if one.outcome.claimed.object_id]
        )
        written: list[ObjectRow] = []
        changes: list[HolderChange] = []
        fates = {one.outcome.claimed.id: one.fate for _, one in judged if one.fate}
        for answer, one in judged:
            if one.class_refused and answer.ready.plan.class_id is not None:
                mark = google_patches.digest(answer.ready.plan.sent)
                store_google.refuse_class(tx, answer.ready.plan.class_id, mark)
            if (said := answer.ready.plan.broadcast) is not None and one.broadcast is not None:
                store_google_broadcasts.write(tx, said.id, **one.broadcast)
                if (kept := answer.ready.plan.kept) is not None and one.outcome.verdict == "accepted":
                    store_google_broadcasts.keep_on_class(tx, said.google_class_id, [*kept, said.id])
            if one.class_now is not None:
                class_id, sent, there = one.class_now
                store_google.write_class(tx, class_id, sent, now if there else None)
            row = rows.get(one.outcome.claimed.object_id or GoogleObjectId(0))
            if row is None:
                continue
            changed, change = _changed(row, one, answer.ready.prepared_at, now)
            if row.doubted_message is not None and changed.doubted_message is None:
                came = changed.announced == row.doubted_message
                fates[one.outcome.claimed.id] = "notified" if came else "unused"
            if changed != row:
                written.append(changed)
            if change is not None:
                changes.append(change)
        store_google.write_objects(tx, written)
        store_google_quota.came(tx, fates, now=now)
        return changes


def _writer(answer: GoogleAnswered) -> str:
    """Whose account it was asked with."""
    return writer(answer.ready.issuer_id, answer.ready.claimed.brand_id)


def _changed(
    row: ObjectRow, judged: Judged, prepared_at: datetime, now: datetime
) -> tuple[ObjectRow, HolderChange | None]:
    """What is known of an object now; whoever called back since knows better who holds it."""
    changed = judged.change(row) if judged.change else row
    if row.unread_since is not None and row.unread_since > prepared_at:
        return changed, None
    if judged.read:
        changed = replace(changed, unread_since=None)
    elif row.unread_since is not None:
        return changed, None
    if judged.has_users is None:
        return changed, None
    return google_cards.with_holders(changed, has_users=judged.has_users, now=now)
