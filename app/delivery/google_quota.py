"""How often Google lets the holder of a pass be notified: three times in 24 hours. Pure.

"A maximum of 3 messages that trigger a push notification in a 24 hour period"; whether messages and updates
of fields share the three is not said, so both are counted together until it is known better. What is beyond
is sent silently: Google would answer 403. Where Google itself says that the quota is used up, by a count of
its own, it is believed for :data:`BELIEVED`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

MOST: Final = 3
WINDOW: Final = timedelta(hours=24)
BELIEVED: Final = timedelta(hours=1)
"""After a refusal of Google's; its window rolls, so some time later one more may be let through."""

How = Literal["message", "field"]
Fate = Literal["asked", "notified", "no_holder", "held", "quota", "unused"]
"""What became of one: on its way or unknown, taken while somebody holds the card, taken while nobody does,
held back by us, refused by Google for its quota, never sent."""

COUNTED: Final[frozenset[Fate]] = frozenset({"asked", "notified", "no_holder"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a pass's ledger."""

    at: datetime
    outcome: Fate


def room(entries: Sequence[Entry], *, now: datetime) -> int:
    """How many more notifications a pass may have now."""
    if any(entry.outcome == "quota" and entry.at > now - BELIEVED for entry in entries):
        return 0
    counted = sum(entry.outcome in COUNTED and entry.at > now - WINDOW for entry in entries)
    return max(0, MOST - counted)


def free_at(entries: Sequence[Entry], *, now: datetime) -> datetime:
    """From when one more may be had; ``now`` where it may already."""
    if room(entries, now=now):
        return now
    refused = [entry.at + BELIEVED for entry in entries if entry.outcome == "quota"]
    counted = sorted(entry.at for entry in entries if entry.outcome in COUNTED and entry.at > now - WINDOW)
    ends = [counted[-MOST] + WINDOW] if len(counted) >= MOST else []
    return max([now, *ends, *(end for end in refused if end > now)])
