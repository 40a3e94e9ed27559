"""The two database beats around a send: prepare (claim, look up, record) and settle (outcomes, breaker)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from app.db import Database, Tx
from app.db.identifiers import DeliveryId, PassTypeIdentifier
from app.delivery import breaker, queue
from app.delivery.breaker import Answer, Opening, Watch
from app.delivery.budget import Policy
from app.delivery.promises import Claim, Claimed, Kind, Outcome, State
from app.worker import metrics
from app.worker.channel import Answered, Channel, Ready
from app.worker.lane import Taken

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Heard:
    """Answers with what they are reason for; made once, settled until the database takes it."""

    answers: tuple[Answered, ...]
    openings: dict[PassTypeIdentifier, Opening]
    faulty: tuple[Answer, ...]  # of these answers or earlier ones


class Carrier:
    """One worker's hands on the queue."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        *,
        owner: str,
        clock: Callable[[], datetime],
        policy: Policy,
        lease: timedelta,
    ) -> None:
        """``owner`` must be unlike every other worker's, living or dead."""
        self._database, self._channel, self._owner, self._clock = database, channel, owner, clock
        self._policy, self._lease = policy, lease
        self._watch = Watch()
        self._probes: set[DeliveryId] = set()
        self._open: dict[PassTypeIdentifier, str] = {}  # breakers and their reasons, when we last looked

    def rescue(self) -> int:
        """Take back rows of dead workers."""
        with self._database.write() as tx:
            count = queue.rescue(tx, now=self._clock())
        if count:
            metrics.RESCUED.inc(count)
            log.warning("deliveries_rescued", count=count)
        return count

    def take(self, limit: int) -> Taken[Ready]:
        """Prepare: claim due rows, find out where they go, record the attempts. One short transaction."""
        now = self._clock()
        probes: list[Claimed] = []
        with self._database.write() as tx:
            tripped = breaker.all_open(tx)
            blocked = {breaker.pass_type_of(row.subject): row.reason for row in tripped}
            claim = self._claim(tx, now, limit, blocked=blocked.keys())
            for row in tripped:
                if row.probe_at <= now:
                    probes += self._probe(tx, breaker.pass_type_of(row.subject), now)
            claimed = [*claim.claimed, *probes]
            ready, unsent = self._channel.prepare(tx, claimed, now=now) if claimed else ((), ())
            queue.settle_unsent(tx, self._owner, unsent, now=now)
            queue.begin_attempts(tx, [one.claimed for one in ready], now=now)
        self._probes.update(one.id for one in probes)
        for pass_type in self._open.keys() - blocked.keys():
            self._watch.closed(pass_type, self._open[pass_type], now)
        self._open = blocked
        metrics.HELD.inc(claim.held)
        for one in unsent:
            metrics.PUSHES.labels(one.claimed.pass_type_identifier, one.state).inc()
        touched = len(claimed) + claim.held
        return Taken(tuple(ready), again=0.0 if touched >= limit else None)

    def _claim(
        self,
        tx: Tx,
        now: datetime,
        limit: int,
        *,
        blocked: Collection[PassTypeIdentifier] = (),
        only: PassTypeIdentifier | None = None,
    ) -> Claim:
        return queue.claim(
            tx,
            owner=self._owner,
            now=now,
            lease=self._lease,
            policy=self._policy,
            limit=limit,
            blocked=blocked,
            only=only,
        )

    def _probe(self, tx: Tx, pass_type: PassTypeIdentifier, now: datetime) -> Sequence[Claimed]:
        if not breaker.take_probe(tx, pass_type, now=now):
            return ()
        claimed = self._claim(tx, now, breaker.PROBE_SIZE, only=pass_type).claimed
        if not claimed:
            breaker.give_back_probe(tx, pass_type, now=now)
        return claimed

    def hear(self, answers: Sequence[Answered]) -> Heard:
        """Take in what came back; call it once for each answer."""
        now = self._clock()
        types: dict[PassTypeIdentifier, list[Answer]] = {}
        for answer in answers:
            claimed = answer.outcome.claimed
            known = Answer(
                claimed,
                answer.signal,
                answer.outcome.reason or answer.signal,
                answer.ready.group,
                answer.ready.prepared_at,
            )
            types.setdefault(claimed.pass_type_identifier, []).append(known)
        for pass_type in self._proved(answers):
            self._watch.closed(pass_type, self._open.get(pass_type, ""), now)
        judged = {pass_type: self._watch.hear(pass_type, group, now) for pass_type, group in types.items()}
        return Heard(
            tuple(answers),
            {pass_type: judgement.opening for pass_type, judgement in judged.items() if judgement.opening},
            tuple(answer for judgement in judged.values() for answer in judgement.faulty),
        )

    def settle(self, heard: Heard) -> None:
        """Settle: write outcomes, open or close breakers, forget dead addresses. One short transaction."""
        now = self._clock()
        with self._database.write() as tx:
            opened = [
                (pass_type, opening.reason)
                for pass_type, opening in heard.openings.items()
                if breaker.trip(tx, pass_type, reason=opening.reason, now=now)
            ]
            proved = self._proved(heard.answers) - set(heard.openings)
            in_doubt = {breaker.pass_type_of(row.subject) for row in breaker.all_open(tx)} - proved
            faulty = [one for one in heard.faulty if one.claimed.pass_type_identifier not in in_doubt]
            outcomes = self._outcomes(tx, heard, in_doubt, now)
            # Devices before their deliveries, as a registration locks them.
            self._channel.set_aside(tx, {one.claimed.device_id: one.asked_at for one in faulty})
            doubted = [one for opening in heard.openings.values() for one in opening.doubted]
            self._channel.take_back(tx, {one.claimed.device_id: one.asked_at for one in doubted})
            reached = queue.settle(tx, self._owner, outcomes, now=now)
            for pass_type, opening in heard.openings.items():
                self._promise_again(tx, pass_type, [one.claimed for one in opening.doubted], now)
            closed = [pass_type for pass_type in sorted(proved) if breaker.close(tx, pass_type)]
        self._probes.difference_update(outcome.claimed.id for outcome in outcomes)
        self._tell(outcomes, reached, opened, closed, now)

    def _outcomes(
        self, tx: Tx, heard: Heard, in_doubt: set[PassTypeIdentifier], now: datetime
    ) -> list[Outcome]:
        """As they are to be settled: behind an open breaker nothing of ours is refused, a 410 may be too old.

        What came with the proof of a probe is refused all the same, so that bad tokens end.
        """
        gone = [answer for answer in heard.answers if answer.outcome.verdict == "gone"]
        reachable = self._channel.forget(tx, gone, now=now) if gone else set()
        outcomes = []
        for answer in heard.answers:
            outcome = answer.outcome
            claimed = outcome.claimed
            ours = answer.signal in ("bad_token", "wrong_topic", "fatal")
            if ours and claimed.pass_type_identifier in in_doubt:
                outcome = replace(outcome, verdict="retry", counts=False, retry_after=breaker.PROBE_AFTER)
            elif outcome.verdict == "gone" and claimed.device_id in reachable:
                outcome = replace(outcome, verdict="retry")  # it registered since: there is a newer address
            outcomes.append(outcome)
        return outcomes

    def _promise_again(
        self, tx: Tx, pass_type: PassTypeIdentifier, doubted: Sequence[Claimed], now: datetime
    ) -> None:
        """What was refused before the breaker opened was refused because of us; others probe first."""
        due_at = now + breaker.PROBE_AFTER
        kinds: dict[Kind, list[Claimed]] = {}
        for one in doubted:
            kinds.setdefault(one.kind, []).append(one)
        for kind, group in sorted(kinds.items()):
            devices = [one.device_id for one in group]
            queue.enqueue_pushes(
                tx, devices, pass_type_identifier=pass_type, kind=kind, now=now, due_at=due_at
            )

    def _proved(self, answers: Sequence[Answered]) -> set[PassTypeIdentifier]:
        return {
            answer.outcome.claimed.pass_type_identifier
            for answer in answers
            if answer.signal == "proof" and answer.outcome.claimed.id in self._probes
        }

    def _tell(
        self,
        outcomes: Sequence[Outcome],
        reached: dict[DeliveryId, State],
        opened: Sequence[tuple[PassTypeIdentifier, str]],
        closed: Sequence[PassTypeIdentifier],
        now: datetime,
    ) -> None:
        settled = [outcome.claimed for outcome in outcomes if outcome.claimed.id in reached]
        metrics.STALE.inc(len(outcomes) - len(settled))
        counts = Counter((one.pass_type_identifier, reached[one.id]) for one in settled)
        for (pass_type, state), count in counts.items():
            metrics.PUSHES.labels(pass_type, state).inc(count)
        for one in settled:
            if reached[one.id] == "accepted":
                metrics.LATENESS[one.kind].observe((now - one.due_at).total_seconds())
        for pass_type, reason in opened:
            metrics.BREAKER.labels(breaker.subject_of(pass_type)).set(1)
            log.error(
                "breaker_opened",
                pass_type_identifier=pass_type,
                reason=reason,
                action="pushes wait and nothing is lost; check the pass certificate and PERKPASS_APNS_URL",
            )
        for pass_type in closed:
            metrics.BREAKER.labels(breaker.subject_of(pass_type)).set(0)
            log.warning("breaker_closed", pass_type_identifier=pass_type)
