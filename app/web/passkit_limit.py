"""Limits of the PassKit service: calls of the log endpoint by address, registrations by pass."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

LOG_BURST, LOG_PER_SECOND = 30, 0.5
"""Calls of the log endpoint from one address."""

CHANGE_BURST, CHANGES_PER_SECOND = 120, 1.0
"""Registrations and unregistrations of one pass: each is a write, and the database has one writer."""


class AddressLimit:
    """Token buckets in bounded memory: the addresses that were silent longest are forgotten first."""

    def __init__(self, *, burst: float, per_second: float, addresses: int = 10_000) -> None:
        """``burst`` at once, then ``per_second``; at most ``addresses`` buckets are kept."""
        self._burst, self._per_second, self._most = burst, per_second, addresses
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address: (left, when)
        self._lock = Lock()

    def allows(self, address: str, now: float) -> bool:
        """Take one from the bucket of ``address`` at ``now`` (seconds of any clock that only grows)."""
        with self._lock:
            left, when = self._buckets.pop(address, (self._burst, now))
            left = min(self._burst, left + max(0.0, now - when) * self._per_second)
            allowed = left >= 1
            self._buckets[address] = (left - 1 if allowed else left, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
            return allowed

    def __len__(self) -> int:
        """How many addresses are remembered."""
        with self._lock:
            return len(self._buckets)
