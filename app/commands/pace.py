"""How much a long command does at a time beside tills and guests. Pure."""

from __future__ import annotations

from typing import Final

HOLD: Final = 0.02
"""Seconds that one transaction should take, since a till may be waiting for it."""


class Pace:
    """How much is done in the next transaction."""

    def __init__(self, *, fewest: int, most: int) -> None:
        """Begins with ``fewest`` things in a transaction, and never takes on more than ``most``."""
        self._fewest, self._most = fewest, most
        self.size = fewest

    def note(self, held: float) -> None:
        """A transaction of :attr:`size` things held the database for so many seconds."""
        fits = round(self.size * min(2.0, HOLD / max(held, 0.0001)))
        self.size = max(self._fewest, min(self._most, fits))
