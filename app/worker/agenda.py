"""When a worker looks for due promises and when it settles answers: at once where it is quiet, else together.

Fifty receipts a second would otherwise be fifty claims and fifty settlements a second, for each worker. Pure:
times are seconds of one clock that only grows.
"""

from __future__ import annotations

from typing import Final

APART: Final = 0.2
"""Seconds between two looks that did not find their fill, and between two settlements of few answers."""


class Agenda:
    """The next look and the next settlement of one worker."""

    def __init__(self, *, poll_seconds: float, batch: int) -> None:
        """A look finds ``batch`` at most; without a bell there is one every ``poll_seconds``."""
        self._poll, self._batch = poll_seconds, batch
        self._look_at = 0.0
        self._looked_at = self._settled_at = float("-inf")

    def rang(self, now: float) -> None:
        """Something may be due."""
        self._look_at = min(self._look_at, max(now, self._looked_at + APART))

    def must_look(self, now: float) -> bool:
        """Whether it is time to look for due promises."""
        return now >= self._look_at

    def looked(self, now: float, *, more: bool = False, again: float | None = None) -> None:
        """A look was taken; where it found its fill there is ``more``, and the next is due at once.

        ``again`` says after how many seconds there may be, where the look knows.
        """
        self._looked_at = now
        self._look_at = now if more else now + min(self._poll, self._poll if again is None else again)

    def must_settle(self, now: float, *, answered: int, unanswered: int) -> bool:
        """Whether it is time to settle what was ``answered`` while ``unanswered`` promises are under way."""
        enough = answered >= self._batch or not unanswered
        return answered > 0 and (enough or now >= self._settled_at + APART)

    def settled(self, now: float) -> None:
        """Answers were settled; their phones' next promises may be due."""
        self._settled_at = now
        self.rang(now)

    def pause(self, now: float, *, answered: int, unanswered: int, full: bool) -> float:
        """Seconds to wait for a bell; nothing can come of a look while all hands are ``full``."""
        if self.must_settle(now, answered=answered, unanswered=unanswered):
            return 0.0
        until = now + self._poll if full else self._look_at
        if answered:
            until = min(until, self._settled_at + APART)
        return max(0.0, until - now)
