"""How often one address may begin visits and send forms.

A venue's guests share its Wi-Fi, and a mobile operator's customers share far more, so the limits stop
machines, not crowds. Where the store of the counts does not answer, guests are let through.
"""

from __future__ import annotations

import ipaddress
import time
from datetime import timedelta
from typing import Any

import structlog
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from app.errors import TooMany

VISITS: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(240), RateLimitItemPerHour(3000))
FORMS: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(60), RateLimitItemPerHour(600))
_V6_SITE = 64  # one customer of a provider has a whole /64
log = structlog.get_logger()


class GuestLimits:
    """Counts visits and forms per address, in this process or in Redis."""

    def __init__(
        self,
        storage: str,
        *,
        visits: tuple[RateLimitItem, ...] = VISITS,
        forms: tuple[RateLimitItem, ...] = FORMS,
    ) -> None:
        """``storage`` is "memory://" or "redis://…", as the limits library spells it."""
        # A store that hangs costs a guest a moment, not their patience.
        waits: dict[str, Any] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
        options = {} if storage.startswith("memory") else {"wrap_exceptions": True, **waits}
        self._limiter = MovingWindowRateLimiter(storage_from_string(storage, **options))
        self._visits, self._forms = visits, forms

    def count_visit(self, address: str) -> None:
        """One more new visit; raises :class:`TooMany`."""
        self._count(self._visits, "visit", address)

    def count_form(self, address: str) -> None:
        """One more form; raises :class:`TooMany`."""
        self._count(self._forms, "form", address)

    def _count(self, limits: tuple[RateLimitItem, ...], what: str, address: str) -> None:
        site = site_of(address)
        try:
            for limit in limits:
                if not self._limiter.hit(limit, "guest", what, site):
                    # The slot that frees is the oldest hit's, not a whole window from now.
                    reset = self._limiter.get_window_stats(limit, "guest", what, site).reset_time
                    wait = max(1, round(reset - time.time()))
                    raise TooMany("too-many-requests", what, retry_after=timedelta(seconds=wait))
        except StorageError as fault:
            log.warning("rate_limits_unavailable", fault=type(fault.storage_error).__name__)


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
