"""The phone's patience: the score as iOS counts it, never above the limit, and the wait in closed form."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery import budget
from app.delivery.budget import Patience, Policy
from app.errors import Misconfigured
from tests.delivery.conftest import NOON

KINDS = ("receipt", "campaign", "silent")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("minutes", "added"), [(1, 0.975), (5, 0.88), (10, 0.77), (30, 0.42), (60, 0.125), (90, 0.016), (120, 0)]
)
def test_the_score_is_the_observed_one(minutes: int, added: float) -> None:
    before = Patience(1.0, NOON)
    assert budget.score_after(before, NOON + minutes * MINUTE) == pytest.approx(1.0 + added, abs=0.005)


def test_a_quiet_day_forgives_and_never_below_zero() -> None:
    assert budget.score_after(Patience(12.0, NOON), NOON + 24 * 60 * MINUTE) == pytest.approx(1.0)
    assert budget.score_after(Patience(3.0, NOON), NOON + 24 * 60 * MINUTE) == 0


@pytest.mark.parametrize(("passes", "seconds"), [(0, 7200), (1, 7200), (2, 3600), (4, 1800), (9, 1800)])
def test_more_passes_shorten_the_zero(passes: int, seconds: float) -> None:
    assert budget.zero_seconds(passes) == seconds


def test_the_first_push_leaves_at_once_and_the_second_trails() -> None:
    policy = Policy()
    assert budget.earliest_push(None, "silent", policy, NOON) == (NOON, False)
    fresh = budget.pushed(None, NOON)
    assert fresh == Patience(0.0, NOON, 1)
    assert budget.earliest_push(fresh, "receipt", policy, NOON + timedelta(seconds=3)) == (
        NOON + timedelta(seconds=10),
        False,
    )


def test_a_negative_limit_is_a_mistake() -> None:
    with pytest.raises(Misconfigured):
        Policy(receipt=-1)


policies = st.builds(
    Policy,
    receipt=st.floats(0, 4),
    campaign=st.floats(0, 2),
    silent=st.just(0.0),
    coalesce=st.integers(0, 120).map(lambda seconds: timedelta(seconds=seconds)),
)
promises = st.lists(
    st.tuples(st.floats(0, 4 * 3600), st.sampled_from(KINDS), st.integers(1, 6)), min_size=1, max_size=40
)


@given(policies, promises)
def test_no_sequence_of_pushes_goes_above_its_limit(
    policy: Policy, wanted: list[tuple[float, str, int]]
) -> None:
    """Whatever is wanted when: each push leaves within its limit, and no push waits for ever."""
    now = NOON
    patience: Patience | None = None
    for pause, kind, passes in wanted:
        now += timedelta(seconds=pause)
        known = patience and Patience(patience.score, patience.last_push_at, passes)
        when, held = budget.earliest_push(known, kind, policy, now)
        assert when >= now
        assert not held or when > now
        assert budget.earliest_push(known, kind, policy, when) == (when, False)
        previous, patience = patience, budget.pushed(known, when, passes=passes)
        assert previous is None or patience.score <= max(0, policy.limit(kind)) + budget.TOLERANCE
        assert previous is None or when - previous.last_push_at >= policy.coalesce
        now = when


@given(st.floats(0, 20), st.integers(1, 8), st.floats(0, 4))
def test_the_closed_form_equals_a_simulation(score: float, passes: int, limit: float) -> None:
    """Stepping second by second finds the same moment; scores only fall while one waits."""
    patience = Patience(score, NOON, passes)
    wait = budget.allowed_after(patience, limit).total_seconds()

    def fits(seconds: float) -> bool:
        after = budget.score_after(patience, NOON + timedelta(seconds=seconds))
        return after <= limit + budget.TOLERANCE

    assert fits(wait)
    low, high = 0.0, 40 * 3600 * 24.0
    for _ in range(80):  # a bisection needs no formula
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    # Flat around x = 0: there a tolerance of 1e-9 in score is 1e-3 in x.
    assert wait == pytest.approx(high if not fits(0) else 0.0, abs=budget.zero_seconds(passes) * 2e-3)
