"""What a campaign's numbers allow to be said: it earned, it cost, or it cannot be told yet, and for how long.

While it runs, one interval a day is told, and a marketer may look every day and stop at any of them: the
intervals of all its days hold together with at least :data:`DAILY` probability (a union bound over days and
arms, which asks nothing of how days hang together). Once its preset end has come there is one final interval
of :data:`FINAL`, narrower for having waited. What is said follows from the interval that is shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from app.campaigns.lift import Interval, Lift

DAILY = 0.97
"""Of all days' intervals together: with the final one, at most 4 % of campaigns that do nothing "earned"."""
FINAL = 0.95

Verdict = Literal["earned", "cost", "cannot_tell_yet", "cannot_tell", "no_holdout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known of an arm at the end of one of its days, in minor units a guest."""

    verdict: Verdict
    value: float  # how much more a guest spent than one who was held out
    interval: Interval | None  # None: too few have bought to tell
    confidence: float
    days_more: int | None = None  # about how many until it can be told; None: not by the preset end


def read(lift: Lift | None, *, day: int, days: int, arms: int) -> Reading:
    """What the arm's difference says after ``day`` of ``days``; ``lift`` None: nobody was held out.

    ``arms`` are judged together: each has its part of the risk.
    """
    is_final = day >= days
    confidence = 1 - (1 - FINAL) / arms if is_final else daily_confidence(days, arms)
    if lift is None:
        return Reading(verdict="no_holdout", value=0.0, interval=None, confidence=confidence)
    interval = lift.interval(confidence)
    if interval is not None and (interval.low > 0 or interval.high < 0):
        verdict: Verdict = "earned" if interval.low > 0 else "cost"
        return Reading(verdict=verdict, value=lift.value, interval=interval, confidence=confidence)
    return Reading(
        verdict="cannot_tell" if is_final else "cannot_tell_yet",
        value=lift.value,
        interval=interval,
        confidence=confidence,
        days_more=None if is_final or interval is None else _days_more(lift.value, interval, day, days),
    )


def daily_confidence(days: int, arms: int) -> float:
    """Of one day's interval of one arm, so that all of them hold together."""
    return 1 - (1 - DAILY) / (days * arms)


def _days_more(value: float, interval: Interval, day: int, days: int) -> int | None:
    """If guests go on as they did: what is earned grows with the days, its error with their root."""
    reach = value - interval.low if value > 0 else interval.high - value
    if value == 0:
        return None
    needed = day * (reach / abs(value)) ** 2
    return math.ceil(needed) - day if needed <= days else None
