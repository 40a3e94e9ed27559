"""A long command does much where the database is quick and idle, and little where others wait."""

from __future__ import annotations

import pytest

from app.commands.pace import Pace


def test_transactions_grow_while_they_are_short_and_never_beyond_what_is_allowed() -> None:
    pace = Pace(fewest=20, most=200)
    sizes = []
    for _ in range(6):
        pace.note(waited=0, held=pace.size * 0.00001)
        sizes.append(pace.size)
    assert sizes == [40, 80, 160, 200, 200, 200]


def test_a_transaction_that_took_long_is_followed_by_a_shorter_one() -> None:
    pace = Pace(fewest=20, most=200)
    for _ in range(20):
        pace.note(waited=0, held=pace.size * 0.0002)  # a hundred take 20 ms
    assert pace.size == pytest.approx(100, abs=1)
    pace.note(waited=0, held=3)
    assert pace.size == 20


def test_who_had_to_wait_rests_longer_and_not_for_ever() -> None:
    pace = Pace(fewest=20, most=200)
    assert pace.rest < 0.01
    pace.note(waited=0.1, held=0.01)
    assert pace.rest == pytest.approx(0.05)
    pace.note(waited=9, held=0.01)
    assert pace.rest < 0.5
    pace.note(waited=0, held=0.01)
    assert pace.rest < 0.01
