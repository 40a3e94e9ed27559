"""How often passwords may be tried: per address, and per account without locking out whose account it is.

A browser that signed in before carries a signed note and is counted by itself: however many strangers try
this account's password from however many addresses, its owner still gets in from their own devices.
"""

from __future__ import annotations

import hashlib
from typing import Final

from flask import Response, request
from itsdangerous import BadSignature, Signer
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute

from app.db.identifiers import UserId
from app.web.console.cookies import Cookies
from app.web.rate_limits import RateLimits, site_of
from app.web.services import Services

PER_ADDRESS: Final[tuple[RateLimitItem, ...]] = (RateLimitItemPerMinute(20), RateLimitItemPerHour(120))
PER_ACCOUNT_AND_ADDRESS: Final[tuple[RateLimitItem, ...]] = (
    RateLimitItemPerMinute(5, 5),
    RateLimitItemPerHour(20),
)
PER_ACCOUNT: Final[tuple[RateLimitItem, ...]] = (RateLimitItemPerHour(100),)
PER_KNOWN_BROWSER: Final[tuple[RateLimitItem, ...]] = (RateLimitItemPerMinute(10, 5),)
_YEAR: Final = 365 * 24 * 3600


class SignInLimits:
    """Counts every try before the password is looked at, right or wrong."""

    def __init__(self, services: Services, cookies: Cookies) -> None:
        self._limits = RateLimits(services.rate_limit_storage)
        self._signer = Signer(services.secret_key, salt="console browser")
        self._secure = cookies.secure
        self._name = "__Host-perkpass-browser" if cookies.secure else "perkpass-browser"

    def count(self, email: str, address: str) -> None:
        """One more try; raises :class:`app.errors.TooMany`."""
        site, account = site_of(address), _short(email)
        if self._knows() == account:
            self._limits.count(PER_KNOWN_BROWSER, "console", "browser", account, site)
            return
        self._limits.count(PER_ADDRESS, "console", "address", site)
        self._limits.count(PER_ACCOUNT_AND_ADDRESS, "console", "account at", account, site)
        self._limits.count(PER_ACCOUNT, "console", "account", account)

    def count_address(self, address: str) -> None:
        """One more try of something else that is guessed at, a link's token; raises TooMany."""
        self._limits.count(PER_ADDRESS, "console", "address", site_of(address))

    def count_password(self, user_id: UserId) -> None:
        """One more try of somebody signed in to say their present password; raises TooMany."""
        self._limits.count(PER_KNOWN_BROWSER, "console", "own password", str(user_id))

    def remember(self, response: Response, email: str) -> None:
        """The browser signed in to this account."""
        response.set_cookie(
            self._name, self._signer.sign(_short(email)).decode(), max_age=_YEAR, path="/",
            secure=self._secure, httponly=True, samesite="Lax",
        )  # fmt: skip

    def _knows(self) -> str:
        try:
            return self._signer.unsign(request.cookies.get(self._name, "")).decode()
        except (BadSignature, UnicodeDecodeError):
            return ""


def _short(email: str) -> str:
    """An account in a few letters, so that no store of counts lists addresses."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:24]
