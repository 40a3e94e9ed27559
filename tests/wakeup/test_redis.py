"""While Redis is away, its bell costs nothing but latency."""

from __future__ import annotations

import time

from app.wakeup import RedisWakeup


def test_ringing_without_redis_costs_a_request_next_to_nothing(free_port: int) -> None:
    bell = RedisWakeup(f"redis://127.0.0.1:{free_port}/0")
    began = time.monotonic()
    for _ in range(50):
        bell.ring()
    assert time.monotonic() - began < 1
    bell.close()


def test_waiting_without_redis_is_the_poll(free_port: int) -> None:
    bell = RedisWakeup(f"redis://127.0.0.1:{free_port}/0")
    began = time.monotonic()
    assert not bell.wait(0.1)
    assert 0.1 <= time.monotonic() - began < 2
    bell.close()
