"""What is said of a campaign is right as often as it claims; nothing of it needs a database."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.campaigns import verdicts
from app.campaigns.lift import FEWEST_BUYERS, Interval, Lift, Sums, lift, student
from bench import lift_truth
from bench.lift_truth import Truth

pytestmark = pytest.mark.once


def _sums(since: Sequence[float], before: Sequence[float] | None = None) -> Sums:
    x = list(before or [0.0] * len(since))
    pairs = list(zip(since, x, strict=True))
    return Sums(
        guests=len(pairs),
        buyers=sum(y > 0 for y in since),
        y=sum(since),
        x=sum(x),
        yy=sum(y * y for y in since),
        xy=sum(y * x for y, x in pairs),
        xx=sum(x * x for x in x),
        yyy=sum(y**3 for y in since),
        yyx=sum(y * y * x for y, x in pairs),
        yxx=sum(y * x * x for y, x in pairs),
        xxx=sum(x**3 for x in x),
    )


def test_without_earlier_spending_it_is_the_difference_of_means_with_welchs_error() -> None:
    arm, held = [3.0, 5.0, 4.0, 9.0, 0.0], [1.0, 2.0, 6.0, 3.0]
    found = lift(_sums(arm), _sums(held))
    assert found.value == pytest.approx(4.2 - 3.0)
    errors = [statistics.variance(group) / len(group) for group in (arm, held)]
    assert found.error == pytest.approx(sum(errors) ** 0.5)
    welch = sum(errors) ** 2 / sum(e**2 / (len(g) - 1) for e, g in zip(errors, (arm, held), strict=True))
    assert found.freedom == pytest.approx(welch)


def test_what_guests_spent_before_is_taken_out() -> None:
    """Guests spend what they always did, and ten more in the arm; chance gave the arm the bigger spenders."""
    arm_before, held_before = [10.0, 20.0, 30.0, 40.0] * 10, [5.0, 15.0, 25.0, 30.0] * 10
    arm, held = [x + 10 for x in arm_before], list(held_before)
    assert lift(_sums(arm), _sums(held)).value == pytest.approx(10 + 25 - 18.75)
    adjusted = lift(_sums(arm, arm_before), _sums(held, held_before))
    assert adjusted.value == pytest.approx(10)
    assert adjusted.error == pytest.approx(0, abs=1e-5)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=4, max_size=30),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=4, max_size=30),
)
def test_arm_and_holdout_are_treated_alike(arm: list[tuple[int, int]], held: list[tuple[int, int]]) -> None:
    one, other = (_sums([y for y, _ in g], [x for _, x in g]) for g in (arm, held))
    there, back = lift(one, other), lift(other, one)
    assert there.value == pytest.approx(-back.value, abs=1e-6)
    assert there.error == pytest.approx(back.error, abs=1e-6)
    assert there.skewness == pytest.approx(-back.skewness, abs=1e-6)


def test_no_interval_is_told_while_few_have_bought() -> None:
    few, many = _sums([1.0] * (FEWEST_BUYERS - 1) + [0.0] * 500), _sums([1.0, 2.0] * 50)
    assert lift(few, many).interval(0.95) is None
    assert lift(many, few).interval(0.95) is None
    assert lift(many, many).interval(0.95) is not None
    assert lift(_sums([1.0]), many).interval(0.95) is None


def test_an_interval_of_what_is_not_skewed_is_students() -> None:
    found = Lift(value=100.0, error=10.0, skewness=0.0, freedom=20.0, enough=True).interval(0.95)
    assert found is not None
    assert found.low == pytest.approx(100 - 20.86, abs=0.01)
    assert found.high == pytest.approx(100 + 20.86, abs=0.01)


def test_an_interval_reaches_further_to_the_side_of_the_long_tail() -> None:
    found = Lift(value=0.0, error=1.0, skewness=0.3, freedom=500.0, enough=True).interval(0.95)
    assert found is not None
    assert found.high > 2.1 > -found.low > 1.6


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    [(0.975, 10, 2.2281), (0.975, 30, 2.0423), (0.995, 20, 2.8453), (0.9995, 60, 3.4602), (0.975, 1e9, 1.96)],
)
def test_students_quantiles_are_those_of_the_tables(
    probability: float, freedom: float, quantile: float
) -> None:
    assert student(probability, freedom) == pytest.approx(quantile, abs=0.002)


@pytest.mark.parametrize(
    ("low", "high", "day", "verdict"),
    [
        (5, 9, 3, "earned"),
        (-9, -5, 3, "cost"),
        (-5, 9, 3, "cannot_tell_yet"),
        (-5, 9, 14, "cannot_tell"),
        (5, 9, 14, "earned"),
    ],
)
def test_a_verdict_follows_from_its_interval(
    low: float, high: float, day: int, verdict: verdicts.Verdict
) -> None:
    middle = (low + high) / 2
    error = (high - low) / 2 / student(0.5 + verdicts.daily_confidence(14, 1) / 2, 1e6)
    reading = verdicts.read(Lift(middle, error, 0.0, 1e6, enough=True), day=day, days=14, arms=1)
    assert reading.verdict == verdict
    if day < 14:
        assert reading.interval is not None
        assert (reading.interval.low, reading.interval.high) == pytest.approx((low, high), abs=0.01)


def test_how_many_days_more_is_told_where_the_preset_end_allows() -> None:
    def days_more(value: float) -> int | None:
        found = Lift(value, 1.0, 0.0, 1e6, enough=True)
        return verdicts.read(found, day=7, days=28, arms=1).days_more

    assert days_more(3.0) in range(1, 4)  # nearly sure already
    assert days_more(1.0) is None  # not within these days
    assert days_more(0.0) is None
    nobody_held_out = verdicts.read(None, day=7, days=28, arms=1)
    assert (nobody_held_out.verdict, nobody_held_out.interval) == ("no_holdout", None)


def test_many_arms_share_the_risk() -> None:
    assert verdicts.daily_confidence(14, 3) > verdicts.daily_confidence(14, 1) > verdicts.DAILY
    two = verdicts.read(Lift(1.0, 1.0, 0.0, 1e6, enough=True), day=9, days=9, arms=2)
    assert two.confidence == pytest.approx(0.975)


def test_what_is_inside_an_interval() -> None:
    assert 0 in Interval(-1, 1)
    assert 2 not in Interval(-1, 1)


@pytest.mark.parametrize(
    "truth",
    [
        Truth("nothing", 600, 300, 5, visits=2.0, alike=1.0, checks_differ=0.5),
        Truth("something", 400, 400, 5, visits=4.0, alike=1.0, checks_differ=0.5, effect=0.3),
    ],
    ids=lambda truth: truth.name,
)
def test_of_simulated_campaigns_the_truth_is_told(truth: Truth) -> None:
    """A short form of ``bench/lift.py``, wide enough to fail by chance less than once in a million runs."""
    score = lift_truth.simulate(random.Random(3), truth, 60)
    assert score.final_told == 60
    assert score.final_covered >= 47
    assert score.always_covered >= 50
    assert score.earned <= 12 if not truth.effect else score.earned >= 1
