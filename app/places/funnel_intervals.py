"""How sure a share is: Wilson's interval of one, and Newcombe's of the difference of two.

Both hold for small numbers and for shares near 0 and 1, where the usual formula gives nonsense (Wilson 1927;
Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``out_of``, both whole numbers; None for what nobody could have done."""

    count: int
    out_of: int

    @property
    def value(self) -> float | None:
        """From 0 to 1."""
        return self.count / self.out_of if self.out_of else None

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Between which two shares the true one is, this surely; everything is possible of nothing."""
        return wilson(self.count, self.out_of, confidence)


def wilson(count: float, trials: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's interval of ``count`` of ``trials``, which need not be whole."""
    if trials == 0:
        return 0.0, 1.0
    z = deviations(confidence)
    share = count / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # Rounding must not take the ends past what they are exactly.
    low = 0.0 if count == 0 else max(0.0, (centre - spread) / scale)
    high = 1.0 if count == trials else min(1.0, (centre + spread) / scale)
    return low, high


def difference(one: Share, other: Share, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Between which two numbers the true ``one`` less the true ``other`` is, this surely."""
    if not one.out_of or not other.out_of:
        return -1.0, 1.0
    first, second = one.count / one.out_of, other.count / other.out_of
    first_low, first_high = one.interval(confidence)
    second_low, second_high = other.interval(confidence)
    gap = first - second
    return (
        gap - math.hypot(first - first_low, second_high - second),
        gap + math.hypot(first_high - first, second - second_low),
    )


@cache
def deviations(confidence: float) -> float:
    """How many standard deviations reach so far to both sides: 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)
