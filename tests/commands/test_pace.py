"""A long command does much at a time where the database is quick, and little where it is slow."""

from __future__ import annotations

import pytest

from app.commands.pace import HOLD, Pace


def test_transactions_grow_while_they_are_short_and_never_beyond_what_is_allowed() -> None:
    pace = Pace(fewest=20, most=200)
    sizes = []
    for _ in range(6):
        pace.note(pace.size * 0.00001)
        sizes.append(pace.size)
    assert sizes == [40, 80, 160, 200, 200, 200]


def test_a_transaction_that_took_long_is_followed_by_a_shorter_one() -> None:
    pace = Pace(fewest=20, most=200)
    for _ in range(20):
        pace.note(pace.size * HOLD / 100)
    assert pace.size == pytest.approx(100, abs=1)
    pace.note(3)
    assert pace.size == 20
