"""HTTP as whoever must have an answer does it: the same request again until there is one."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from dataclasses import dataclass, field

import httpx

_PAUSE = 0.05
_NO_TLS = ssl.SSLContext(
    ssl.PROTOCOL_TLS_CLIENT
)  # everybody here speaks http: no list of authorities to read
_CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=50)


@dataclass(slots=True)
class Weather:
    """What clients met that was no answer."""

    silences: int = 0  # refused, reset or timed out
    refusals: Counter[int] = field(default_factory=Counter)  # 5xx by status

    @property
    def faults(self) -> int:
        """Answers that nobody foresaw; an outage is foreseen and says 503."""
        return sum(count for status, count in self.refusals.items() if status != 503)


class Line(httpx.AsyncBaseTransport):
    """One attempt, and the weather written down: for phones, which have a patience of their own."""

    def __init__(self, weather: Weather) -> None:
        """``weather`` may be shared."""
        self._wire = httpx.AsyncHTTPTransport(verify=_NO_TLS, limits=_CONNECTIONS)
        self._weather = weather

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx asks; raises its errors."""
        try:
            answer = await self._wire.handle_async_request(request)
            await answer.aread()  # a body that breaks off is no answer either
        except httpx.TransportError:
            self._weather.silences += 1
            raise
        if answer.status_code >= 500:
            self._weather.refusals[answer.status_code] += 1
        return answer

    async def aclose(self) -> None:
        """Hang up."""
        await self._wire.aclose()


class PatientLine(Line):
    """The same request again, byte for byte, until it is answered: a till, or a guest who presses reload."""

    def __init__(self, weather: Weather, *, seconds: float = 60) -> None:
        """``seconds`` without an answer are given up."""
        super().__init__(weather)
        self._seconds = seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx's error, or gives the last refusal, after ``seconds``."""
        loop = asyncio.get_running_loop()
        deadline, tries = loop.time() + self._seconds, 0
        while True:
            tries += 1
            over = loop.time() > deadline
            try:
                answer = await super().handle_async_request(request)
            except httpx.TransportError:
                if over:
                    raise
            else:
                if answer.status_code < 500 or over:
                    answer.extensions["tries"] = tries
                    return answer
            await asyncio.sleep(_PAUSE)
