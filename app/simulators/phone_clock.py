"""A phone's clock, which may run faster than ours so that an hour of its patience fits into a demo."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class PhoneClock:
    """Starts at the true time and runs ``factor`` times as fast."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self._began, self._origin = time.monotonic(), time.time()

    def seconds(self) -> float:
        """UNIX seconds on this clock."""
        return self._origin + (time.monotonic() - self._began) * self.factor

    def now(self) -> datetime:
        """The same as an aware moment."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def advance(self, seconds: float) -> None:
        """Jump ahead; whoever sleeps already is not woken by it."""
        self._origin += seconds

    async def sleep(self, seconds: float) -> None:
        """Until so many of this clock's seconds have passed."""
        await asyncio.sleep(seconds / self.factor)
