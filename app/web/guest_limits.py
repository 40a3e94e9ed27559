"""How often one address may begin visits, show their pages and send forms.

A venue's guests share its Wi-Fi, and a mobile operator's customers share far more, so the limits stop
machines, not crowds. Where the store of the counts does not answer, guests are let through.
"""

from __future__ import annotations

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute

from app.web.rate_limits import RateLimits, site_of

VISITS: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(240), RateLimitItemPerHour(3000))
FORMS: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(60), RateLimitItemPerHour(600))


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
        self._limits, self._visits, self._forms = RateLimits(storage), visits, forms

    def count_visit(self, address: str) -> None:
        """One more new visit; raises :class:`app.errors.TooMany`."""
        self._limits.count(self._visits, "guest", "visit", site_of(address))

    def count_seen(self, address: str) -> None:
        """One more page that was shown; raises :class:`app.errors.TooMany`."""
        self._limits.count(self._visits, "guest", "seen", site_of(address))

    def count_form(self, address: str) -> None:
        """One more form; raises :class:`app.errors.TooMany`."""
        self._limits.count(self._forms, "guest", "form", site_of(address))
