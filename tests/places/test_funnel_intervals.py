"""Intervals of shares, against published figures and against what they promise."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.places.funnel_intervals import Share, deviations, difference

shares = st.integers(0, 400).flatmap(lambda n: st.builds(Share, st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("count", "out_of", "low", "high"),
    [
        # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0000),
    ],
)
def test_intervals_are_those_of_the_literature(count: int, out_of: int, low: float, high: float) -> None:
    assert Share(count, out_of).interval() == pytest.approx((low, high), abs=0.00006)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        # Newcombe 1998, "Interval estimation for the difference…", table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((0, 10), (0, 20), -0.1611, 0.2775),
    ],
)
def test_differences_are_those_of_the_literature(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    assert difference(Share(*one), Share(*other)) == pytest.approx((low, high), abs=0.00006)


@given(shares)
def test_a_share_lies_within_its_interval(share: Share) -> None:
    low, high = share.interval()
    assert 0 <= low <= high <= 1
    if share.value is not None:
        assert low <= share.value <= high


@given(shares, shares)
def test_a_difference_turns_round_with_its_sides(one: Share, other: Share) -> None:
    low, high = difference(one, other)
    back_low, back_high = difference(other, one)
    assert (low, high) == pytest.approx((-back_high, -back_low))
    assert -1 <= low <= high <= 1


@pytest.mark.parametrize(("trials", "share"), [(30, 0.5), (30, 0.05), (200, 0.9)])
def test_the_true_share_is_within_95_of_100_times(trials: int, share: float) -> None:
    """By the binomial itself, not by chance: the coverage of Wilson's interval swings about its promise."""
    covered = sum(
        math.comb(trials, count) * share**count * (1 - share) ** (trials - count)
        for count in range(trials + 1)
        if Share(count, trials).interval()[0] <= share <= Share(count, trials).interval()[1]
    )
    assert 0.93 <= covered <= 0.98


def test_equal_venues_are_seldom_told_apart() -> None:
    chance = random.Random(7)
    told = 0
    for _ in range(400):
        one, other = (Share(sum(chance.random() < 0.4 for _ in range(60)), 60) for _ in range(2))
        low, high = difference(one, other)
        told += low > 0 or high < 0
    assert told <= 400 * 0.075


def test_deviations_are_those_of_every_textbook() -> None:
    assert deviations(0.95) == pytest.approx(1.959964, abs=1e-6)
    assert deviations(0.99) == pytest.approx(2.575829, abs=1e-6)
