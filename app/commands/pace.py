"""How fast a long command goes on beside tills and guests. Pure."""

from __future__ import annotations

from typing import Final

_HOLD: Final = 0.02
"""Seconds that one transaction should take, since a till may be waiting for it."""
_SHORTEST, _LONGEST = 0.005, 0.2
"""Seconds between two transactions: a till that waits for SQLite looks once a millisecond."""


class Pace:
    """How much is done in the next transaction, and how long to rest before it."""

    def __init__(self, *, fewest: int, most: int) -> None:
        """Begins with ``fewest`` things in a transaction, and never takes on more than ``most``."""
        self._fewest, self._most = fewest, most
        self.size = fewest
        self.rest = _SHORTEST

    def note(self, *, waited: float, held: float) -> None:
        """A transaction of :attr:`size` things waited for its turn and then held it, in seconds.

        Who had to wait is one of many who want the database, and leaves more of it to them.
        """
        fits = round(self.size * min(2.0, _HOLD / max(held, 0.0001)))
        self.size = max(self._fewest, min(self._most, fits))
        self.rest = max(_SHORTEST, min(_LONGEST, waited / 2))
