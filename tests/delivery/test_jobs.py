"""Periodic work happens once in a slot, however many workers run, and again where a worker died over it."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

from app.db import Database
from app.delivery import jobs
from tests.delivery.conftest import NOON

MINUTE = timedelta(minutes=1)


def take(database: Database, owner: str, after: timedelta = timedelta()) -> bool:
    with database.write() as tx:
        return jobs.take(tx, "purge", NOON, owner=owner, now=NOON + after, lease=MINUTE)


def test_every_machine_finds_the_same_slot() -> None:
    assert jobs.slot_of(NOON + timedelta(seconds=59.9), MINUTE) == NOON
    assert jobs.slot_of(NOON + MINUTE, MINUTE) == NOON + MINUTE


def test_one_of_many_workers_gets_the_slot(database: Database) -> None:
    start = Barrier(4)
    got: list[str] = []

    def work(owner: str) -> None:
        start.wait()
        if take(database, owner):
            got.append(owner)

    threads = [Thread(target=work, args=(f"worker-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_done_is_done(database: Database) -> None:
    assert take(database, "me")
    with database.write() as tx:
        assert not jobs.finish(tx, "purge", NOON, owner="other", now=NOON)
        assert jobs.finish(tx, "purge", NOON, owner="me", now=NOON)
    assert not take(database, "other", 10 * MINUTE)


def test_a_dead_workers_slot_is_taken_over_after_its_lease(database: Database) -> None:
    assert take(database, "dead")
    assert not take(database, "other", MINUTE)
    assert take(database, "other", MINUTE + timedelta(seconds=1))
    with database.write() as tx:
        assert not jobs.finish(tx, "purge", NOON, owner="dead", now=NOON)


def test_old_slots_are_forgotten(database: Database) -> None:
    take(database, "me")
    with database.write() as tx:
        jobs.forget(tx, now=NOON + jobs.KEPT + MINUTE)
    assert take(database, "other", jobs.KEPT + MINUTE)
