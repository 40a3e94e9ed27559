"""Periodic work: each slot's work is done once, by whichever worker comes first, in short transactions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db import Database, Tx
from app.db.identifiers import MemberId
from app.delivery import jobs, queue
from app.loyalty import habits
from app.passes import announcing, evidence, issuing, rollouts
from app.passes.signing import Signer, expiry_stage, expiry_warning
from app.worker import metrics

log = structlog.get_logger()

LEASE: Final = timedelta(minutes=2)
"""A slot's work that has not come to its end in that time is begun again by another worker."""
_OFTEN: Final = timedelta(minutes=1)
"""What is done more often than that leaves no rows of slots behind that are older."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Work for every ``every``; ``step`` does a part of it in the transaction; True: there is more."""

    kind: str
    every: timedelta
    step: Callable[[Tx, datetime], bool]
    rest: Callable[[float], float] | None = None
    """Seconds to leave to others after a step that held the database for so many; None: no rest."""
    due: Callable[[Tx, datetime], bool] | None = None
    """Whether there is anything to do, asked of a reading transaction: where not, nothing is written."""

    def __post_init__(self) -> None:
        if not timedelta(0) < self.every <= jobs.KEPT / 2:
            raise ValueError(f"{self.kind}: a period must be between nothing and a day")


class Ticker:
    """One worker's share of the periodic work; call :meth:`step` often, it does one short piece at most."""

    def __init__(self, database: Database, ticks: Iterable[Tick], *, owner: str) -> None:
        self._database, self._owner = database, owner
        self._ticks = tuple(ticks)
        self._look_at: dict[str, datetime] = {}  # not before then is there anything to take
        self._begun: dict[str, tuple[datetime, datetime]] = {}  # ours: slot, end of its lease
        self._rests: dict[str, float] = {}  # until then, of one clock that only grows

    def step(self, now: datetime) -> bool:
        """True where a piece of work was done, so that there may be more of it."""
        return any(self._step(tick, now) for tick in self._ticks)

    def pause(self) -> float | None:
        """Seconds until work that rests goes on; None where none does."""
        left = [until - time.monotonic() for until in self._rests.values()]
        return max(0.0, min(left)) if left else None

    def _step(self, tick: Tick, now: datetime) -> bool:
        if time.monotonic() < self._rests.get(tick.kind, 0.0):
            return False
        self._rests.pop(tick.kind, None)
        slot, lease_until = self._begun.get(tick.kind, (None, now))
        if slot is None or now >= lease_until:  # too late: another worker may be at it
            self._begun.pop(tick.kind, None)
            return self._take(tick, now)
        try:
            with self._database.write() as tx:
                began = time.monotonic()  # its turn has come
                more = tick.step(tx, now)
                if not more:
                    jobs.finish(tx, tick.kind, slot, owner=self._owner, now=now)
                    if tick.every < _OFTEN:
                        jobs.forget_slots(tx, tick.kind, before=slot - _OFTEN)
        except (OperationalError, PoolTimeout):
            raise
        except Exception:  # one kind of work that cannot be done must not keep pushes waiting
            log.exception("periodic_work_failed", kind=tick.kind)
            del self._begun[tick.kind]
            return True
        if more and tick.rest and (rest := tick.rest(time.monotonic() - began)):
            self._rests[tick.kind] = time.monotonic() + rest
        if not more:
            del self._begun[tick.kind]
            self._look_at[tick.kind] = slot + tick.every
            metrics.TICKS.labels(tick.kind).inc()
        return True

    def _take(self, tick: Tick, now: datetime) -> bool:
        if now < self._look_at.get(tick.kind, now):
            return False
        slot = jobs.slot_of(now, tick.every)
        if not self._is_due(tick, now):
            self._look_at[tick.kind] = slot + tick.every
            return False
        with self._database.write() as tx:
            mine = jobs.take(tx, tick.kind, slot, owner=self._owner, now=now, lease=LEASE)
        if mine:
            self._begun[tick.kind] = (slot, now + LEASE)
        # Whoever has the slot may die over it: its lease tells, to us as well.
        self._look_at[tick.kind] = min(slot + tick.every, now + LEASE + timedelta(seconds=1))
        return mine

    def _is_due(self, tick: Tick, now: datetime) -> bool:
        if tick.due is None:
            return True
        try:
            with self._database.read() as tx:
                return tick.due(tx, now)
        except (OperationalError, PoolTimeout):
            raise
        except Exception:  # as where the work itself cannot be done
            log.exception("periodic_work_failed", kind=tick.kind)
            return False


