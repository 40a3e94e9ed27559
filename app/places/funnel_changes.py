"""How shares and scans differ from those of the time before: up or down only where it is no chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from app.places.funnel_counts import Flow, Step, way
from app.places.funnel_intervals import CONFIDENCE, Share, deviations, difference
from app.places.funnel_verdicts import FEWEST, WORTH

_SCANS_WORTH = 0.1
"""A part of the scans before that is worth a word."""
Turn = Literal["up", "down", "same", "too_few"]


@dataclass(frozen=True, slots=True)
class Change:
    """A share now and before, between what the difference lies, and what may be said of it."""

    now: Share
    before: Share
    low: float
    high: float
    turn: Turn


@dataclass(frozen=True, slots=True)
class Traffic:
    """Scans now and before; now is between ``low`` and ``high`` times as many as before."""

    now: int
    before: int
    low: float
    high: float
    turn: Turn


def changes(now: Flow, before: Flow, *, codes: bool) -> dict[Step, Change]:
    """Every step's; of equal times one in twenty at most has anything to say (Bonferroni)."""
    steps = way(codes=codes)
    surely = 1 - (1 - CONFIDENCE) / len(steps)
    return {
        step: change(now.share(step, codes=codes), before.share(step, codes=codes), surely) for step in steps
    }


def traffic(now: int, before: int) -> Traffic:
    """Scans of two times of equal length, as two counts of chance (Poisson) differ.

    Given both together, those of now are a share of them: its interval (Wilson) is the ratio's.
    """
    low, high = (_odds(end) for end in Share(now, now + before).interval())
    turn: Turn = "same"
    if now + before < FEWEST:
        turn = "too_few"
    elif abs(now - before) >= _SCANS_WORTH * before:
        turn = "up" if low > 1 else "down" if high < 1 else "same"
    return Traffic(now, before, low, high, turn)


def pace(count: int, expected: float) -> Turn:
    """Whether a count is surely above (*up*) or below (*down*) what was expected (Poisson, by its root)."""
    spread = deviations(CONFIDENCE) / 2
    low = max(0.0, math.sqrt(count) - spread) ** 2
    high = (math.sqrt(count + 1) + spread) ** 2
    if expected <= 0:
        return "same"
    return "up" if low > expected else "down" if high < expected else "same"


def change(now: Share, before: Share, surely: float = CONFIDENCE) -> Change:
    """Of one share; ``surely`` is the confidence of its interval."""
    low, high = difference(now, before, surely)
    turn: Turn = "same"
    if min(now.out_of, before.out_of) < FEWEST:
        turn = "too_few"
    elif abs((now.value or 0) - (before.value or 0)) >= WORTH:
        turn = "up" if low > 0 else "down" if high < 0 else "same"
    return Change(now, before, low, high, turn)


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else math.inf
