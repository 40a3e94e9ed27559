"""Moving-window limits, counted in this process or in Redis; where Redis is away everybody goes on."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from app.errors import TooMany
from app.web.windows import Windows

_V6_SITE = 64  # one customer of a provider has a whole /64
# A store that hangs costs who asks a moment, not their patience.
_WAITS: dict[str, Any] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
log = structlog.get_logger()


class RateLimits:
    """Counts what is told apart by words: who, and doing what."""

    def __init__(self, storage: str) -> None:
        """``storage`` is "memory://" or "redis://…", as the limits library spells it."""
        self._windows = Windows() if storage.startswith("memory") else _SharedWindows(storage)

    def count(self, limits: Sequence[RateLimitItem], *who: str, sentence: str = "Wait a little.") -> None:
        """One more; raises :class:`TooMany` with ``sentence`` beyond any of ``limits``."""
        for limit in limits:
            if wait := self._windows.hit(limit, *who):
                raise TooMany("too-many-requests", sentence, retry_after=timedelta(seconds=max(1.0, wait)))


class _SharedWindows:
    """Moving windows that several processes share."""

    def __init__(self, storage: str) -> None:
        self._limiter = MovingWindowRateLimiter(storage_from_string(storage, wrap_exceptions=True, **_WAITS))

    def hit(self, limit: RateLimitItem, *who: str) -> float:
        """Like :meth:`Windows.hit`."""
        try:
            if self._limiter.hit(limit, *who):
                return 0.0
            # The slot that frees is the oldest hit's, not a whole window from now.
            return self._limiter.get_window_stats(limit, *who).reset_time - time.time() or 1.0
        except StorageError as fault:
            log.warning("rate_limits_unavailable", fault=type(fault.storage_error).__name__)
            return 0.0


def site_of(address: str) -> str:
    """Who is counted together: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _V6_SITE), strict=False))
    return str(parsed)
