"""The queues that benchmarks measure: as deep as they say, and watched until they are empty."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.db import Database
from app.delivery import queue
from app.delivery.budget import Policy
from app.delivery.promises import Outcome
from app.delivery.tables import delivery
from bench import queue_watch, usage, world
from bench.operations import BATCH, DEEP, Operations
from bench.world import World

GUESTS = DEEP * BATCH
EAGER = Policy(campaign=1000, coalesce=timedelta(0))


def _open(database: Database) -> dict[str, int]:
    states = select(delivery.c.state, func.count()).where(delivery.c.settled_at.is_(None))
    with database.read() as tx:
        return {row[0]: row[1] for row in tx.execute(states.group_by(delivery.c.state))}


def _promise(database: Database, filled: World) -> None:
    with database.write() as tx:
        queue.enqueue_pushes(
            tx,
            [filled.device_id(0)],
            pass_type_identifier=filled.pass_type_identifier,
            kind="campaign",
            now=datetime.now(UTC),
        )


def test_a_deep_queue_stays_as_deep_as_it_was_however_often_pushes_are_claimed(database: Database) -> None:
    operations = Operations(database, world.build(database, GUESTS), 1)
    operations.deepen()
    assert _open(database) == {"pending": 2 * GUESTS // DEEP}
    (claim,) = operations.deep().values()
    for _ in range(3):
        claim()
    assert _open(database) == {"pending": 2 * GUESTS // DEEP}


def test_a_claim_that_finds_no_deep_queue_fails(database: Database) -> None:
    (claim,) = Operations(database, world.build(database, BATCH), 1).deep().values()
    with pytest.raises(RuntimeError, match="deep"):
        claim()


def test_a_watch_waits_while_a_promise_is_pending_or_sending(database: Database, database_url: str) -> None:
    filled = world.build(database, 1, history=False)
    with (
        queue_watch.watching(database_url, usage.all_cores()) as watch,
        ThreadPoolExecutor(1) as thread,
    ):
        watch.wait()  # nothing was promised yet
        _promise(database, filled)
        settled = thread.submit(watch.wait)
        with pytest.raises(TimeoutError):
            settled.result(0.3)
        now = datetime.now(UTC)
        with database.write() as tx:
            claim = queue.claim(tx, owner="me", now=now, lease=timedelta(seconds=30), policy=EAGER)
        with pytest.raises(TimeoutError):
            settled.result(0.3)
        outcomes = [Outcome(claimed=one, verdict="accepted", status=200) for one in claim.claimed]
        with database.write() as tx:
            queue.begin_attempts(tx, claim.claimed, now=now)
            queue.settle(tx, "me", outcomes, now=now)
        settled.result(10)