def retag_tick(*, older_than: timedelta, every: timedelta = timedelta(minutes=1)) -> Tick:
    """Passes that were listed and never fetched are listed and pushed again."""

    def step(tx: Tx, now: datetime) -> bool:
        return evidence.retag_unfetched(tx, now=now, older_than=older_than) > 0

    return Tick("retag_unfetched", every, step)


def announcement_tick(*, every: timedelta = timedelta(seconds=10)) -> Tick:
    """Messages whose turn has come are said; what nobody saw in its time has expired."""

    def step(tx: Tx, now: datetime) -> bool:
        return announcing.expire(tx, now=now) + announcing.advance(tx, now=now) > 0

    return Tick("announcements", every, step)


def purge_tick(*, keep: timedelta = timedelta(days=30), every: timedelta = timedelta(hours=1)) -> Tick:
    """Settled promises and slots that nobody asks about any more are deleted."""

    def step(tx: Tx, now: datetime) -> bool:
        if queue.purge(tx, settled_before=now - keep):
            return True
        jobs.forget(tx, now=now)
        return False

    return Tick("purge", every, step)


def habits_tick(*, limit: int = 100) -> Tick:
    """Count every member anew, ``limit`` at a time, once a day: phones are heard without a note of it.

    Whoever takes the work over in between begins from the first.
    """
    after: MemberId | None = None

    def step(tx: Tx, _now: datetime) -> bool:
        nonlocal after
        after = habits.mend(tx, after=after, limit=limit).after
        return after is not None

    return Tick("habits_anew", timedelta(days=1), step, rest=lambda took: took)


def rollout_tick(*, every: timedelta = timedelta(seconds=10)) -> Tick:
    """Designs that are rolled out in stages, at the pace of `perkpass design move`."""
    pace = issuing.pace()
    moved = 0

    def step(tx: Tx, now: datetime) -> bool:
        nonlocal moved
        done = rollouts.step(tx, now=now, most=pace.size)
        moved = done.moved
        return done.more

    def rest(held: float) -> float:
        pace.note(held, moved)
        return pace.rest

    return Tick("rollouts", every, step, rest)


def certificate_tick(
    signers: Callable[[Tx, datetime], Iterable[Signer]], *, every: timedelta = timedelta(days=1)
) -> Tick:
    """Certificates that near their end are told in the log, at 60, 30, 7 and 1 days and when they are over.

    ``signers`` gives those that can be loaded; what it cannot load it reports itself.
    """
    told: dict[str, int] = {}

    def step(tx: Tx, now: datetime) -> bool:
        for signer in signers(tx, now):
            stage, text = expiry_stage(signer, now), expiry_warning(signer, now)
            if stage is None or text is None:
                told.pop(signer.pass_type_identifier, None)
            elif told.get(signer.pass_type_identifier) != stage:
                told[signer.pass_type_identifier] = stage
                tell = log.error if stage <= 7 else log.warning
                tell("certificate_expires", pass_type_identifier=signer.pass_type_identifier, message=text)
        return False

    return Tick("certificates", every, step)


class Alarm(Protocol):
    """Something that asks for a person."""

    @property
    def subject(self) -> str:
        """What it is about."""

    @property
    def words(self) -> str:
        """What is the matter, and what to do."""


def alarm_tick(
    raised: Callable[[Tx, datetime], Iterable[Alarm]], *, every: timedelta = timedelta(minutes=5)
) -> Tick:
    """What the console warns of is told in the log too: when it begins, and when it is over."""
    told: set[str] = set()

    def step(tx: Tx, now: datetime) -> bool:
        found = {str(alarm.subject): str(alarm.words) for alarm in raised(tx, now)}
        for subject in sorted(found.keys() - told):
            log.error("alarm_raised", subject=subject, message=found[subject])
        for subject in sorted(told - found.keys()):
            log.info("alarm_over", subject=subject)
        told.clear()
        told.update(found)
        metrics.ALARMS.set(len(found))
        return False

    return Tick("alarms", every, step)
