"""What an arm earned beside the holdout: the difference of what guests spent, each with how sure it is.

Everyone who was assigned is analysed, whether reached or not: only the assignment was left to chance. What
guests spent before explains much of what they spend now; its part is taken out (CUPED: Deng, Xu, Kohavi and
Walker 2013) with the slope that makes the difference surest. Spending is skewed, many spend nothing at all,
and arms differ in size; so intervals are Hall's (1992, "On the removal of skewness by transformation"), with
Student's quantiles for Welch's degrees of freedom. ``bench/lift.py`` counts how often they are right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

FEWEST_BUYERS = 50
"""Guests who spent anything, in the arm and in the holdout, below which no interval is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Of the guests of an arm: how many, and sums of powers of what they spent since (y) and before (x).

    Amounts are in minor units; a database adds them up in one walk, whatever the number of guests.
    """

    guests: int
    buyers: int  # who spent anything since
    y: float
    x: float
    yy: float
    xy: float
    xx: float
    yyy: float
    yyx: float
    yxx: float
    xxx: float

    def __add__(self, other: Sums) -> Sums:
        """Of the guests of both."""
        return Sums(**{name: getattr(self, name) + getattr(other, name) for name in Sums.__slots__})

    def of_squares(self) -> tuple[float, float, float]:
        """What y·y, x·y and x·x come to about their means."""
        n = self.guests
        return self.yy - self.y * self.y / n, self.xy - self.x * self.y / n, self.xx - self.x * self.x / n

    def of_cubes(self, slope: float) -> float:
        """What the cubes of y - slope·x come to about their mean."""
        n = self.guests
        first = self.y - slope * self.x
        second = self.yy - 2 * slope * self.xy + slope**2 * self.xx
        third = self.yyy - 3 * slope * self.yyx + 3 * slope**2 * self.yxx - slope**3 * self.xxx
        return third - 3 * first * second / n + 2 * first**3 / n**2


@dataclass(frozen=True, slots=True)
class Interval:
    """Between which two numbers the truth is, minor units a guest."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Lift:
    """How much more a guest of the arm spent than one of the holdout, in minor units."""

    value: float
    error: float  # standard error
    skewness: float  # of ``value``
    freedom: float  # degrees of freedom
    enough: bool  # buyers in both, to tell an interval

    def interval(self, confidence: float) -> Interval | None:
        """Where the truth is, this surely; None where too few have bought yet to tell."""
        if not self.enough:
            return None
        reach = student(0.5 + confidence / 2, self.freedom)
        return Interval(
            self.value - self.error * _unskewed(reach, self.skewness),
            self.value - self.error * _unskewed(-reach, self.skewness),
        )


def lift(arm: Sums, holdout: Sums) -> Lift:
    """The difference of means, of which earlier spending explains nothing any more."""
    if arm.guests < 2 or holdout.guests < 2:
        return Lift(0.0, math.inf, 0.0, 1.0, enough=False)
    groups = (arm, holdout)
    squares = [group.of_squares() for group in groups]
    weights = [1 / (group.guests * (group.guests - 1)) for group in groups]
    explained = sum(weight * xy for weight, (_, xy, _) in zip(weights, squares, strict=True))
    spread = sum(weight * xx for weight, (_, _, xx) in zip(weights, squares, strict=True))
    slope = explained / spread if spread > 0 else 0.0
    variances = [
        max(0.0, weight * (yy - 2 * slope * xy + slope**2 * xx))
        for weight, (yy, xy, xx) in zip(weights, squares, strict=True)
    ]
    means = [(group.y - slope * group.x) / group.guests for group in groups]
    variance = sum(variances)
    return Lift(
        value=means[0] - means[1],
        error=math.sqrt(variance),
        skewness=_skewness(variances, [group.of_cubes(slope) for group in groups], groups),
        freedom=_freedom(variances, groups),
        enough=variance > 0 and min(arm.buyers, holdout.buyers) >= FEWEST_BUYERS,
    )


def _skewness(variances: list[float], cubes: list[float], groups: tuple[Sums, ...]) -> float:
    """Of the difference, by how skewed guests are in both groups together.

    Rare large sums make that hard to see in a small group, and it is much the same in both.
    """
    variance = sum(variances)
    if variance <= 0:
        return 0.0
    spreads = [math.sqrt(one * group.guests) ** 3 for one, group in zip(variances, groups, strict=True)]
    alone = sum(cubes) / sum(spread * group.guests for spread, group in zip(spreads, groups, strict=True))
    arm, holdout = (alone * spread / group.guests**2 for spread, group in zip(spreads, groups, strict=True))
    return (arm - holdout) / math.sqrt(variance) ** 3


def _freedom(variances: list[float], groups: tuple[Sums, ...]) -> float:
    """Welch's and Satterthwaite's."""
    whole = sum(variances)
    parts = sum(one * one / (group.guests - 1) for one, group in zip(variances, groups, strict=True))
    return whole * whole / parts if parts > 0 else 1.0


def _unskewed(reach: float, skewness: float) -> float:
    """Where a statistic of this skewness has the tail that a symmetric one has at ``reach``."""
    if abs(skewness) < 1e-6:
        return reach
    root = 1 + skewness * (reach - skewness / 6)
    return 3 / skewness * (math.copysign(abs(root) ** (1 / 3), root) - 1)


def student(probability: float, freedom: float) -> float:
    """The quantile of Student's distribution, by the expansion of Cornish and Fisher (good above 10)."""
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))
