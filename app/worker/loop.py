"""The worker: claims what is due, has it sent, settles what came of it; else waits for the bell."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db import Database
from app.db.outages import outage_of
from app.delivery.budget import Policy
from app.wakeup import Wakeup
from app.worker import metrics
from app.worker.agenda import Agenda
from app.worker.carrier import Carrier, Heard
from app.worker.channel import Channel
from app.worker.sending import Sender
from app.worker.ticks import Tick, Ticker

log = structlog.get_logger()

BATCH, SQLITE_BATCH = 500, 200
"""Promises a transaction; on SQLite so few that a till waits some milliseconds for others' claims."""
MOST_IN_FLIGHT: Final = 2000
RESCUE_EVERY: Final = 5.0
"""Seconds between two looks for leases of the dead; four looks in a lease that is short."""
REFRESH_EVERY: Final = 600.0
LAST_ANSWERS: Final = 10.0
"""Seconds that a worker that is told to stop waits for answers; what is left comes back after its lease."""
LONGEST_BACK_OFF: Final = 5.0
LONGEST_WAIT: Final = 1.0
"""Seconds without a look whether the worker is told to stop."""


def new_owner() -> str:
    """A name for a worker that no other has, dead or alive: host, process, chance."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Worker:
    """One worker; any number may share a database."""

    def __init__(
        self,
        *,
        database: Database,
        channel: Channel,
        wakeup: Wakeup,
        clock: Callable[[], datetime],
        policy: Policy,
        lease: timedelta,
        poll_seconds: float = 1.0,
        ticks: Iterable[Tick] = (),
        owner: str | None = None,
        metrics_port: int = 0,
    ) -> None:
        """``clock`` gives aware UTC; the rest are settings' values. Starts nothing: see :meth:`run`."""
        self.owner = owner or new_owner()
        self._wakeup, self._clock, self._poll = wakeup, clock, poll_seconds
        self._batch = SQLITE_BATCH if database.is_sqlite else BATCH
        self._agenda = Agenda(poll_seconds=poll_seconds, batch=self._batch)
        self._metrics_port = metrics_port
        self._carrier = Carrier(database, channel, owner=self.owner, clock=clock, policy=policy, lease=lease)
        self._ticker = Ticker(database, ticks, owner=self.owner)
        self._bell, self._rung = Event(), Event()
        self._sender = Sender(channel, time_limit=lease * 0.9, tell=self._bell.set)
        self._lease = lease
        self._rescue_every = min(RESCUE_EVERY, lease.total_seconds() / 4)
        self._unsettled: deque[Heard] = deque()
        self._rescue_at = self._refresh_at = 0.0
        self._ended = Event()

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set; then wait some seconds for what is under way.

        Survives the database and Redis being away: what was answered meanwhile is settled when it is back.
        """
        log.info("worker_started", owner=self.owner)
        listener = Thread(target=self._listen, name="bell", daemon=True)
        self._sender.start()
        listener.start()
        self._refresh_at = time.monotonic() + REFRESH_EVERY
        try:
            with metrics.served(self._metrics_port):
                self._work(stop)
                self._finish()
        finally:
            self._ended.set()
            self._sender.stop(patience=5)
            self._wakeup.ring()  # ends the listener's wait
            listener.join(self._poll + 6)
            self._wakeup.close()
            log.info("worker_stopped", owner=self.owner, left_to_their_lease=self._sender.in_flight)

    def _work(self, stop: Event) -> None:
        back_off = 0.0
        while not stop.is_set():
            self._bell.clear()
            more = self._survive(self._cycle)
            if more is None:
                back_off = min(LONGEST_BACK_OFF, back_off * 2 or 0.1)
                stop.wait(back_off)
                continue
            back_off = 0.0
            if not more:
                self._bell.wait(min(self._pause(), LONGEST_WAIT))

    def _pause(self) -> float:
        answered, in_flight = self._sender.answered, self._sender.in_flight
        return self._agenda.pause(
            time.monotonic(),
            answered=answered,
            unanswered=in_flight - answered,
            full=in_flight >= MOST_IN_FLIGHT,
        )

    def _finish(self) -> None:
        deadline = time.monotonic() + min(LAST_ANSWERS, self._lease.total_seconds())
        while (self._sender.in_flight or self._unsettled) and time.monotonic() < deadline:
            self._bell.clear()
            if not self._survive(self._settle):
                self._bell.wait(0.1)

    def _listen(self) -> None:
        """Hear the bell in a thread, since answers wake the worker as well."""
        while not self._ended.is_set():
            if self._wakeup.wait(self._poll):
                self._rung.set()
                self._bell.set()

    def _survive(self, work: Callable[[], bool]) -> bool | None:
        """What ``work`` says, or None where it failed: the log says why, and the next try may do better."""
        try:
            return work()
        except (OperationalError, PoolTimeout) as fault:
            metrics.FAULTS.labels("database").inc()
            if outage_of(fault) is None:  # an outage tells itself
                log.warning("database_unavailable", error=_first_line(fault))
        except DBAPIError as fault:
            metrics.FAULTS.labels("database").inc()
            log.exception("database_refused", error=_first_line(fault))
        except Exception:
            metrics.FAULTS.labels("other").inc()
            log.exception("cycle_failed")
        return None

    def _cycle(self) -> bool:
        """Do what it is time for; True where a tick may have more to do at once."""
        now = time.monotonic()
        if self._rung.is_set():
            self._rung.clear()
            self._agenda.rang(now)
        answered = self._sender.answered
        unanswered = self._sender.in_flight - answered
        if self._unsettled or self._agenda.must_settle(now, answered=answered, unanswered=unanswered):
            self._settle()
        if now >= self._rescue_at:
            self._rescue_at = now + self._rescue_every
            if self._carrier.rescue():
                self._agenda.rang(now)
        if now >= self._refresh_at:
            self._refresh_at = now + REFRESH_EVERY
            self._sender.refresh()
        room = MOST_IN_FLIGHT - self._sender.in_flight
        if room > 0 and self._agenda.must_look(now):
            limit = min(self._batch, room)
            self._agenda.looked(now, more=self._take(limit) >= limit)
        ticked = self._ticker.step(self._clock())
        if ticked:
            self._agenda.rang(now)
        return ticked

    def _take(self, limit: int) -> int:
        """Claim and send up to ``limit``; returns how many due promises were looked at."""
        with _timed("prepare"):
            taken = self._carrier.take(limit)
        if taken.ready:
            self._sender.send(taken.ready)
            metrics.IN_FLIGHT.set(self._sender.in_flight)
        return taken.touched

    def _settle(self) -> bool:
        if answers := self._sender.fetch(self._batch):
            self._unsettled.append(self._carrier.hear(answers))
        if not self._unsettled:
            return False
        heard = self._unsettled[0]
        try:
            with _timed("settle"):
                self._carrier.settle(heard)
        except (OperationalError, PoolTimeout):
            raise  # kept, and settled when the database is back; a lease that ends meanwhile changes nothing
        except Exception:
            self._unsettled.popleft()  # not again and again: the leases bring these rows back
            raise
        self._unsettled.popleft()
        self._agenda.settled(time.monotonic())
        metrics.IN_FLIGHT.set(self._sender.in_flight)
        return True


@contextmanager
def _timed(beat: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    metrics.BEATS.labels(beat).observe(time.monotonic() - began)


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0][:300]
