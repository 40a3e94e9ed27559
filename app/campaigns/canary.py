"""Whether the few who got a campaign first took it well enough for the others to get it. Pure.

They are compared with the guests who were held out: cards are removed without any campaign as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.places.funnel_intervals import Share
from app.places.funnel_verdicts import fisher

SURE: Final = 0.01
"""How unlikely so many removals must be, if the campaign had nothing to do with them."""
MOST_FAILED: Final = 0.2
FEWEST_FAILED: Final = 3
"""Cards that could not be told, as a part of all and in number, from which on it is no chance any more."""

TOO_MANY_REMOVED: Final = "removals"
TOO_MANY_FAILED: Final = "errors"


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryNumbers:
    """Of guests whose card was in a wallet when they were assigned."""

    told: int  # of the canary
    removed: int  # of those
    failed: int  # of those: Apple or Google would not take it
    held_out: int
    held_out_removed: int


def stopped_because(numbers: CanaryNumbers) -> str | None:
    """Why nobody else should get it; None where nothing speaks against it."""
    if numbers.failed >= FEWEST_FAILED and numbers.failed > MOST_FAILED * numbers.told:
        return TOO_MANY_FAILED
    kept = Share(numbers.told - numbers.removed, numbers.told)
    kept_of_others = Share(numbers.held_out - numbers.held_out_removed, numbers.held_out)
    if numbers.removed and kept.out_of and kept_of_others.out_of and fisher(kept, kept_of_others) < SURE:
        return TOO_MANY_REMOVED
    return None
