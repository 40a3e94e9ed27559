"""Moving windows of one process, against a plain model."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond

from app.web.windows import Windows

hits = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40)), max_size=60)


@given(hits)
def test_a_window_allows_what_its_limit_says_and_tells_how_long_to_wait(hits: list[tuple[str, int]]) -> None:
    limit, now, allowed = RateLimitItemPerMinute(3), 0.0, dict[str, list[float]](a=[], b=[])
    windows = Windows(clock=lambda: now)
    for who, pause in hits:
        now += pause
        lately = [at for at in allowed[who] if at > now - 60]
        wait = windows.hit(limit, who)
        assert (wait == 0) == (len(lately) < 3)
        if wait:
            assert wait == lately[0] + 60 - now
        else:
            allowed[who].append(now)


def test_names_that_were_not_heard_of_for_longest_are_forgotten() -> None:
    windows = Windows(most=2)
    limit = RateLimitItemPerMinute(1)
    for who in ("a", "b", "a", "c"):
        windows.hit(limit, who)
    assert len(windows) == 2
    assert windows.hit(limit, "a") > 0
    assert windows.hit(limit, "b") == 0


def test_threads_share_one_window() -> None:
    windows, limit, allowed = Windows(clock=lambda: 0.0), RateLimitItemPerSecond(100), list[float]()

    def knock() -> None:
        for _ in range(100):
            allowed.append(windows.hit(limit, "till"))

    threads = [threading.Thread(target=knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert allowed.count(0.0) == 100
