"""A bell for many machines: a short list in Redis. One ring wakes one worker."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final

_KEY: Final = "perkpass:wakeup"
_MOST_RINGS: Final = 16
"""Rings kept while nobody waits: enough to wake every worker, and no more."""
_PATIENCE: Final = 0.25
"""Seconds that a ring may cost whoever rings while Redis is away."""
_PAUSE: Final = 1.0
"""Seconds without a try after Redis did not answer, so that a request does not pay for each."""
_LONGEST_WAIT: Final = 5.0


class RedisWakeup:
    """Rings through LPUSH, waits in BRPOP. While Redis is away nobody is woken, and polls go on."""

    def __init__(self, url: str) -> None:
        """``url`` as in PERKPASS_REDIS_URL. Connects when first used."""
        from redis import Redis  # loaded where there is one: embedded processes do without
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # A second try is the next ring, or the next poll.
        once = Retry(NoBackoff(), 0)
        self._ringer = Redis.from_url(
            url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=once
        )
        self._waiter = Redis.from_url(
            url, socket_timeout=_LONGEST_WAIT + 5, socket_connect_timeout=_PATIENCE, retry=once
        )
        self._silent_until = 0.0

    def ring(self) -> None:
        """Wake one worker."""
        if time.monotonic() < self._silent_until:
            return
        try:
            with self._ringer.pipeline(transaction=False) as pipeline:
                pipeline.lpush(_KEY, b"!")
                pipeline.ltrim(_KEY, 0, _MOST_RINGS - 1)
                pipeline.execute()
        except Exception:  # of a client half closed or half connected: never the ringer's trouble
            self._silent_until = time.monotonic() + _PAUSE

    def wait(self, timeout: float) -> bool:
        """Sleep until rung, at most ``timeout`` seconds (and at most five)."""
        deadline = time.monotonic() + min(timeout, _LONGEST_WAIT)
        try:
            return self._waiter.brpop([_KEY], timeout=max(0.01, min(timeout, _LONGEST_WAIT))) is not None
        except Exception:  # as above; the poll goes on
            time.sleep(max(0.0, deadline - time.monotonic()))
            return False

    def close(self) -> None:
        """Close the connections."""
        with suppress(Exception):
            self._ringer.close()
            self._waiter.close()
