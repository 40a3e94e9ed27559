"""Who changes passes takes promises in order of device, then the counter: no two wait in a circle.

Each test holds one lock while another transaction runs into it, then takes what that one would hold if it
took its locks in another order. On SQLite writers come one after the other anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import text

from app.db import Database, Tx
from app.db.identifiers import DeviceId
from app.delivery import queue
from app.delivery.budget import Policy
from app.delivery.promises import Outcome
from app.delivery.queue import Promise
from app.passes import evidence, issuing, store_passes, store_tags
from app.passes.content import LocalizedText, Message, PassContent
from app.passes.evidence import Sighting
from app.passes.issuing import Revision, WalletPass
from tests.passes.shop import NOW, SECOND, TYPE, Shop, open_shop, pending, publish, register

DAY = timedelta(days=1)


@pytest.fixture
def shop(database: Database) -> Shop:
    return open_shop(database)


@pytest.fixture
def cards(database: Database, shop: Shop) -> list[WalletPass]:
    """Two cards, each in a phone of its own; both phones hold a third one."""
    with database.write() as tx:
        made = [shop.issue(tx) for _ in range(3)]
        for card, phone in zip(made, ("first", "second"), strict=False):
            register(tx, card, phone)
            register(tx, made[2], phone)
    return made


def _devices(database: Database, card: WalletPass) -> list[DeviceId]:
    with database.read() as tx:
        return store_passes.reachable_devices(tx, [card.id])[TYPE]


@contextmanager
def _meanwhile(database: Database, work: Callable[[Tx], object]) -> Iterator[Callable[[], None]]:
    """Runs ``work`` in a transaction of another thread, which must end well once the block has ended.

    What is yielded starts it, and waits until it runs into a lock.
    """
    faults: list[Exception] = []

    def run() -> None:
        try:
            with database.write() as tx:
                work(tx)
        except Exception as fault:  # told below, in the test's own thread
            faults.append(fault)

    thread = Thread(target=run)

    def start() -> None:
        thread.start()
        deadline = time.monotonic() + 10
        while not _somebody_waits(database) and time.monotonic() < deadline:
            time.sleep(0.02)

    yield start
    thread.join(20)
    assert not thread.is_alive()
    assert faults == []


def _somebody_waits(database: Database) -> bool:
    if database.is_sqlite:
        time.sleep(0.1)
        return True
    waiting = text(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with database.read() as tx:
        return tx.execute(waiting).first() is not None


def _promise(tx: Tx, device_id: DeviceId) -> None:
    queue.promise(tx, [Promise(device_id, TYPE, "silent", NOW)], now=NOW)


def test_a_revision_promises_its_pushes_before_it_takes_the_counter(
    database: Database, cards: list[WalletPass]
) -> None:
    def revise(tx: Tx) -> None:
        change = Revision(cards[0].id, lambda content: replace(content, balance=7))
        issuing.revise(tx, [change], kind="silent", now=NOW)

    (device,) = _devices(database, cards[0])
    with _meanwhile(database, revise) as start, database.write() as tx:
        _promise(tx, device)
        start()
        store_tags.next_tag(tx, TYPE)


def test_a_move_promises_its_pushes_before_it_takes_the_counter(
    database: Database, shop: Shop, cards: list[WalletPass]
) -> None:
    with database.write() as tx:
        newer = publish(tx, shop.programme_id, 2)

    def move(tx: Tx) -> None:
        issuing.move_design(tx, from_design_id=shop.design_id, to_design_id=newer, now=NOW)

    (device,) = _devices(database, cards[0])
    with _meanwhile(database, move) as start, database.write() as tx:
        _promise(tx, device)
        start()
        store_tags.next_tag(tx, TYPE)


def test_passes_that_are_offered_again_are_promised_in_order_of_device_whatever_they_announce(
    database: Database, cards: list[WalletPass]
) -> None:
    def announcing(content: PassContent) -> PassContent:
        return replace(content, messages=(Message(LocalizedText("Акция", "Offer"), NOW, "campaign:1"),))

    silent = Revision(cards[0].id, lambda content: replace(content, balance=5))
    with database.write() as tx:
        issuing.revise(tx, [silent, Revision(cards[1].id, announcing)], kind="silent", now=NOW)
        evidence.record(tx, [Sighting(cards[0].id, 2, NOW), Sighting(cards[1].id, 2, NOW)])
        tx.execute(text("DELETE FROM delivery"))

    def offer_again(tx: Tx) -> None:
        assert evidence.retag_unfetched(tx, now=NOW + DAY, older_than=SECOND) == 2

    first, second = _devices(database, cards[2])
    with _meanwhile(database, offer_again) as start, database.write() as tx:
        _promise(tx, first)
        start()
        _promise(tx, second)
    with database.read() as tx:
        assert pending(tx) == [("first", "silent"), ("second", "campaign")]


def test_pushes_that_go_back_let_a_till_pass(database: Database, cards: list[WalletPass]) -> None:
    first, second = _devices(database, cards[2])
    later = NOW + DAY
    with database.write() as tx:
        _promise(tx, first)
        _promise(tx, second)
        claim = queue.claim(tx, owner="me", now=later, lease=DAY, policy=Policy())
        queue.begin_attempts(tx, claim.claimed, now=later)
    with database.write() as tx:
        _promise(tx, second)  # supersedes the one on its way
    outcomes = [Outcome(claimed=one, verdict="retry", reason="TooManyRequests") for one in claim.claimed]

    def settle(tx: Tx) -> None:
        reached = queue.settle(tx, "me", outcomes, now=later)
        assert sorted(reached.values()) == ["superseded", "superseded"]

    with _meanwhile(database, settle) as start, database.write() as tx:
        _promise(tx, first)
        start()
        _promise(tx, second)
