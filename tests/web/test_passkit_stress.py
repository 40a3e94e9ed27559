"""Concurrent writers in several processes, and a phone that polls all the while, lose nothing."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from app.db import Database, connect
from app.db.identifiers import WalletPassId
from app.passes import issuing
from app.passes.issuing import Revision, WalletPass
from tests.passes.shop import NOW, content, pending
from tests.web.phones import Phone, Service

PROCESSES, THREADS, UPDATES = 2, 2, 500


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    made = Service(database)
    yield made
    made.close()


def _write(url: str, pass_ids: list[WalletPassId], seed: int) -> int:
    """One process: its threads revise up to three random passes per transaction; returns the updates made."""
    database = connect(url)

    def revise(thread: int) -> int:
        chance = random.Random(seed * 100 + thread)
        done = 0
        while done < UPDATES:
            some = chance.sample(pass_ids, chance.randint(1, 3))
            changes = [Revision(pass_id, content(chance.getrandbits(40))) for pass_id in some]
            with database.write() as tx:
                issuing.revise(tx, changes, kind="receipt", now=NOW)
            done += len(changes)
            time.sleep(chance.random() / 100)  # tills pause; SQLite's lock is not fair to who waits
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        updates = sum(pool.map(revise, range(THREADS)))
    database.close()
    return updates


class _Collector:
    """A phone that keeps what it fetched, and the tag before it fetches."""

    def __init__(self, service: Service, cards: list[WalletPass]) -> None:
        self.phone = Phone(service)
        self.cards = {card.serial_number: card for card in cards}
        self.copies: dict[str, tuple[str, bytes]] = {}
        self.tags: list[int] = []
        for card in cards:
            self.phone.register(card)

    def poll(self) -> bool:
        card = next(iter(self.cards.values()))
        answer = self.phone.list(card)
        if answer.status_code == 204:
            return False
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        self.tags.append(int(answer.json["lastUpdated"]))
        for serial in answer.json["serialNumbers"]:
            date, _ = self.copies.get(serial, ("", b""))
            fetched = self.phone.fetch(self.cards[serial], date or None)
            if fetched.status_code == 200:
                self.copies[serial] = (fetched.headers["Last-Modified"], fetched.data)
            else:
                assert fetched.status_code == 304
        return True


@pytest.mark.timeout(300)
def test_two_thousand_concurrent_updates_all_reach_a_polling_phone(
    service: Service, database_url: str
) -> None:
    cards = [service.issue() for _ in range(8)]
    collector = _Collector(service, cards)
    ids = [card.id for card in cards]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        writers: list[Future[int]] = [
            pool.submit(_write, database_url, ids, seed) for seed in range(PROCESSES)
        ]
        while not all(writer.done() for writer in writers):
            collector.poll()
        updates = sum(writer.result() for writer in writers)
    while collector.poll():
        pass
    assert updates >= PROCESSES * THREADS * UPDATES
    assert collector.tags == sorted(set(collector.tags))
    assert len(collector.tags) > 10
    for card in cards:
        now = service.read(card.id)
        told = f"{card.serial_number} {now.version} {now.content.balance} False".encode()
        assert collector.copies[card.serial_number][1] == told
    assert sum(service.read(card.id).version - 1 for card in cards) == updates
    with service.database.read() as tx:
        assert pending(tx) == [(collector.phone.name, "receipt")]
