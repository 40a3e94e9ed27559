"""The send beat: an event loop in a thread of its own, so that connections are always served."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from datetime import timedelta
from threading import Thread
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog

from app.db.identifiers import DeliveryId
from app.worker import metrics

log = structlog.get_logger()


class Carried(Protocol):
    """A promise on its way, or what came of it."""

    @property
    def id(self) -> DeliveryId:
        """The promise's."""


R = TypeVar("R", bound=Carried)
A = TypeVar("A", bound=Carried)
R_contra = TypeVar("R_contra", bound=Carried, contravariant=True)
A_co = TypeVar("A_co", bound=Carried, covariant=True)


class Way(Protocol[R_contra, A_co]):
    """What takes promises to the outside."""

    async def send(self, ready: Sequence[R_contra], report: Callable[[Sequence[A_co]], None], /) -> None:
        """Send them and report every one, in portions as answers come."""

    async def refresh(self) -> None:
        """Look for what may have changed: renewed credentials, an account's balance."""

    async def close(self) -> None:
        """Close connections."""


_LINGER: Final = 0.005
"""Seconds that the first answer waits for others before the worker is told."""


class Sender(Generic[R, A]):
    """Sends batches beside each other; answers are collected until the worker fetches them."""

    def __init__(
        self,
        channel: Way[R, A],
        *,
        unanswered: Callable[[R, str], A],
        time_limit: timedelta,
        tell: Callable[[], None],
        beat: str = "send",
    ) -> None:
        """``tell`` is called (from the loop's thread) when answers are there. ``time_limit``: the lease's.

        ``unanswered`` makes an answer where none came; ``beat`` names the sending in the metrics.
        """
        self._channel, self._unanswered, self._tell, self._beat = channel, unanswered, tell, beat
        self._time_limit = time_limit.total_seconds()
        self._answers: deque[A] = deque()
        self._works: set[Future[None]] = set()
        self._telling = False
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="sending", daemon=True)
        self.in_flight = 0  # handed over, and not fetched; the worker's thread alone touches it

    def start(self) -> None:
        """Start the loop's thread."""
        self._thread.start()

    def send(self, ready: Sequence[R]) -> None:
        """Begin to send a batch."""
        self.in_flight += len(ready)
        self.submit(self._send(ready))

    @property
    def answered(self) -> int:
        """How many answers are there to be fetched."""
        return len(self._answers)

    def fetch(self, limit: int) -> list[A]:
        """Up to ``limit`` answers that came since."""
        answers = [self._answers.popleft() for _ in range(min(limit, len(self._answers)))]
        self.in_flight -= len(answers)
        return answers

    def refresh(self) -> None:
        """Have the channel look for renewed credentials, beside everything else."""
        self.submit(self._refresh())

    def submit(self, work: Coroutine[Any, Any, None]) -> None:
        """Have work of the channel done in its loop, beside everything else."""
        begun = asyncio.run_coroutine_threadsafe(work, self._loop)
        # A loop knows its tasks weakly: who listens to a quiet connection would be collected as garbage.
        self._works.add(begun)
        begun.add_done_callback(self._works.discard)

    def stop(self, patience: float) -> None:
        """Close the channel and end the loop; what is still unanswered stays claimed until its lease ends."""
        try:
            asyncio.run_coroutine_threadsafe(self._channel.close(), self._loop).result(patience)
        except Exception:
            log.exception("channel_not_closed")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(patience)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            self._loop.close()

    def _say(self) -> None:
        self._telling = False
        self._tell()

    async def _refresh(self) -> None:
        try:
            await self._channel.refresh()
        except Exception:
            log.exception("credentials_not_refreshed")

    async def _send(self, ready: Sequence[R]) -> None:
        began = time.monotonic()
        left = {one.id: one for one in ready}

        def report(answers: Sequence[A]) -> None:
            new = [answer for answer in answers if left.pop(answer.id, None)]
            self._answers.extend(new)
            if not self._telling:
                self._telling = True
                self._loop.call_later(_LINGER, self._say)

        try:
            async with asyncio.timeout(self._time_limit):
                await self._channel.send(ready, report)
        except TimeoutError:
            log.error("send_took_too_long", unanswered=len(left), seconds=self._time_limit)  # noqa: TRY400
        except Exception:
            log.exception("send_failed", unanswered=len(left))
        finally:
            report([self._unanswered(one, "NoAnswer") for one in left.values()])
            metrics.BEATS.labels(self._beat).observe(time.monotonic() - began)
