"""Token buckets: a burst, then a trickle, in bounded memory."""

from __future__ import annotations

from app.web.passkit_limit import Buckets


def test_a_burst_is_allowed_then_a_trickle() -> None:
    limit = Buckets(burst=3, per_second=0.5)
    assert [limit.allows("a", 0) for _ in range(5)] == [True, True, True, False, False]
    assert [limit.allows("a", second) for second in (1, 2, 3, 4)] == [False, True, False, True]
    assert limit.allows("b", 4)


def test_a_long_silence_fills_no_more_than_the_burst() -> None:
    limit = Buckets(burst=2, per_second=1)
    limit.allows("a", 0)
    assert [limit.allows("a", 1000) for _ in range(3)] == [True, True, False]


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    limit = Buckets(burst=1, per_second=1)
    assert limit.allows("a", 100)
    assert not limit.allows("a", 50)


def test_the_bucket_that_nobody_took_from_for_longest_is_forgotten() -> None:
    limit = Buckets(burst=1, per_second=0, most=3)
    for address in ("a", "b", "c"):
        assert limit.allows(address, 0)
    assert not limit.allows("a", 1)
    assert limit.allows("d", 2)
    assert len(limit) == 3
    assert not limit.allows("a", 3)
    assert limit.allows("b", 3)
