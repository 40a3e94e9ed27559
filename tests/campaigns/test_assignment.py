"""Chance divides an audience: as asked, the same every time, independently of every other campaign."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from app.campaigns import assignment
from app.campaigns.assignment import WHOLE, Split, arm_of, in_canary
from app.db.identifiers import MemberId
from app.errors import BadInput

pytestmark = pytest.mark.once
MANY = 20_000
PINNED = [0, None, 0, 0, 1, 0, 0, 0, 0, None, 1, 0]
SALT, OTHER = b"0123456789abcdef", b"fedcba9876543210"


def _counted(split: Split, salt: bytes = SALT) -> Counter[int | None]:
    return Counter(arm_of(split, salt, MemberId(number)) for number in range(1, MANY + 1))


@pytest.mark.parametrize("split", [Split(), Split(0, (1, 1)), Split(2000, (1, 2, 5)), Split(5000, (7, 3))])
def test_shares_are_as_asked(split: Split) -> None:
    found = _counted(split)
    shares: dict[int | None, int] = {None: split.holdout}
    shares.update(enumerate(split.shares()))
    assert sum(shares.values()) == WHOLE
    for group, share in shares.items():
        expected = MANY * share / WHOLE
        assert abs(found[group] - expected) <= 5 * math.sqrt(expected + 1), (group, found)


def test_nobody_changes_arms_and_more_arms_leave_the_holdout_as_it_was() -> None:
    before = {number for number in range(1, 2000) if arm_of(Split(), SALT, MemberId(number)) is None}
    again = {number for number in range(1, 2000) if arm_of(Split(), SALT, MemberId(number)) is None}
    halves = {
        number for number in range(1, 2000) if arm_of(Split(weights=(1, 1)), SALT, MemberId(number)) is None
    }
    assert before == again == halves


def test_two_campaigns_hold_out_different_guests() -> None:
    both = sum(
        arm_of(Split(), SALT, MemberId(n)) is None and arm_of(Split(), OTHER, MemberId(n)) is None
        for n in range(1, MANY + 1)
    )
    assert abs(both - MANY / 100) <= 5 * math.sqrt(MANY / 100)


def test_a_canary_is_one_in_a_hundred_of_every_arm() -> None:
    few = [n for n in range(1, MANY + 1) if in_canary(SALT, MemberId(n))]
    assert abs(len(few) - MANY / 100) <= 5 * math.sqrt(MANY / 100)
    held_out = sum(arm_of(Split(5000), SALT, MemberId(n)) is None for n in few)
    assert abs(held_out - len(few) / 2) <= 5 * math.sqrt(len(few) / 4)


def test_a_division_is_what_it_was_in_every_version() -> None:
    """Campaigns outlive upgrades: guests must not change arms."""
    arms = [arm_of(Split(3000, (1, 1)), SALT, MemberId(n)) for n in range(1, 13)]
    assert arms == PINNED


@pytest.mark.parametrize(
    ("holdout", "weights", "field"),
    [
        (-1, [1], "holdout"),
        (5001, [1], "holdout"),
        (50, [1], "holdout"),
        (1000, [], "arms"),
        (1000, [1] * 7, "arms"),
        (1000, [1, 0], "arms"),
        (1000, [1, 1000], "arms"),
    ],
)
def test_a_division_that_tells_nothing_is_refused(holdout: int, weights: list[int], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        assignment.split(holdout, weights)
    assert refused.value.field == field


def test_a_division_is_taken() -> None:
    assert assignment.split(0, [1]) == Split(0, (1,))
    assert assignment.split(1000, [2, 3]).arms == 2
