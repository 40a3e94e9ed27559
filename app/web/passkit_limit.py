"""Limits of the PassKit service: calls of the log endpoint by address, registrations by pass.

They are counted in the web process that is asked, without a word to another one: a phone is not to wait for
Redis.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

LOG_BURST, LOG_PER_SECOND = 30, 0.5
"""Calls of the log endpoint from one address."""

CHANGE_BURST, CHANGES_PER_SECOND = 120, 1.0
"""Registrations and unregistrations of one pass: each is a write, and the database has one writer."""


class Buckets:
    """Token buckets by name in bounded memory: those untouched for longest are forgotten first."""

    def __init__(self, *, burst: float, per_second: float, most: int = 10_000) -> None:
        """``burst`` at once, then ``per_second``; at most ``most`` buckets are kept."""
        self._burst, self._per_second, self._most = burst, per_second, most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # name: (left, when)
        self._lock = Lock()

    def allows(self, name: str, now: float) -> bool:
        """Take one from the bucket of ``name`` at ``now`` (seconds of any clock that only grows)."""
        with self._lock:
            left, when = self._buckets.pop(name, (self._burst, now))
            left = min(self._burst, left + max(0.0, now - when) * self._per_second)
            allowed = left >= 1
            self._buckets[name] = (left - 1 if allowed else left, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
            return allowed

    def __len__(self) -> int:
        """How many buckets are kept."""
        with self._lock:
            return len(self._buckets)
