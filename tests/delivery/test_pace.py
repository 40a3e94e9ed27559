"""The rate of a login: what the algorithm promises, for any rate, burst and rhythm of looking."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.delivery.pace import AHEAD, Pace
from app.errors import Misconfigured
from tests.delivery.texting import NOON

MICROSECOND = 1e-6


@settings(max_examples=60)
@given(
    rate=st.floats(0.2, 500),
    burst=st.integers(1, 50),
    looks=st.lists(st.tuples(st.floats(0, 3), st.integers(0, 30)), min_size=1, max_size=10),
)
def test_no_window_holds_more_than_the_burst_and_the_rate(
    rate: float, burst: int, looks: list[tuple[float, int]]
) -> None:
    pace, now, free = Pace(rate, burst), NOON, None
    left: list[datetime] = []
    for passed, wanted in looks:
        now += timedelta(seconds=passed)
        count = min(wanted, pace.room(free, now=now))
        departures, free = pace.take(free, count, now=now)
        assert all(now <= one <= now + AHEAD + timedelta(microseconds=10) for one in departures)
        left += departures
    left.sort()
    for start, first in enumerate(left):
        for end, last in enumerate(left[start:], start):
            most = burst + (last - first).total_seconds() * rate
            assert end - start + 1 <= most + (end + 2) * rate * MICROSECOND + 1e-3


@settings(max_examples=30)
@given(rate=st.floats(1, 500), burst=st.integers(1, 20))
def test_who_looks_often_enough_gets_the_whole_rate(rate: float, burst: int) -> None:
    pace, now, free = Pace(rate, burst), NOON, None
    sent = 0
    for _ in range(80):  # 20 seconds
        departures, free = pace.take(free, pace.room(free, now=now), now=now)
        sent += len(departures)
        now += AHEAD / 2
    assert sent >= 20 * rate - 1


def test_after_a_silence_a_burst_leaves_at_once_and_the_rest_evenly() -> None:
    pace = Pace(rate=10, burst=3)
    departures, free = pace.take(None, pace.room(None, now=NOON), now=NOON)
    assert [round((one - NOON).total_seconds(), 3) for one in departures] == [
        0,
        0,
        0,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
    ]
    assert free == NOON + timedelta(seconds=0.8)
    assert pace.room(free, now=NOON) == 0


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_pace_that_never_lets_go_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(Misconfigured):
        Pace(rate, burst)
