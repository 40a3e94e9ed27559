"""A long command does much at a time where the database is quick, little where it is slow, and rests then."""

from __future__ import annotations

import pytest

from app.db.pace import HOLD, LONGEST_REST, Pace


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


def test_on_a_quiet_machine_it_never_rests() -> None:
    pace = Pace(fewest=20, most=200)
    for _ in range(100):
        pace.note(pace.size * 0.0002)
        assert pace.rest == pytest.approx(0, abs=0.001)


def test_it_rests_the_longer_the_slower_work_has_become_and_not_once_it_is_quick_again() -> None:
    pace = Pace(fewest=20, most=200)
    rests = []
    for slower in (1, 1.5, 3, 1):
        done = pace.size
        pace.note(done * 0.0002 * slower)
        rests.append(pace.rest / done)
    assert rests[0] == 0
    assert rests[1] == pytest.approx(4 * 0.0001, rel=0.1)
    assert rests[2] == pytest.approx(4 * 0.0004, rel=0.1)
    assert rests[3] == pytest.approx(0, abs=0.0001)


def test_what_was_quick_long_ago_is_forgotten() -> None:
    pace = Pace(fewest=20, most=200)
    pace.note(pace.size * 0.0001)
    for _ in range(400):
        pace.note(pace.size * 0.0002)
    assert pace.rest == pytest.approx(0, abs=0.0001)


def test_whatever_happened_it_goes_on_soon() -> None:
    pace = Pace(fewest=20, most=200)
    pace.note(0.004)
    pace.note(30)
    assert pace.rest == LONGEST_REST
