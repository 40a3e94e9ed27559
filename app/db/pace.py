"""How much long work does at a time beside tills and guests, and how long it rests in between. Pure."""

from __future__ import annotations

from typing import Final

HOLD: Final = 0.02
"""Seconds that one transaction should take, since a till may be waiting for it."""
_YIELDING: Final = 4.0
"""Seconds of rest for each second that work took longer than it does on a quiet machine."""
LONGEST_REST: Final = 0.5
"""Seconds: a disk that stood still once, or cards that are dearer than others, are no reason to stop."""
_FORGETTING: Final = 1.002
"""What the quietest moment so far grows by with each transaction: the table grows, the hour changes."""


class Pace:
    """The next transaction's size, and the rest before it."""

    def __init__(self, *, fewest: int, most: int) -> None:
        """Begins with ``fewest`` things in a transaction, and never takes on more than ``most``."""
        self._fewest, self._most = fewest, most
        self._quickest = float("inf")
        self.size = fewest
        self.rest = 0.0

    def note(self, held: float, done: int | None = None) -> None:
        """A transaction of ``done`` things, :attr:`size` unless said, held the database for so many seconds.

        Where it takes longer than it once did, others want the processors or the database: they come first.
        """
        if done == 0:
            self.rest = 0.0
            return
        each = max(held, 0.0001) / (done or self.size)
        self._quickest = min(self._quickest * _FORGETTING, each)
        self.rest = min(LONGEST_REST, _YIELDING * (each - self._quickest) * self.size)
        self.size = max(self._fewest, min(self._most, round(self.size * min(2.0, HOLD / max(held, 0.0001)))))
