"""Access tokens of a service account: one for all threads and tasks, renewed once, and before it ends.

google-auth makes the assertion and reads the answer; what it lacks is a transport for our HTTP client, which
is here, and somebody who decides when. A token that has begun to age is used while the next one is fetched
beside.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from app.errors import PerkpassError
from app.google.calls import SCOPE
from app.google.credentials import ServiceAccount
from app.google.reasons import plain
from app.outward import OutcomeUnknown, Unreachable, exchange_now

URL: Final = "https://oauth2.googleapis.com/token"
_EARLY: Final = timedelta(minutes=4)
"""How long before its end a token is renewed, at most a quarter of its life."""
_LATE: Final = timedelta(seconds=30)
"""How long before its end a token is used no more, at most a tenth of its life: it must last for the call."""
_ASSUMED_LIFE: Final = timedelta(minutes=5)
"""Of a token that does not say when it ends (RFC 6749 5.1: expires_in is recommended, no more)."""
_PAUSE: Final = 5.0
"""Seconds after a failure in which it is told again, and nobody asked."""


class NoToken(PerkpassError):
    """There is no token, and nothing was sent. ``denied``: it is the account's fault, and lasts."""

    def __init__(self, words: str, *, denied: bool) -> None:
        super().__init__(words)
        self.denied = denied


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    renew_at: datetime
    unusable_at: datetime


class Tokens:
    """The tokens of one account. Any thread may ask; nothing is fetched before somebody does."""

    def __init__(
        self,
        account: ServiceAccount,
        *,
        url: str = URL,
        ca: Path | None = None,
        within: float = 10.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``within``: seconds for one request to the token endpoint at ``url``. ``clock``: aware."""
        self._clock = clock
        self._account, self._url, self._ca, self._within = account, url, ca, within
        self._lock = threading.Lock()
        self._current: _Token | None = None
        self._coming: Future[str] | None = None
        self._failed: tuple[float, NoToken] | None = None
        self._renounced_at = -float("inf")

    def obtain(self) -> Future[str]:
        """The token now, or when it has come; raises :class:`NoToken` through the future."""
        now = self._clock()
        with self._lock:
            current = self._current
            if current and now < current.unusable_at:
                if now >= current.renew_at and not self._coming and not self._pausing():
                    self._begin()
                return _done(current.text)
            if self._coming:
                return self._coming
            if self._failed and self._pausing():
                return _failed(self._failed[1])
            return self._begin()

    def renounce(self, token: str) -> bool:
        """Use ``token`` no more, since the API refused it; False where another would fare no better."""
        with self._lock:
            if self._current is None or self._current.text != token:
                return True  # somebody has renounced it already
            if time.monotonic() - self._renounced_at < _PAUSE:
                return False
            self._renounced_at = time.monotonic()
            self._current = None
            return True

    def _pausing(self) -> bool:
        return self._failed is not None and time.monotonic() - self._failed[0] < _PAUSE

    def _begin(self) -> Future[str]:
        coming: Future[str] = Future()
        coming.set_running_or_notify_cancel()  # nobody who stops waiting takes it from the others
        self._coming = coming
        threading.Thread(target=self._fetch, args=(coming,), name="google-token", daemon=True).start()
        return coming

    def _fetch(self, coming: Future[str]) -> None:
        try:
            token = self._ask()
        except NoToken as fault:
            self._fail(coming, fault)
        except (
            Exception
        ) as fault:  # what google-auth makes of an answer that is none: TypeError, ValueError, …
            self._fail(coming, NoToken(f"the answer holds no token ({type(fault).__name__})", denied=False))
        else:
            with self._lock:
                self._coming, self._failed, self._current = None, None, token
            coming.set_result(token.text)

    def _fail(self, coming: Future[str], fault: NoToken) -> None:
        with self._lock:
            self._coming, self._failed = None, (time.monotonic(), fault)
        coming.set_exception(fault)

    def _ask(self) -> _Token:
        # It is large, and who has no Google cards needs none of it.
        from google.auth import exceptions
        from google.auth.crypt import RSASigner
        from google.oauth2 import service_account

        account = self._account
        asked = self._clock()
        try:
            credentials = service_account.Credentials(
                RSASigner(account.private_key, account.key_id),
                service_account_email=account.email,
                token_uri=self._url,
                scopes=[SCOPE],
            )
            # Nothing but this: its before_request() would also look up a "regional access boundary".
            credentials.refresh(self._transport)
        except exceptions.RefreshError as fault:
            raise NoToken(_words(fault), denied=not fault.retryable) from None
        except (exceptions.GoogleAuthError, Unreachable, OutcomeUnknown, OSError) as fault:
            raise NoToken(f"{type(fault).__name__}: {fault}"[:_WORDS], denied=False) from None
        text, expiry = credentials.token, credentials.expiry
        if not isinstance(text, str) or not text.isascii() or not text.isprintable():
            raise NoToken("the token endpoint's answer holds no token", denied=False)
        life = expiry.replace(tzinfo=UTC) - datetime.now(UTC) if expiry else _ASSUMED_LIFE
        life = max(life, timedelta())
        ends = asked + life
        return _Token(text, ends - min(_EARLY, life / 4), ends - min(_LATE, life / 10))

    def _transport(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> _Response:
        """``google.auth.transport.Request``, over our client."""
        within = min(timeout or self._within, self._within)
        reply = exchange_now(method, url, ca=self._ca, within=within, headers=headers, content=body)
        return _Response(reply.status, reply.headers, reply.content)


@dataclass(frozen=True, slots=True)
class _Response:
    """``google.auth.transport.Response``."""

    status: int
    headers: Mapping[str, str]
    data: bytes


_WORDS: Final = 500


def _words(fault: Any) -> str:
    return plain(str(fault.args[0] if fault.args else fault).encode("utf-8", "replace"))


def _done(token: str) -> Future[str]:
    future: Future[str] = Future()
    future.set_result(token)
    return future


def _failed(fault: NoToken) -> Future[str]:
    future: Future[str] = Future()
    future.set_exception(NoToken(str(fault), denied=fault.denied))
    return future
