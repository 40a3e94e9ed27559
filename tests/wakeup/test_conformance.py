"""What every bell must do: the local one in the SQLite run, Redis's in the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer

import pytest

from app.wakeup import LocalWakeup, RedisWakeup, Wakeup

Bells = Callable[[], Wakeup]


@pytest.fixture
def bells(redis_url: str, tmp_path: Path) -> Iterator[Bells]:
    made: list[Wakeup] = []

    def make() -> Wakeup:
        bell: Wakeup = RedisWakeup(redis_url) if redis_url else LocalWakeup(tmp_path / "bell")
        made.append(bell)
        return bell

    yield make
    for bell in made:
        bell.close()


def test_a_ring_wakes_the_waiter_long_before_the_poll(bells: Bells) -> None:
    waiter, ringer = bells(), bells()
    while waiter.wait(0.01):
        pass
    timer = Timer(0.05, ringer.ring)
    timer.start()
    began = time.monotonic()
    assert waiter.wait(5)
    assert time.monotonic() - began < 3
    timer.join()


def test_a_ring_before_the_wait_is_not_lost(bells: Bells) -> None:
    waiter, ringer = bells(), bells()
    while waiter.wait(0.01):
        pass
    ringer.ring()
    assert waiter.wait(5)


def test_silence_lasts_the_timeout_and_not_much_longer(bells: Bells) -> None:
    waiter = bells()
    while waiter.wait(0.01):
        pass
    began = time.monotonic()
    assert not waiter.wait(0.2)
    assert 0.15 < time.monotonic() - began < 2


def test_rings_do_not_pile_up(bells: Bells) -> None:
    waiter, ringer = bells(), bells()
    waiter.wait(0.01)
    for _ in range(1000):
        ringer.ring()
    heard = 0
    while waiter.wait(0.01):
        heard += 1
    assert 1 <= heard <= 16
