"""Moving windows in this process: exact, in bounded memory, a step's work for each hit.

The limits library's own memory storage starts a thread for a hit and walks all that it has counted.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from limits import RateLimitItem

MOST_WINDOWS = 20_000
"""Some 7 MB of names with a few hits each."""


class Windows:
    """The hits of each name within its window; names that were not heard of for longest are forgotten."""

    def __init__(self, *, most: int = MOST_WINDOWS, clock: Callable[[], float] = time.monotonic) -> None:
        """At most ``most`` names are kept; ``clock`` gives seconds and only grows."""
        self._most, self._clock = most, clock
        self._hits: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = Lock()

    def hit(self, limit: RateLimitItem, *who: str) -> float:
        """Count one; 0, or the seconds to wait for where the limit is reached: then nothing is counted."""
        name, seconds = limit.key_for(*who), limit.get_expiry()
        with self._lock:
            now = self._clock()
            hits = self._hits.pop(name, [])
            self._hits[name] = hits
            del hits[: bisect_right(hits, now - seconds)]
            if len(hits) >= limit.amount:
                return hits[0] + seconds - now
            hits.append(now)
            if len(self._hits) > self._most:
                self._hits.popitem(last=False)
            return 0.0

    def __len__(self) -> int:
        """How many names are kept."""
        with self._lock:
            return len(self._hits)
