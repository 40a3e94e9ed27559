"""What a phone writes into a service's log (endpoint 5), in batches, tried again when it is not taken."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from app.simulators.pass_service import PassService, TaskFailed, WebService, stamp
from app.simulators.phone_clock import PhoneClock

BATCH = 50
_WAITS = (5.0, 15.0, 60.0, 180.0, 600.0, 1800.0, 3600.0)  # iOS has seven levels for its log


class ServiceLog:
    """Lines by web service, sent as they come."""

    def __init__(
        self,
        requests: PassService,
        clock: PhoneClock,
        start: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """``start`` runs a coroutine beside everything else."""
        self._requests, self._clock, self._start = requests, clock, start
        self._unsent: dict[str, list[str]] = {}
        self.lines: list[str] = []

    def complain(self, service: WebService, text: str) -> None:
        """Something about the service's answers is off."""
        self.enter(service, f"Web service error for {service.pass_type_identifier} ({service.url}): {text}")

    def enter(self, service: WebService, text: str) -> None:
        """One line, stamped with the phone's clock."""
        line = f"{stamp(self._clock.now())} {text}"
        self.lines.append(line)
        unsent = self._unsent.setdefault(service.url, [])
        unsent.append(line)
        if len(unsent) == 1:
            self._start(self._send(service.url))

    async def _send(self, url: str) -> None:
        unsent = self._unsent[url]
        for wait in _WAITS:
            try:
                while batch := unsent[:BATCH]:
                    await self._requests.log(url, batch)
                    del unsent[: len(batch)]
                return
            except TaskFailed:
                await self._clock.sleep(wait)
        unsent.clear()
