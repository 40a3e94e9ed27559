"""The local bell wakes whoever waits, and never hurts whoever rings."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from threading import Thread, Timer

from app.wakeup import LocalWakeup


def test_a_ring_wakes_the_waiter_at_once(tmp_path: Path) -> None:
    bell, other = LocalWakeup(tmp_path / "bell"), LocalWakeup(tmp_path / "bell")
    assert not bell.wait(0.01)  # now it listens
    timer = Timer(0.05, other.ring)
    timer.start()
    began = time.monotonic()
    assert bell.wait(10)
    assert time.monotonic() - began < 5
    timer.join()
    bell.close()
    other.close()


def test_many_rings_while_nobody_waits_wake_once(tmp_path: Path) -> None:
    bell = LocalWakeup(tmp_path / "bell")
    bell.wait(0.01)
    for _ in range(5000):
        bell.ring()
    assert bell.wait(1)
    assert not bell.wait(0.01)
    bell.close()


def test_ringing_without_a_listener_does_nothing(tmp_path: Path) -> None:
    bell = LocalWakeup(tmp_path / "missing" / "bell")
    bell.ring()
    bell.close()


def test_a_dead_process_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "bell"
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(str(path))
    dead.close()
    bell = LocalWakeup(path)
    bell.wait(0.01)
    bell.ring()
    assert bell.wait(1)
    bell.close()
    assert not path.exists()


def test_a_second_listener_polls_and_takes_over_when_the_first_ends(tmp_path: Path) -> None:
    first, second = LocalWakeup(tmp_path / "bell"), LocalWakeup(tmp_path / "bell")
    first.wait(0.01)
    began = time.monotonic()
    assert not second.wait(0.1)
    assert time.monotonic() - began >= 0.09
    first.ring()
    assert first.wait(1)
    first.close()
    second.wait(0.01)
    first.ring()
    assert second.wait(1)
    first.close()
    second.close()


def test_a_directory_that_cannot_hold_a_socket_costs_only_the_poll(tmp_path: Path) -> None:
    bell = LocalWakeup(tmp_path / "missing" / "bell")
    began = time.monotonic()
    assert not bell.wait(0.05)
    assert time.monotonic() - began >= 0.05
    bell.close()


def test_a_long_path_is_replaced_by_a_short_one_that_both_sides_find(tmp_path: Path) -> None:
    long = tmp_path / ("d" * 120) / "bell"
    waiter, ringer = LocalWakeup(long), LocalWakeup(long)
    assert waiter.path == ringer.path
    assert len(os.fsencode(waiter.path)) <= 100
    waiter.wait(0.01)
    ringer.ring()
    assert waiter.wait(1)
    waiter.close()
    ringer.close()


def test_threads_may_ring_together(tmp_path: Path) -> None:
    bell = LocalWakeup(tmp_path / "bell")
    bell.wait(0.01)

    def ring() -> None:
        for _ in range(50):
            bell.ring()

    threads = [Thread(target=ring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bell.wait(1)
    bell.close()
