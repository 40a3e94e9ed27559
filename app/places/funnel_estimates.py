"""Shares of many groups, drawn towards what they have in common: a few visits never top a list.

The groups' true shares are taken as drawn from a Beta distribution whose mean and spread the groups together
tell (method of moments; Robinson, "Introduction to Empirical Bayes", 2017, chapter 3). A group's estimate is
its own visits with those of the distribution added: with seven visits it is nearly the common share, with a
thousand nearly its own. Lists are ordered by what a group surely has, not by what it seems to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.places.funnel_intervals import CONFIDENCE, Share, wilson

_WEAKEST, _STRONGEST = 20.0, 2000.0
_USUAL = 100.0
_FEW_GROUPS = 5


@dataclass(frozen=True, slots=True)
class Prior:
    """What groups have in common: a mean, and as how many visits of each group it counts."""

    mean: float
    strength: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share as it probably is, and between what it lies (95 of 100 times)."""

    value: float
    low: float
    high: float


def prior(shares: Mapping[int, Share]) -> Prior:
    """What these shares have in common."""
    seen = [share for share in shares.values() if share.out_of]
    whole = sum(share.out_of for share in seen)
    if not whole:
        return Prior(0.5, _WEAKEST)
    mean = sum(share.count for share in seen) / whole
    if len(seen) < _FEW_GROUPS or not 0 < mean < 1:
        return Prior(mean, _USUAL)
    by_chance = mean * (1 - mean)
    spread = sum(one.out_of * (one.count / one.out_of - mean) ** 2 for one in seen)
    effective = whole - sum(one.out_of**2 for one in seen) / whole
    variance = (spread - (len(seen) - 1) * by_chance) / effective if effective > 0 else 0.0
    if variance <= 0:
        return Prior(mean, _STRONGEST)
    return Prior(mean, min(_STRONGEST, max(_WEAKEST, by_chance / variance - 1)))


def estimate(share: Share, common: Prior, *, confidence: float = CONFIDENCE) -> Estimate:
    """The share, drawn towards what is common."""
    count = share.count + common.mean * common.strength
    trials = share.out_of + common.strength
    low, high = wilson(count, trials, confidence)
    return Estimate(count / trials, low, high)


def estimates(shares: Mapping[int, Share]) -> dict[int, Estimate]:
    """Every share, drawn towards what they have in common."""
    common = prior(shares)
    return {key: estimate(share, common) for key, share in shares.items()}
