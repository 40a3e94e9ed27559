"""The worker: claims what is due, has it sent, settles what came of it; else waits for the bell."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db import Database
from app.db.outages import outage_of
from app.delivery.budget import Policy
from app.wakeup import Wakeup
from app.worker import metrics
from app.worker.carrier import Carrier
from app.worker.channel import Channel, unanswered
from app.worker.lane import Lane, Paces
from app.worker.sending import Sender
from app.worker.text_channel import TextChannel
from app.worker.text_lane import text_lane
from app.worker.ticks import Tick, Ticker

if TYPE_CHECKING:
    from app.worker.google_lane import GoogleWork

log = structlog.get_logger()

BATCH, SQLITE_BATCH = 500, 200
"""Promises a transaction; on SQLite so few that a till waits some milliseconds for others' claims."""
RESCUE_EVERY: Final = 5.0
"""Seconds between two looks for leases of the dead; four looks in a lease that is short."""
LAST_ANSWERS: Final = 10.0
"""Seconds that a worker that is told to stop waits for answers; what is left comes back after its lease."""
LONGEST_BACK_OFF: Final = 5.0
LONGEST_WAIT: Final = 1.0
"""Seconds without a look whether the worker is told to stop."""


def new_owner() -> str:
    """A name for a worker that no other has, dead or alive: host, process, chance."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(slots=True)
class _Part:
    """A part of the work that may fail without the others: it alone rests then, longer each time."""

    work: Callable[[], bool]
    back_off: float = 0.0
    rests_until: float = 0.0


class Worker:
    """One worker; any number may share a database. Carries pushes, and texts and Google's where there are."""

    def __init__(
        self,
        *,
        database: Database,
        channel: Channel,
        wakeup: Wakeup,
        clock: Callable[[], datetime],
        policy: Policy,
        lease: timedelta,
        texts: TextChannel | None = None,
        google: GoogleWork | None = None,
        poll_seconds: float = 1.0,
        ticks: Iterable[Tick] = (),
        owner: str | None = None,
        metrics_port: int = 0,
    ) -> None:
        """``clock`` gives aware UTC; the rest are settings' values. Starts nothing: see :meth:`run`."""
        self.owner = owner or new_owner()
        self._wakeup, self._clock, self._poll = wakeup, clock, poll_seconds
        self._metrics_port = metrics_port
        self._bell, self._rung = Event(), Event()
        self._lease = lease
        carrier = Carrier(database, channel, owner=self.owner, clock=clock, policy=policy, lease=lease)
        sender = Sender(channel, unanswered=unanswered, time_limit=lease * 0.9, tell=self._bell.set)
        paces = Paces(
            batch=SQLITE_BATCH if database.is_sqlite else BATCH,
            poll_seconds=poll_seconds,
            rescue_every=min(RESCUE_EVERY, lease.total_seconds() / 4),
        )
        self._lanes: list[Lane[Any, Any, Any]] = [
            Lane(carrier, sender, paces=paces, in_flight=metrics.IN_FLIGHT)
        ]
        if texts is not None:
            tell = self._bell.set
            self._lanes.append(
                text_lane(database, texts, owner=self.owner, clock=clock, lease=lease, tell=tell, paces=paces)
            )
        if google is not None:
            # Imported here: a worker without Google need not keep its client in memory.
            from app.worker.google_lane import google_lane

            tell = self._bell.set
            self._lanes.append(
                google_lane(
                    database, google, owner=self.owner, clock=clock, lease=lease, tell=tell, paces=paces
                )
            )
        self._ticker = Ticker(database, ticks, owner=self.owner)
        self._parts = [_Part(lane.cycle) for lane in self._lanes] + [_Part(self._tick)]
        self._ended = Event()

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set; then wait some seconds for what is under way.

        Survives the database and Redis being away: what was answered meanwhile is settled when it is back.
        """
        log.info("worker_started", owner=self.owner)
        listener = Thread(target=self._listen, name="bell", daemon=True)
        for lane in self._lanes:
            lane.start()
        listener.start()
        try:
            with metrics.served(self._metrics_port):
                self._work(stop)
                self._finish()
        finally:
            self._ended.set()
            for lane in self._lanes:
                lane.stop(patience=5)
            self._wakeup.ring()  # ends the listener's wait
            listener.join(self._poll + 6)
            self._wakeup.close()
            left = sum(lane.in_flight for lane in self._lanes)
            log.info("worker_stopped", owner=self.owner, left_to_their_lease=left)

    def _work(self, stop: Event) -> None:
        while not stop.is_set():
            self._bell.clear()
            if self._rung.is_set():
                self._rung.clear()
                self._ring()
            more = [self._do(part) for part in self._parts]
            if not any(more):
                self._bell.wait(self._pause())

    def _do(self, part: _Part) -> bool:
        """Do a part of the work, unless it rests; True where it may have more to do at once."""
        if time.monotonic() < part.rests_until:
            return False
        more = self._survive(part.work)
        part.back_off = min(LONGEST_BACK_OFF, part.back_off * 2 or 0.1) if more is None else 0.0
        part.rests_until = time.monotonic() + part.back_off if more is None else 0.0
        return bool(more)

    def _pause(self) -> float:
        """Seconds to wait for a bell: until the first part has something to do, or has rested."""
        now = time.monotonic()
        waits = [LONGEST_WAIT]
        waits += [part.rests_until - now for part in self._parts if part.rests_until]
        if (rest := self._ticker.pause()) is not None:
            waits.append(rest)
        working = zip(self._lanes, self._parts, strict=False)
        waits += [lane.pause() for lane, part in working if not part.rests_until]
        return max(0.0, min(waits))

    def _ring(self) -> None:
        for lane in self._lanes:
            lane.rang()

    def _tick(self) -> bool:
        ticked = self._ticker.step(self._clock())
        if ticked:
            self._ring()
        return ticked

    def _finish(self) -> None:
        for lane in self._lanes:
            lane.hold()
        deadline = time.monotonic() + min(LAST_ANSWERS, self._lease.total_seconds())
        while any(lane.busy for lane in self._lanes) and time.monotonic() < deadline:
            self._bell.clear()
            settled = [self._survive(lane.settle) for lane in self._lanes]
            if not any(settled):
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


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0][:300]
