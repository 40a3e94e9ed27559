"""Real processes claim from one database: no row is held twice, and what a killed one held comes back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

from app.db import Database
from app.delivery import queue
from app.delivery.budget import Policy
from tests.delivery.conftest import TYPE, Devices, deliveries


@contextmanager
def claimer(url: str, owner: str, *, batch: int, most: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.delivery.claimer", url, owner, str(batch), str(most)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _promise(database: Database, devices: Devices, count: int) -> None:
    phones = devices(count)
    now = datetime.now(UTC)
    with database.write() as tx:
        queue.enqueue_pushes(tx, phones, pass_type_identifier=TYPE, kind="receipt", now=now)


def test_three_processes_never_hold_the_same_row(
    database: Database, database_url: str, devices: Devices
) -> None:
    _promise(database, devices, 600)
    with ExitStack() as stack:
        processes = [
            stack.enter_context(claimer(database_url, f"worker-{number}", batch=7, most=10_000))
            for number in range(3)
        ]
        assert [line(process) for process in processes] == ["ready"] * 3
        for process in processes:
            go(process)
        taken = [int(one) for process in processes for one in line(process).split()]
        assert len(taken) == len(set(taken)) == 600
        assert {row.state for row in deliveries(database)} == {"sending"}


def test_what_a_killed_process_held_comes_back_after_its_lease(
    database: Database, database_url: str, devices: Devices
) -> None:
    _promise(database, devices, 50)
    with claimer(database_url, "victim", batch=20, most=20) as process:
        assert line(process) == "ready"
        go(process)
        assert len(line(process).split()) == 20
        process.kill()
        process.wait(10)
    now = datetime.now(UTC)
    with database.write() as tx:
        assert queue.rescue(tx, now=now) == 0
        assert queue.rescue(tx, now=now + timedelta(seconds=31)) == 20
        claim = queue.claim(
            tx, owner="other", now=now + timedelta(seconds=31), lease=timedelta(seconds=30), policy=Policy()
        )
    assert len(claim.claimed) == 50
