"""Campaigns of which the truth is known, and how often a report says of them what is not so.

Guests differ in how often they come and what they spend; single checks differ too. What an arm does, where it
does anything, is that its guests come more often. So the true difference is known for every day.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, fields

from app.campaigns import verdicts
from app.campaigns.lift import Lift, Sums, lift
from bench.funnel_truth import poisson

BEFORE = 90
"""Days of earlier spending that are known of each guest."""
_CHECK = 900.0
_GUESTS_DIFFER = 0.4  # the logarithms of guests' usual checks, standard deviation
_POWERS = tuple(field.name for field in fields(Sums))[2:]


@dataclass(frozen=True, slots=True)
class Truth:
    """One kind of campaign; visits are a month's, without a campaign, on average."""

    name: str
    arm: int
    holdout: int
    days: int
    visits: float
    alike: float  # how alike guests are in that: shape of a gamma distribution
    checks_differ: float  # standard deviation of the logarithms of one guest's checks
    effect: float = 0.0  # how much more often the arm's guests come

    def value(self, day: int) -> float:
        """The true difference a guest, after so many days."""
        return 100 * self.effect * self.visits / 30 * day * _CHECK * math.exp(_GUESTS_DIFFER**2 / 2)


@dataclass(slots=True)
class Score:
    """What was said of many campaigns of one kind."""

    campaigns: int = 0
    final_covered: int = 0
    final_told: int = 0
    always_covered: int = 0  # by the intervals of all days
    earned: int = 0  # said on some day, or at the end
    days_untold: int = 0
    widths: float = 0.0  # of final intervals


@dataclass(slots=True)
class _Group:
    guests: int = 0
    buyers: int = 0
    sums: list[float] | None = None

    def add(self, y: float, x: float, sign: int = 1) -> None:
        powers = (y, x, y * y, x * y, x * x, y**3, y * y * x, y * x * x, x**3)
        held = self.sums or [0.0] * len(powers)
        self.sums = [before + sign * power for before, power in zip(held, powers, strict=True)]

    def told(self) -> Sums:
        powers = dict(zip(_POWERS, self.sums or (), strict=True))
        return Sums(guests=self.guests, buyers=self.buyers, **powers)


def simulate(chance: random.Random, truth: Truth, campaigns: int) -> Score:
    """Campaigns of this kind, one after the other."""
    score = Score()
    for _ in range(campaigns):
        _judge(score, truth, [lift(*groups) for groups in _days(chance, truth)])
    return score


def _judge(score: Score, truth: Truth, lifts: list[Lift]) -> None:
    score.campaigns += 1
    daily = verdicts.daily_confidence(truth.days, 1)
    intervals = [one.interval(daily) for one in lifts]
    score.days_untold += sum(interval is None for interval in intervals)
    score.always_covered += all(
        interval is None or truth.value(day) in interval for day, interval in enumerate(intervals, 1)
    )
    readings = [verdicts.read(one, day=day, days=truth.days, arms=1) for day, one in enumerate(lifts, 1)]
    score.earned += any(reading.verdict == "earned" for reading in readings)
    final = readings[-1].interval
    if final is not None:
        score.final_told += 1
        score.final_covered += truth.value(truth.days) in final
        score.widths += final.high - final.low


def _days(chance: random.Random, truth: Truth) -> Iterator[tuple[Sums, Sums]]:
    """Both groups' sums at the end of each day."""
    groups, everyone = (_Group(), _Group()), truth.arm + truth.holdout
    earlier, since = [0.0] * everyone, [0.0] * everyone
    receipts: list[list[tuple[int, float]]] = [[] for _ in range(truth.days)]
    for guest in range(everyone):
        often = chance.gammavariate(truth.alike, truth.visits / truth.alike) / 30
        usual = chance.lognormvariate(0, _GUESTS_DIFFER) * _CHECK
        earlier[guest] = sum(_check(chance, truth, usual) for _ in range(poisson(chance, often * BEFORE)))
        more = 1 + truth.effect if guest < truth.arm else 1.0
        for _ in range(poisson(chance, often * truth.days * more)):
            receipts[chance.randrange(truth.days)].append((guest, _check(chance, truth, usual)))
        group = groups[guest >= truth.arm]
        group.guests += 1
        group.add(0.0, earlier[guest])
    for today in receipts:
        for guest, amount in today:
            group = groups[guest >= truth.arm]
            group.buyers += since[guest] == 0
            group.add(since[guest], earlier[guest], -1)
            since[guest] += amount
            group.add(since[guest], earlier[guest])
        yield groups[0].told(), groups[1].told()


def _check(chance: random.Random, truth: Truth, usual: float) -> float:
    spread = truth.checks_differ
    return float(round(usual * chance.lognormvariate(-spread * spread / 2, spread) * 100))
