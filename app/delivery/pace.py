"""The rate that a login's texts or an issuer's requests may leave at, kept by all processes together.

It is GCRA on one row of ``sending_pace``. The generic cell rate algorithm (ITU-T I.371) keeps one moment, the
theoretical arrival time: ``free_at``, when the next one would leave if all left evenly. One may leave up to
``burst - 1`` intervals before it.
Departures are given out a little ahead of time, so that the rate does not depend on how often workers look.
Pure; the row is read and written by :mod:`app.delivery.store_pace`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from typing import Final

from app.errors import Misconfigured

AHEAD: Final = timedelta(seconds=0.5)
"""How far ahead departures are given out; who dies with some of them wastes that much of the rate at most."""


@dataclass(frozen=True, slots=True)
class Pace:
    """``rate`` texts or requests a second in the long run, ``burst`` of them at once after a silence."""

    rate: float
    burst: int = 1

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.burst < 1:
            raise Misconfigured("a rate must be above 0 a second and its burst at least 1")

    @property
    def interval(self) -> float:
        """Seconds between two departures."""
        return 1.0 / self.rate

    def room(self, free_at: datetime | None, *, now: datetime, ahead: timedelta = AHEAD) -> int:
        """How many may be given a departure until ``now + ahead``."""
        first = max(free_at or now, now)
        free = (now + ahead - first).total_seconds() / self.interval + self.burst
        return max(0, floor(free + 1e-6))

    def take(
        self, free_at: datetime | None, count: int, *, now: datetime
    ) -> tuple[list[datetime], datetime | None]:
        """The departures of ``count`` of them, none before ``now``, and when the next is free after them."""
        if count <= 0:
            return [], free_at
        first = max(free_at or now, now)
        tolerance = (self.burst - 1) * self.interval
        departures = [
            max(now, first + timedelta(seconds=number * self.interval - tolerance)) for number in range(count)
        ]
        return departures, first + timedelta(seconds=count * self.interval)
