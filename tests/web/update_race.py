"""Writers in processes of their own change passes while phones poll: nobody may miss an update.

A phone here keeps books as iOS does: the tag before it downloads, the date of each copy, the copy itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from threading import Event

from sqlalchemy.exc import OperationalError

from app.db import Database, connect
from app.db.identifiers import WalletPassId
from app.passes import issuing
from app.passes.issuing import Revision, WalletPass
from tests.passes.shop import NOW, content, saying
from tests.processes import FORKED
from tests.web.phones import Phone, Service


@dataclass(frozen=True, slots=True)
class Race:
    """How many of whom.

    Each process has a writing thread for each of ``batches``, the most passes that it changes in one
    transaction; its share of the updates is in proportion, so that all of them write to the end.
    """

    updates: int  # at least, by all writers together
    processes: int = 2
    batches: tuple[int, ...] = (1, 3)
    passes: int = 8
    phones: int = 1  # the first holds every pass, each of the others a quarter of what the one before holds
    pause: float = 0.005  # seconds on average between transactions: tills pause too


@dataclass(frozen=True, slots=True)
class Written:
    """What one process wrote."""

    updates: int
    transactions: int
    refused: int  # transactions that waited too long for the database; they were repeated, as a till would


@dataclass(slots=True)
class PollingPhone:
    """A phone that polls until it is told to stop, and then until nothing is new."""

    phone: Phone
    cards: dict[str, WalletPass]
    copies: dict[str, tuple[str, int, bytes]] = field(default_factory=dict)  # date, version, body
    tags: list[int] = field(default_factory=list)
    fetched: int = 0
    unchanged: int = 0
    went_back: int = 0  # a tag, version or date that was not later than the one before

    def poll_until(self, over: Event) -> None:
        while not over.is_set():
            self.poll()
        while self.poll():
            pass

    def poll(self) -> bool:
        """Ask what changed and fetch that; False where nothing did."""
        answer = self.phone.list(next(iter(self.cards.values())))
        if answer.status_code == 204:
            return False
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        tag = int(answer.json["lastUpdated"])
        self.went_back += bool(self.tags) and tag <= self.tags[-1]
        self.tags.append(tag)
        for serial in answer.json["serialNumbers"]:
            self._fetch(serial)
        return True

    def _fetch(self, serial: str) -> None:
        held = self.copies.get(serial)
        answer = self.phone.fetch(self.cards[serial], held[0] if held else None)
        if answer.status_code == 304:
            self.unchanged += 1
            return
        assert answer.status_code == 200, answer.text
        date, version = answer.headers["Last-Modified"], int(answer.data.split()[1])
        if held:
            later = parsedate_to_datetime(date) > parsedate_to_datetime(held[0])
            self.went_back += version <= held[1] or not later
        self.copies[serial] = date, version, answer.data
        self.fetched += 1

    def missed(self, service: Service) -> list[str]:
        """Serial numbers of which it does not hold what the database says."""
        return [
            serial
            for serial, card in self.cards.items()
            if serial not in self.copies or self.copies[serial][2] != service.bundle_of(card.id)
        ]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a race."""

    seconds: float  # of writing
    written: list[Written]
    counted: int  # versions that the passes really got
    phones: list[PollingPhone]
    lost: int  # copies that are not the last version, over all phones

    @property
    def updates(self) -> int:
        return sum(one.updates for one in self.written)

    @property
    def transactions(self) -> int:
        return sum(one.transactions for one in self.written)

    @property
    def refused(self) -> int:
        return sum(one.refused for one in self.written)

    @property
    def went_back(self) -> int:
        return sum(phone.went_back for phone in self.phones)


def run(service: Service, url: str, race: Race) -> Outcome:
    """Hold the race on the service's own database, which ``url`` opens for other processes."""
    cards = [service.issue() for _ in range(race.passes)]
    phones = [
        PollingPhone(
            Phone(service, f"phone-{number}"),
            {card.serial_number: card for card in cards[: max(1, len(cards) >> 2 * number)]},
        )
        for number in range(race.phones)
    ]
    for phone in phones:
        for card in phone.cards.values():
            assert phone.phone.register(card).status_code == 201
    over = Event()
    ids = [card.id for card in cards]
    with ThreadPoolExecutor(race.phones) as hands:
        polling = [hands.submit(phone.poll_until, over) for phone in phones]
        try:
            with ProcessPoolExecutor(race.processes, mp_context=FORKED) as writers:
                began = time.monotonic()
                writing: list[Future[Written]] = [
                    writers.submit(_write, url, ids, race, seed) for seed in range(race.processes)
                ]
                written = [one.result() for one in writing]
                seconds = time.monotonic() - began
        finally:
            over.set()
        for one in polling:
            one.result()
    return Outcome(
        seconds=seconds,
        written=written,
        counted=sum(service.read(card.id).version - 1 for card in cards),
        phones=phones,
        lost=sum(len(phone.missed(service)) for phone in phones),
    )


def _write(url: str, pass_ids: Sequence[WalletPassId], race: Race, seed: int) -> Written:
    """One process: a thread for each of the batches, until its share is written."""
    database = connect(url)

    def thread(number: int) -> Written:
        chance, most = random.Random(seed * 100 + number), race.batches[number]
        share = -(-race.updates * most // (race.processes * sum(race.batches)))
        return _revise(database, pass_ids, chance, share=share, most=most, pause=race.pause)

    with ThreadPoolExecutor(len(race.batches)) as hands:
        parts = list(hands.map(thread, range(len(race.batches))))
    database.close()
    return Written(
        sum(part.updates for part in parts),
        sum(part.transactions for part in parts),
        sum(part.refused for part in parts),
    )


def _revise(
    database: Database,
    pass_ids: Sequence[WalletPassId],
    chance: random.Random,
    *,
    share: int,
    most: int,
    pause: float,
) -> Written:
    """Up to ``most`` random passes a transaction, until ``share`` updates were made."""
    updates = transactions = refused = 0
    while updates < share:
        some = chance.sample(pass_ids, chance.randint(1, min(most, len(pass_ids))))
        changes = [Revision(pass_id, saying(content(chance.getrandbits(40)))) for pass_id in some]
        try:
            with database.write() as tx:
                issuing.revise(tx, changes, kind="receipt", now=NOW)
        except OperationalError:  # SQLite's lock is not fair to who waits
            refused += 1
            continue
        updates += len(changes)
        transactions += 1
        time.sleep(chance.random() * 2 * pause)
    return Written(updates, transactions, refused)
