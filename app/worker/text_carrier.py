"""The two database beats of texts: prepare (claim, consent, quiet hours, departures) and settle."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from app.campaigns import cascade
from app.db import Database, Tx
from app.db.identifiers import DeliveryId
from app.delivery import stopped, texts
from app.delivery.text_promises import ClaimedText, TextOutcome, TextState
from app.worker import metrics
from app.worker.lane import Taken
from app.worker.text_channel import TextChannel
from app.worker.text_judging import Sorted, let_in, opt_out, sort, stops
from app.worker.text_parcels import Ended, PutOff, TextAnswered, TextReady

log = structlog.get_logger()

_SOONEST: Final = 0.25
"""Seconds until a login whose pace was the limit is looked at again: half of what is given out ahead."""
_SHORTEST_VALIDITY: Final = timedelta(seconds=1)
CONSENT_LASTS: Final = 0.5
"""Seconds after its departure that advertising may still leave: consent was asked for when it was claimed."""


@dataclass(frozen=True, slots=True)
class HeardTexts:
    """Answers, settled until the database takes them."""

    answers: tuple[TextAnswered, ...]


class TextCarrier:
    """One worker's hands on texts."""

    def __init__(
        self,
        database: Database,
        channel: TextChannel,
        *,
        owner: str,
        clock: Callable[[], datetime],
        lease: timedelta,
    ) -> None:
        """``owner`` must be unlike every other worker's, living or dead."""
        self._database, self._channel, self._owner = database, channel, owner
        self._clock, self._lease = clock, lease

    def rescue(self) -> int:
        """Take back texts of dead workers: asked for where that can be, else given up."""
        with self._database.write() as tx:
            count = texts.rescue_texts(tx, now=self._clock(), can_ask=self._channel.can_ask)
        if count:
            metrics.RESCUED.inc(count)
            log.warning("texts_rescued", count=count)
        return count

    def take(self, limit: int) -> Taken[TextReady]:
        """Prepare: for each login with something due a short transaction of its own."""
        now = self._clock()
        with self._database.read() as tx:
            due = texts.logins_due(tx, self._channel.logins, now=now)
            closed = stopped.all_stopped(tx) if due else {}
        ready: list[TextReady] = []
        again: list[float] = []
        for login in due:
            if login in closed and closed[login].probe_at > now:
                continue
            taken = self._take(login, max(1, limit // len(due)), now)
            ready += taken.ready
            again += [] if taken.again is None else [taken.again]
        return Taken(tuple(ready), min(again, default=None))

    def _take(self, login: str, limit: int, now: datetime) -> Taken[TextReady]:
        pace = self._channel.logins[login]
        with self._database.write() as tx:
            is_probe = login in stopped.all_stopped(tx)
            if is_probe:
                if not stopped.take_probe(tx, login, now=now):
                    return Taken(())
                limit = stopped.PROBE_SIZE
            claimed = texts.claim_texts(
                tx,
                owner=self._owner,
                login=login,
                rate=pace.rate,
                burst=pace.burst,
                now=now,
                lease=self._lease,
                limit=limit,
            )
            parts = sort(tx, claimed, brands_by_slug=self._channel.brands, now=now)
            if is_probe and not parts.ready:
                stopped.give_back_probe(tx, login, now=now)
            self._leave_alone(tx, parts, now)
            leaving = [one for one, _ in parts.ready]
            departures = texts.depart(tx, login, len(leaving), rate=pace.rate, burst=pace.burst, now=now)
            texts.begin_attempts(tx, leaving, now=now)
        for one, end in parts.ended:
            metrics.TEXTS.labels(login, one.kind, end.state).inc()
        ready = [
            self._ready(one, unless, departure, now)
            for (one, unless), departure in zip(parts.ready, departures, strict=True)
        ]
        if is_probe:
            return Taken(tuple(ready))
        more = len(claimed) >= limit or len(leaving) < len(claimed)
        return Taken(tuple(ready), (0.0 if more else _SOONEST) if claimed else None)

    def _ready(
        self, one: ClaimedText, unless: Ended | PutOff | None, departure: datetime, now: datetime
    ) -> TextReady:
        at = time.monotonic()
        left = one.not_after - departure if one.not_after else None
        leaves = at + (departure - now).total_seconds()
        too_late = at + self._lease.total_seconds() / 3  # what is begun then ends within the lease
        return TextReady(
            claimed=one,
            prepared_at=now,
            prepared=at,
            leaves=leaves,
            too_late=min(too_late, leaves + CONSENT_LASTS) if one.kind == "advertising" else too_late,
            validity=max(left, _SHORTEST_VALIDITY) if left is not None else None,
            unless_taken=unless,
        )

    def _leave_alone(self, tx: Tx, parts: Sorted, now: datetime) -> None:
        texts.end_unsent(tx, self._owner, [(one, end.state, end.reason) for one, end in parts.ended], now=now)
        cascade.heard(tx, {one.id for one, _ in parts.ended}, now)
        waits: defaultdict[PutOff, list[ClaimedText]] = defaultdict(list)
        for one, put_off in parts.put_off:
            waits[put_off].append(one)
        for put_off, alike in waits.items():
            texts.put_off(tx, self._owner, alike, due_at=put_off.due_at, reason=put_off.reason, now=now)

    def hear(self, answers: Sequence[TextAnswered]) -> HeardTexts:
        """Take in what came back."""
        return HeardTexts(tuple(answers))

    def settle(self, heard: HeardTexts) -> None:
        """Settle: outcomes, receipts that came with them, stopped logins. One short transaction."""
        now = self._clock()
        reached: dict[DeliveryId, TextState] = {}
        opened: list[tuple[str, str]] = []
        closed: list[str] = []
        outcomes = [answer.outcome for answer in heard.answers if answer.outcome]
        with self._database.write() as tx:
            opt_out(tx, heard.answers, now)  # members are locked before their texts, everywhere
            breakers = stopped.all_stopped(tx)
            for login, reason in stops(heard.answers).items():
                if stopped.stop(tx, login, reason=reason, now=now):
                    opened.append((login, reason))
            for can_ask in (True, False):
                part = [one for one in outcomes if (one.claimed.login in self._channel.can_ask) is can_ask]
                reached |= texts.settle_texts(tx, self._owner, part, now=now, can_ask=can_ask)
            told = [answer.told for answer in heard.answers if answer.told]
            heard_now = texts.hear(tx, told, now=now)
            self._never_left(tx, heard.answers, now)
            over = {one for one, state in reached.items() if state != "pending"}
            cascade.heard(tx, over.union(heard_now.changed, heard_now.priced), now)
            closed = [
                login
                for login in sorted(let_in(heard.answers, breakers) - {login for login, _ in opened})
                if stopped.works(tx, login)
            ]
        self._tell(outcomes, reached, opened, closed, now)
        for one in told:
            metrics.RECEIPTS.labels(one.login, one.state).inc()

    def _never_left(self, tx: Tx, answers: Sequence[TextAnswered], now: datetime) -> None:
        """Texts that were in doubt, that the gateway never had, and that are not to be sent any more."""
        ended: list[tuple[ClaimedText, Ended]] = []
        waits: list[tuple[ClaimedText, PutOff]] = []
        for answer in answers:
            if answer.outcome is None and (unless := answer.unless_taken):
                sure = replace(answer.ready.claimed, in_doubt_since=None)
                if isinstance(unless, Ended):
                    ended.append((sure, unless))
                else:
                    waits.append((sure, unless))
        self._leave_alone(tx, Sorted((), tuple(ended), tuple(waits)), now)

    def _tell(
        self,
        outcomes: Sequence[TextOutcome],
        reached: Mapping[DeliveryId, TextState],
        opened: Sequence[tuple[str, str]],
        closed: Sequence[str],
        now: datetime,
    ) -> None:
        settled = [one.claimed for one in outcomes if one.claimed.id in reached]
        metrics.STALE.inc(len(outcomes) - len(settled))
        for (login, kind, state), count in Counter(
            (one.login, one.kind, reached[one.id]) for one in settled
        ).items():
            metrics.TEXTS.labels(login, kind, state).inc(count)
        for one in settled:
            if reached[one.id] == "accepted":
                metrics.TEXT_LATENESS[one.kind].observe((now - one.due_at).total_seconds())
        for login, reason in opened:
            metrics.BREAKER.labels(stopped.subject_of(login)).set(1)
            log.error(
                "login_stopped",
                login=login,
                reason=reason,
                action="texts wait and nothing is lost; check the login's password, money and addresses",
            )
        for login in closed:
            metrics.BREAKER.labels(stopped.subject_of(login)).set(0)
            log.warning("login_works", login=login)
