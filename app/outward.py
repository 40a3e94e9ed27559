"""HTTP to an outside party: one client a party, and which failures mean that nothing was handed over.

A request is sent once. Whether it may be sent again is for the keeper of the promise to say, so that nothing
here repeats, follows a redirect, or takes a proxy from the environment: credentials and texts go where the
settings say, and nowhere else. Answers are bounded in time and in size.
"""

from __future__ import annotations

import asyncio
import math
import ssl
import time
from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx2

from app.errors import PerkpassError


class Unreachable(PerkpassError):
    """Nothing was handed over: no connection, or it broke before the request had left."""


class NotInTime(Unreachable):
    """Nothing was handed over: its time to leave was over before its turn came."""


class OutcomeUnknown(PerkpassError):
    """The request may have arrived: no answer, a broken connection, a 5xx after the body was sent."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds; together well within the lease of a promise, which somebody else may carry after it."""

    turn: float = 5.0  # for a place among the requests under way
    connect: float = 5.0
    exchange: float = 12.0  # from the first octet of connecting to the last of the answer


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]  # looked up in whatever case
    content: bytes


_IDLE_SECONDS: Final = 4.0
"""An idle connection is left before the servers in front of a party close it: what is sent into one that is
just being closed would be in doubt for nothing."""
_LARGEST: Final = 8 * 1024 * 1024
"""Octets of an answer, unpacked: more is no answer to anything that we ask."""

_NOT_HANDED_OVER = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
)


class Line:
    """The client of one party. Belongs to the event loop that first uses it."""

    def __init__(
        self,
        url: str,
        *,
        ca: Path | None,
        at_once: int,
        patience: Patience,
        auth: tuple[str, str] | None = None,
    ) -> None:
        """``at_once``: requests under way at a time, of this process. Raises OSError where ``ca`` is none."""
        self._patience = patience
        self._client = httpx2.AsyncClient(
            base_url=url,
            verify=_tls(url, ca),
            auth=auth,
            timeout=httpx2.Timeout(patience.exchange, connect=patience.connect),
            limits=httpx2.Limits(
                max_connections=at_once, max_keepalive_connections=at_once, keepalive_expiry=_IDLE_SECONDS
            ),
            follow_redirects=False,
            trust_env=False,
        )
        self._turns = asyncio.Semaphore(at_once)

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        leave_by: float = math.inf,
        within: float | None = None,
    ) -> Reply:
        """Send one request, and not at all after ``leave_by`` (of time.monotonic()); await all of its answer.

        ``within``: seconds for this exchange, where not those of the patience. Raises :class:`Unreachable`
        where it did not leave, :class:`OutcomeUnknown` where it may have arrived.
        """
        patience = self._patience
        within = within or patience.exchange
        try:
            async with asyncio.timeout(min(patience.turn, max(0.0, leave_by - time.monotonic()))):
                await self._turns.acquire()
        except TimeoutError:  # what waits for its turn has not left, and is in no doubt
            raise _not_in_time(leave_by, "too many requests are waiting for their answers") from None
        try:
            left = leave_by - time.monotonic()
            if left <= 0:
                raise NotInTime("its turn came too late")
            timeout = httpx2.Timeout(within, connect=min(patience.connect, left))
            async with (
                asyncio.timeout(within),
                self._client.stream(
                    method, path, headers=headers, data=form, content=content, timeout=timeout
                ) as response,
            ):
                body = await _all_of(response.aiter_bytes())
        except TimeoutError:
            raise OutcomeUnknown(f"no answer within {within:g} s") from None
        except _NOT_HANDED_OVER as fault:
            raise _not_in_time(leave_by, _words(fault)) from None
        except httpx2.HTTPError as fault:
            # Also a broken write: what the other side had read by then, nobody knows.
            raise OutcomeUnknown(_words(fault)) from None
        finally:
            self._turns.release()
        return Reply(response.status_code, response.headers, body)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def exchange_now(
    method: str,
    url: str,
    *,
    ca: Path | None,
    within: float,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Reply:
    """One request over a connection of its own, from a thread that may wait: for what is rarely asked.

    ``within``: seconds for each of connecting, sending and waiting, and for the whole of the answer's body.
    Raises :class:`Unreachable` and :class:`OutcomeUnknown` as :class:`Line` does.
    """
    try:
        with (
            httpx2.Client(
                verify=_tls(url, ca), timeout=within, follow_redirects=False, trust_env=False
            ) as client,
            client.stream(method, url, headers=headers, content=content) as response,
        ):
            body = _all_of_now(response.iter_bytes(), until=time.monotonic() + within)
            return Reply(response.status_code, response.headers, body)
    except _NOT_HANDED_OVER as fault:
        raise Unreachable(_words(fault)) from None
    except httpx2.HTTPError as fault:
        raise OutcomeUnknown(_words(fault)) from None


def seconds(header: str | None) -> timedelta | None:
    """A header's whole seconds, as ``Retry-After`` gives them (RFC 9110 10.2.3); None of anything else."""
    if header and header.isascii() and header.isdigit() and len(header) <= 9:
        return timedelta(seconds=int(header))
    return None


def _tls(url: str, ca: Path | None) -> ssl.SSLContext:
    if url.startswith("https:"):
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    # Over loopback without TLS nobody is to be trusted, and loading the system's authorities takes long.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def _all_of(pieces: AsyncIterable[bytes]) -> bytes:
    body = bytearray()
    async for piece in pieces:
        _grow(body, piece)
    return bytes(body)


def _all_of_now(pieces: Iterable[bytes], *, until: float) -> bytes:
    body = bytearray()
    for piece in pieces:
        _grow(body, piece)
        if time.monotonic() > until:
            raise OutcomeUnknown("its answer takes too long")
    return bytes(body)


def _grow(body: bytearray, piece: bytes) -> None:
    body += piece
    if len(body) > _LARGEST:
        raise OutcomeUnknown(f"its answer is larger than {_LARGEST} octets")


def _not_in_time(leave_by: float, words: str) -> Unreachable:
    return NotInTime(words) if time.monotonic() >= leave_by else Unreachable(words)


def _words(fault: Exception) -> str:
    """Without the request, which holds credentials and guests' data."""
    return f"{type(fault).__name__}: {fault}".removesuffix(": ")
