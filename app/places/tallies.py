"""Tallies: how many visits took each step, by install link and day, kept as events arrive.

A guest's step inserts its event and a change, and locks nothing that another guest needs; a worker folds
changes into the tallies, once a minute. Whoever asks adds both up, so that every answer is exact at its
moment, with or without a worker.
"""

from __future__ import annotations

from app.db import Tx
from app.places import store_tallies

AT_ONCE = 2_000
"""Changes folded by one transaction: some milliseconds' work."""


def fold(tx: Tx, *, limit: int = AT_ONCE) -> int:
    """Fold the oldest changes into the tallies; returns how many, 0 when done."""
    return store_tallies.fold(tx, limit=limit)


def mend(tx: Tx) -> int:
    """Count everything anew from the events, and write what the tallies lack as changes.

    Returns how many it took: 0 where nothing was wrong, which is always, unless somebody wrote into the
    tables by hand. Guests and tills go on meanwhile.
    """
    return store_tallies.mend(tx)
