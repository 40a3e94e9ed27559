"""One channel's way through the worker: look for what is due, have it sent, settle what came of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from prometheus_client import Gauge
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.worker import metrics
from app.worker.agenda import Agenda
from app.worker.sending import Carried, Sender

MOST_IN_FLIGHT: Final = 2000
REFRESH_EVERY: Final = 600.0

R = TypeVar("R", bound=Carried)
A = TypeVar("A", bound=Carried)
R_co = TypeVar("R_co", bound=Carried, covariant=True)
A_contra = TypeVar("A_contra", bound=Carried, contravariant=True)
H = TypeVar("H")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paces:
    """How a worker goes about all its lanes."""

    batch: int  # promises a transaction
    poll_seconds: float
    rescue_every: float  # seconds


@dataclass(frozen=True, slots=True)
class Taken(Generic[R_co]):
    """What one prepare beat brought."""

    ready: tuple[R_co, ...]
    again: float | None = None  # seconds until there may be more; None: not before the next poll


class Hands(Protocol[R_co, A_contra, H]):
    """The two database beats of a channel."""

    def rescue(self) -> int:
        """Take back what dead workers held; how many."""

    def take(self, limit: int) -> Taken[R_co]:
        """Prepare: claim and record up to ``limit``. Short transactions."""

    def hear(self, answers: Sequence[A_contra], /) -> H:
        """Take in what came back; called once for each answer."""

    def settle(self, heard: H, /) -> None:
        """Settle it; called until the database takes it. One short transaction."""


class Lane(Generic[R, A, H]):
    """One channel within a worker; everything here runs in the worker's thread."""

    def __init__(
        self,
        hands: Hands[R, A, H],
        sender: Sender[R, A],
        *,
        paces: Paces,
        in_flight: Gauge,
        beats: tuple[str, str] = ("prepare", "settle"),
        begin: Callable[[], None] | None = None,
        chore: Callable[[], bool] | None = None,
        hold: Callable[[], None] | None = None,
    ) -> None:
        """``begin`` is called once the sender's loop runs, ``chore`` each cycle: True where there is more.

        ``hold`` has what is claimed and was not handed over given back, before the end.
        """
        self._hands, self._sender, self._batch = hands, sender, paces.batch
        self._agenda = Agenda(poll_seconds=paces.poll_seconds, batch=paces.batch)
        self._gauge, self._beats = in_flight, beats
        self._begin, self._chore, self._hold = begin, chore, hold
        self._unsettled: deque[H] = deque()
        self._rescue_every, self._rescue_at = paces.rescue_every, 0.0
        self._refresh_at = time.monotonic() + REFRESH_EVERY

    @property
    def in_flight(self) -> int:
        """How many are claimed and not settled."""
        return self._sender.in_flight

    @property
    def busy(self) -> bool:
        """Whether anything waits for an answer or to be settled."""
        return bool(self._sender.in_flight or self._unsettled)

    def start(self) -> None:
        """Begin to serve connections."""
        self._sender.start()
        if self._begin:
            self._begin()

    def hold(self) -> None:
        """Begin nothing any more; what was begun is still answered and settled."""
        if self._hold:
            self._hold()

    def stop(self, patience: float) -> None:
        """Close connections; what is unanswered stays claimed until its lease ends."""
        self._sender.stop(patience)

    def rang(self) -> None:
        """Something may be due."""
        self._agenda.rang(time.monotonic())

    def pause(self) -> float:
        """Seconds to wait for a bell."""
        answered, in_flight = self._sender.answered, self._sender.in_flight
        return self._agenda.pause(
            time.monotonic(),
            answered=answered,
            unanswered=in_flight - answered,
            full=in_flight >= MOST_IN_FLIGHT,
        )

    def cycle(self) -> bool:
        """Do what it is time for; True where the chore may have more to do at once."""
        now = time.monotonic()
        answered = self._sender.answered
        unanswered = self._sender.in_flight - answered
        if self._unsettled or self._agenda.must_settle(now, answered=answered, unanswered=unanswered):
            self.settle()
        if now >= self._rescue_at:
            self._rescue_at = now + self._rescue_every
            if self._hands.rescue():
                self._agenda.rang(now)
        if now >= self._refresh_at:
            self._refresh_at = now + REFRESH_EVERY
            self._sender.refresh()
        room = MOST_IN_FLIGHT - self._sender.in_flight
        if room > 0 and self._agenda.must_look(now):
            self._look(now, min(self._batch, room))
        return self._chore() if self._chore else False

    def _look(self, now: float, limit: int) -> None:
        """Claim and send up to ``limit``."""
        self._agenda.looked(now)  # where the look fails the next one is not at once
        with _timed(self._beats[0]):
            taken = self._hands.take(limit)
        self._agenda.looked(now, more=taken.again == 0, again=taken.again)
        if taken.ready:
            self._sender.send(taken.ready)
            self._gauge.set(self._sender.in_flight)

    def settle(self) -> bool:
        """Settle the next answers; False where there are none."""
        if answers := self._sender.fetch(self._batch):
            self._unsettled.append(self._hands.hear(answers))
        if not self._unsettled:
            return False
        heard = self._unsettled[0]
        try:
            with _timed(self._beats[1]):
                self._hands.settle(heard)
        except (OperationalError, PoolTimeout):
            raise  # kept, and settled when the database is back; a lease that ends meanwhile changes nothing
        except Exception:
            self._unsettled.popleft()  # not again and again: the leases bring these rows back
            raise
        self._unsettled.popleft()
        self._agenda.settled(time.monotonic())
        self._gauge.set(self._sender.in_flight)
        return True


@contextmanager
def _timed(beat: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    metrics.BEATS.labels(beat).observe(time.monotonic() - began)
