"""HTTP to a gateway: one client per login, and which failures mean that nothing was handed over.

A request is sent once. Whether it may be sent again is for the keeper of the promise to say, so that nothing
here repeats, follows a redirect, or takes a proxy from the environment: credentials and texts go where the
file of logins says, and nowhere else.
"""

from __future__ import annotations

import asyncio
import math
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from app.sms.gateway import NotInTime, OutcomeUnknown, Unreachable


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds; together well within the lease of a claimed text, which somebody else may send after it."""

    turn: float = 5.0  # for a place among the requests under way
    connect: float = 5.0
    exchange: float = 12.0  # from the first octet of connecting to the last of the answer


_IDLE_SECONDS = 4.0
"""An idle connection is left before the servers in front of gateways close it: a text sent into one that is
just being closed would be in doubt for nothing."""

_NOT_HANDED_OVER = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
)


class Reply:
    """What came back: status, headers, and the JSON document where there is one."""

    __slots__ = ("document", "retry_after", "status")

    def __init__(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.retry_after = _seconds(response.headers.get("retry-after"))
        self.document: dict[str, Any] | None = None
        try:
            document = response.json()
        except ValueError:  # also where the body is not UTF-8
            document = None
        if isinstance(document, dict):
            self.document = document


class Wire:
    """The client of one login. Belongs to the event loop that first uses it."""

    def __init__(
        self,
        url: str,
        *,
        ca: Path | None,
        at_once: int,
        auth: tuple[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        """``at_once``: requests under way at a time, of this process."""
        self._patience = patience or Patience()
        # Over loopback without TLS nobody is to be trusted, and loading the system's authorities takes long.
        tls = (
            ssl.create_default_context(cafile=str(ca) if ca else None)
            if url.startswith("https:")
            else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._client = httpx2.AsyncClient(
            base_url=url,
            verify=tls,
            auth=auth,
            timeout=httpx2.Timeout(self._patience.exchange, connect=self._patience.connect),
            limits=httpx2.Limits(
                max_connections=at_once, max_keepalive_connections=at_once, keepalive_expiry=_IDLE_SECONDS
            ),
            follow_redirects=False,
            trust_env=False,
        )
        self._turns = asyncio.Semaphore(at_once)

    async def hand_over(self, path: str, form: Mapping[str, str], *, leave_by: float = math.inf) -> Reply:
        """Post what may be done once only, and not at all after ``leave_by`` (of time.monotonic()).

        Raises :class:`Unreachable` where it did not leave, :class:`OutcomeUnknown` where it may have arrived.
        """
        return await self._exchange("POST", path, form, leave_by)

    async def ask(self, path: str, form: Mapping[str, str] | None = None) -> Reply:
        """Ask what changes nothing: GET, or POST of a ``form``. Raises :class:`Unreachable`."""
        try:
            return await self._exchange("POST" if form else "GET", path, form)
        except OutcomeUnknown as fault:
            raise Unreachable(str(fault)) from None

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _exchange(
        self, method: str, path: str, form: Mapping[str, str] | None, leave_by: float = math.inf
    ) -> Reply:
        patience = self._patience
        try:
            async with asyncio.timeout(min(patience.turn, max(0.0, leave_by - time.monotonic()))):
                await self._turns.acquire()
        except TimeoutError:  # what waits for its turn has not left, and is in no doubt
            raise _not_in_time(leave_by, "too many requests are waiting for their answers") from None
        try:
            left = leave_by - time.monotonic()
            if left <= 0:
                raise NotInTime("its turn came too late")
            timeout = httpx2.Timeout(patience.exchange, connect=min(patience.connect, left))
            async with asyncio.timeout(patience.exchange):
                response = await self._client.request(method, path, data=form, timeout=timeout)
        except TimeoutError:
            raise OutcomeUnknown(f"no answer within {patience.exchange:g} s") from None
        except _NOT_HANDED_OVER as fault:
            raise _not_in_time(leave_by, _words(fault)) from None
        except httpx2.HTTPError as fault:
            # Also a broken write: what the other side had read by then, nobody knows.
            raise OutcomeUnknown(_words(fault)) from None
        finally:
            self._turns.release()
        return Reply(response)


def _not_in_time(leave_by: float, words: str) -> Unreachable:
    return NotInTime(words) if time.monotonic() >= leave_by else Unreachable(words)


def _words(fault: Exception) -> str:
    """Without the request, which holds credentials and the guest's number."""
    return f"{type(fault).__name__}: {fault}".removesuffix(": ")


def _seconds(header: str | None) -> timedelta | None:
    """``Retry-After`` in seconds (RFC 9110 10.2.3); its other form, a date, no gateway of ours sends."""
    return timedelta(seconds=int(header)) if header and header.isascii() and header.isdigit() else None
