"""How long we wait and how often we try: few connections, long lives, no rapid open and close.

Apple, "Sending notification requests to APNs": keep connections open; opening and closing them rapidly is
taken for an attack.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import Final

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 30.0
BUSY_SHARE: Final = 0.7
"""A further connection is opened when more than this share of the streams is used."""
BURST: Final = 8
BURST_SECONDS: Final = 10.0
"""At most ``BURST`` connections are opened at once; from there on they are spread over ``BURST_SECONDS``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """What a client puts up with. Times in seconds; the defaults suit Apple."""

    connect_timeout: float = 5.0
    """From dialling to the server's SETTINGS."""
    ping_timeout: float = 3.0
    """With pushes under way: silence until a PING, and again until its answer."""
    idle_after: float = 60.0
    """After so long a silence a connection must answer a PING before it is used."""
    attempts: int = 5
    """How often one push is sent at most."""
    connect_attempts: int = 4
    """Failures in a row after which waiting pushes are given up."""
    queue_limit: int = 20_000
    """Pushes that may wait for a stream."""


class Pacing:
    """How long to wait before the next connection is opened. Times are the loop's."""

    def __init__(self) -> None:
        self.failures = 0
        self._not_before = 0.0
        self._opened: deque[float] = deque(maxlen=BURST)

    def failed(self, now: float) -> None:
        """A connection could not be opened, or ended without one answer: back off, with jitter."""
        self.failures += 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self.failures - 1, 16))
        self._not_before = now + pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    def succeeded(self) -> None:
        """A connection carried an answer: the way is open."""
        self.failures = 0
        self._not_before = 0.0

    def opening(self, now: float) -> float:
        """Note an attempt; returns the seconds to wait before it."""
        moment = max(now, self._not_before)
        if len(self._opened) == BURST:
            last, oldest = self._opened[-1], self._opened[0]
            if moment - oldest < BURST_SECONDS:
                moment = max(moment, last + BURST_SECONDS / BURST)
        self._opened.append(moment)
        return moment - now


def retry_pause(attempts: int) -> float:
    """Seconds before a push whose stream was reset is sent again; jitter breaks lock-step with the server."""
    return 0.02 * 2.0 ** min(attempts, 5) * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, guards nothing
