"""One push on its way: what it asks, how often it was sent, and where its outcome goes."""

from __future__ import annotations

import asyncio

from app.apns.faults import WireBroken
from app.apns.requests import Push
from app.apns.responses import PushResponse

Outcome = PushResponse | WireBroken


class Batch:
    """Pushes that are awaited together: one future for all of them, whatever their number."""

    __slots__ = ("done", "missing", "outcomes")

    def __init__(self, size: int, done: asyncio.Future[None]) -> None:
        self.outcomes: list[Outcome | None] = [None] * size
        self.missing = size
        self.done = done


class Exchange:
    """A push and what has been heard of it. Lives from the call until its outcome is settled."""

    __slots__ = (
        "apns_id", "attempts", "authorization", "batch", "body", "deadline", "expiration", "maybe_accepted",
        "path", "place", "push", "retry_after", "status", "token_renewed",
    )  # fmt: skip

    def __init__(
        self, push: Push, path: bytes, expiration: int, deadline: float, batch: Batch, place: int
    ) -> None:
        """``deadline`` is the loop's time, ``place`` the index in ``batch``."""
        self.push, self.path, self.expiration, self.deadline = push, path, expiration, deadline
        self.batch, self.place = batch, place
        self.attempts = 0
        self.maybe_accepted = False
        self.token_renewed = False
        self.authorization: str | None = None
        self.forget_answer()

    def forget_answer(self) -> None:
        """Drop the parts of an answer that never became whole."""
        self.status = 0
        self.apns_id: str | None = None
        self.retry_after: str | None = None
        self.body = b""

    @property
    def abandoned(self) -> bool:
        """Nobody waits any more: the caller was cancelled."""
        return self.batch.done.done()

    def settle(self, outcome: Outcome) -> None:
        """Hand the outcome over. At most once."""
        batch = self.batch
        batch.outcomes[self.place] = outcome
        batch.missing -= 1
        if not batch.missing and not batch.done.done():
            batch.done.set_result(None)
