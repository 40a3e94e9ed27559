"""Periodic work: each slot once, whoever does it; and the three kinds of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from app.db import Database, Tx
from app.delivery import queue
from app.delivery.budget import Policy
from app.delivery.promises import Outcome
from app.delivery.tables import delivery, job
from app.passes import evidence
from app.passes.evidence import Sighting
from app.passes.signing import load_signer
from app.simulators.authority import Authority
from app.worker import ticks
from app.worker.ticks import Tick, Ticker
from tests.passes.shop import NOW, TYPE, open_shop, pending, register
from tests.worker.conftest import TEAM, Rig

MINUTE = timedelta(minutes=1)


def _count(done: list[datetime], times: int = 1) -> Tick:
    def step(_tx: Tx, now: datetime) -> bool:
        done.append(now)
        return len(done) % times != 0

    return Tick("counted", MINUTE, step)


def _drain(ticker: Ticker, now: datetime) -> None:
    while ticker.step(now):
        pass


def test_each_slot_is_done_once_among_two_workers(database: Database) -> None:
    done: list[datetime] = []
    one, two = (Ticker(database, [_count(done)], owner=name) for name in ("one", "two"))
    for seconds in (0, 10, 59):
        _drain(one, NOW + timedelta(seconds=seconds))
        _drain(two, NOW + timedelta(seconds=seconds))
    assert len(done) == 1
    _drain(two, NOW + MINUTE)
    _drain(one, NOW + MINUTE)
    assert len(done) == 2


def test_work_goes_on_in_short_steps_until_there_is_no_more(database: Database) -> None:
    done: list[datetime] = []
    ticker = Ticker(database, [_count(done, times=5)], owner="me")
    _drain(ticker, NOW)
    assert len(done) == 5


def test_work_that_is_not_due_writes_nothing_and_one_that_is_often_leaves_few_rows(
    database: Database,
) -> None:
    done: list[datetime] = []
    there: list[bool] = [False]
    often = Tick("often", timedelta(seconds=1), _count(done).step, due=lambda _tx, _now: there[0])
    ticker = Ticker(database, [often], owner="me")

    def rows() -> int:
        with database.read() as tx:
            return tx.scalar(select(func.count()).select_from(job)) or 0

    for seconds in range(3):
        _drain(ticker, NOW + timedelta(seconds=seconds))
    assert (done, rows()) == ([], 0)
    there[0] = True
    for seconds in range(3, 10):
        _drain(ticker, NOW + timedelta(seconds=seconds))
    assert (len(done), rows()) == (7, 7)
    _drain(ticker, NOW + timedelta(seconds=100))
    assert (len(done), rows()) == (8, 1)


def test_work_of_a_dead_worker_is_begun_again_in_the_same_slot(database: Database) -> None:
    done: list[datetime] = []
    hourly = Tick("counted", timedelta(hours=1), _count(done).step)
    dead, alive = (Ticker(database, [hourly], owner=name) for name in ("dead", "alive"))
    assert dead.step(NOW)  # it took the slot, and that was all
    _drain(alive, NOW + ticks.LEASE / 2)
    assert done == []
    _drain(alive, NOW + 2 * ticks.LEASE)
    assert len(done) == 1
    _drain(dead, NOW + 3 * ticks.LEASE)
    assert len(done) == 1


def test_work_that_fails_is_told_and_tried_again_after_its_lease(database: Database) -> None:
    tries: list[datetime] = []

    def fail(_tx: Tx, now: datetime) -> bool:
        tries.append(now)
        raise ZeroDivisionError

    ticker = Ticker(database, [Tick("failing", timedelta(hours=1), fail)], owner="me")
    with capture_logs() as logs:
        _drain(ticker, NOW)
        _drain(ticker, NOW + ticks.LEASE / 2)
        _drain(ticker, NOW + 2 * ticks.LEASE)
    assert len(tries) == 2
    assert [line["kind"] for line in logs if line["event"] == "periodic_work_failed"] == ["failing"] * 2


def test_a_period_longer_than_slots_are_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="a day"):
        Tick("weekly", timedelta(days=7), lambda _tx, _now: False)


def test_a_pass_listed_and_not_fetched_is_pushed_again(database: Database) -> None:
    shop = open_shop(database)
    with database.write() as tx:
        card = shop.issue(tx)
        phone = register(tx, card).device_id
        queue.enqueue_pushes(tx, [phone], pass_type_identifier=TYPE, kind="silent", now=NOW)
        (claimed,) = queue.claim(tx, owner="me", now=NOW, lease=MINUTE, policy=Policy()).claimed
        queue.settle(tx, "me", [Outcome(claimed=claimed, verdict="accepted")], now=NOW)
        evidence.record(tx, [Sighting(card.id, card.version, NOW)])
    ticker = Ticker(database, [ticks.retag_tick(older_than=15 * MINUTE)], owner="me")
    _drain(ticker, NOW + 14 * MINUTE)
    with database.read() as tx:
        assert pending(tx) == []
    _drain(ticker, NOW + 16 * MINUTE)
    with database.read() as tx:
        assert pending(tx) == [("phone", "silent")]


def test_old_settled_promises_are_purged_in_portions(database: Database) -> None:
    shop = open_shop(database)
    with database.write() as tx:
        phones = [register(tx, shop.issue(tx), f"phone-{number}").device_id for number in range(12)]
        queue.enqueue_pushes(tx, phones, pass_type_identifier=TYPE, kind="silent", now=NOW)
        claimed = queue.claim(tx, owner="me", now=NOW, lease=MINUTE, policy=Policy(), limit=10).claimed
        queue.begin_attempts(tx, claimed, now=NOW)
        queue.settle(tx, "me", [Outcome(claimed=one, verdict="accepted") for one in claimed], now=NOW)
    ticker = Ticker(database, [ticks.purge_tick(keep=timedelta(days=30))], owner="me")
    _drain(ticker, NOW + timedelta(days=29))
    with database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(delivery)) == 12
    _drain(ticker, NOW + timedelta(days=31))
    with database.read() as tx:
        assert tx.scalars(select(delivery.c.state)).all() == ["pending"] * 2


def test_a_certificate_near_its_end_is_told_once_per_stage(
    database: Database, authority: Authority, tmp_path: Path, rig: Rig
) -> None:
    folder = authority.pass_credentials(
        tmp_path / "short",
        pass_type_identifier=TYPE,
        team_identifier=TEAM,
        organization="Кафе",
        valid=timedelta(days=40),
    )
    start = rig_now = datetime.now(NOW.tzinfo)
    signer = load_signer(f"file:{folder}", pass_type_identifier=TYPE, team_identifier=TEAM, now=rig_now)
    ticker = Ticker(database, [ticks.certificate_tick(lambda _tx, _now: [signer])], owner="me")
    told = []
    with capture_logs() as logs:
        for days in (0, 1, 11, 12, 34, 39.5):
            _drain(ticker, start + timedelta(days=days))
            told.append(sum(line["event"] == "certificate_expires" for line in logs))
    assert told == [1, 1, 2, 2, 3, 4]
    levels = [line["log_level"] for line in logs if line["event"] == "certificate_expires"]
    assert levels == ["warning", "warning", "error", "error"]


def test_a_worker_does_its_periodic_work(rig: Rig) -> None:
    done: list[datetime] = []
    with rig.working(ticks=[_count(done)]), rig.working(ticks=[_count(done)]):
        rig.until(lambda: bool(done))
    assert 1 <= len(done) <= 2  # two where the minute turned meanwhile
