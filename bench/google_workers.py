"""Workers that carry changes to the simulated Google, over a chain whose guests all have a card there."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

from sqlalchemy import delete, insert, select

from app.accounts.tables import brand
from app.db import Database, connect, schema
from app.db.identifiers import BrandId, GoogleIssuerId, GoogleObjectId, WalletPassId
from app.delivery import google
from app.delivery.budget import Policy
from app.delivery.google_promises import GooglePromise
from app.errors import Misconfigured
from app.google.client import GoogleWallet
from app.google.tokens import Tokens
from app.passes import google_ids, issuing
from app.passes.content import PassContent
from app.passes.google_addresses import Addresses
from app.passes.google_press import GooglePress
from app.passes.google_tables import google_account, google_object
from app.passes.issuing import MOST_CHANGES, Revision
from app.passes.tables import registration
from app.wakeup import LocalWakeup
from app.worker.apple import AppleChannel
from app.worker.google_channel import GoogleChannel
from app.worker.google_lane import GoogleWork
from app.worker.google_parcels import GoogleAccount
from app.worker.loop import Worker
from bench import bulk, text_service, world
from bench.google_service import ISSUER, GoogleService

AT_ONCE = 32
_OURS = GoogleIssuerId(ISSUER)
_PORTION = 2_000


@dataclass(frozen=True, slots=True)
class House:
    """A database whose guests' cards are to be at Google; it can be sent to other processes."""

    url: str
    brand_id: BrandId
    first_pass: int
    first_object: int
    cards: int


def filled(url: str, cards: int) -> House:
    """The example chain with so many guests of one programme, none of them with an iPhone."""
    database = connect(url)
    try:
        schema.migrate(database)
        made = world.build(database, cards, history=False)
        now = datetime.now(UTC)
        with database.write() as tx:
            tx.execute(delete(registration))
            ours = BrandId(tx.execute(select(brand.c.id).where(brand.c.slug == made.brand)).scalar_one())
            account = {"issuer_id": _OURS, "credentials": "file:nowhere", "email": "bench@example.com"}
            tx.execute(
                insert(google_account).values(**account, brand_id=ours, changed_at=now, changed_by="bench")
            )
        with bulk.loading(database) as loader:
            first = loader.next_id(google_object)
            columns = ("id", "pass_id", "brand_id", "issuer_id", "resource_id", "created_at")
            rows = (
                (
                    first + number,
                    made.pass_id(number),
                    ours,
                    _OURS,
                    google_ids.object_id(_OURS, made.serial_number(number)),
                    bulk.moment(now),
                )
                for number in range(cards)
            )
            loader.load(google_object, columns, rows)
            loader.finish([google_object])
        return House(url, ours, made.first_pass, first, cards)
    finally:
        database.close()


def promise(house: House) -> None:
    """Every card shall be at Google."""
    database, now = connect(house.url), datetime.now(UTC)
    for first in range(0, house.cards, _PORTION):
        cards = [
            GooglePromise(
                brand_id=house.brand_id,
                target=GoogleObjectId(house.first_object + number),
                kind="silent",
                due_at=now,
            )
            for number in range(first, min(first + _PORTION, house.cards))
        ]
        with database.write() as tx:
            google.promise(tx, cards, now=now)
    database.close()


def change(house: House) -> None:
    """Every balance changes, and whoever has a card at Google gets it there: one PATCH a card."""
    database, now = connect(house.url), datetime.now(UTC)

    def richer(content: PassContent) -> PassContent:
        return replace(content, balance=content.balance + 100)

    for first in range(0, house.cards, MOST_CHANGES):
        numbers = range(first, min(first + MOST_CHANGES, house.cards))
        changes = [Revision(WalletPassId(house.first_pass + number), richer) for number in numbers]
        with database.write() as tx:
            issuing.revise(tx, changes, kind="silent", now=now)
    database.close()


def make_worker(
    database: Database, house: House, service: GoogleService, directory: Path, *, rate: float | None
) -> Worker:
    """A worker as it runs in earnest, with one account and nothing for Apple."""

    def nobody(_pass_type: str) -> tuple[bytes, bytes]:
        raise Misconfigured("no pushes here")

    wallet = GoogleWallet(Tokens(service.account, url=service.token_url), url=service.url, at_once=AT_ONCE)
    press = GooglePress(Addresses("https://cards.example.com", lambda *_: "https://cards.example.com/s"))
    accounts = {house.brand_id: GoogleAccount(_OURS, wallet, rate)}
    return Worker(
        database=database,
        channel=AppleChannel(nobody, url="https://127.0.0.1:9"),
        google=GoogleWork(GoogleChannel(accounts), press),
        wakeup=LocalWakeup(directory / "bell"),
        clock=lambda: datetime.now(UTC),
        policy=Policy(),
        lease=timedelta(seconds=30),
    )


@contextmanager
def processes(
    count: int, house: House, service: GoogleService, *, rate: float | None
) -> Iterator[Sequence[int]]:
    """So many workers, each in a process of its own; their process ids."""
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=_work, args=(house, service, rate), daemon=True) for _ in range(count)]
    for process in started:
        process.start()
    try:
        yield [process.pid for process in started if process.pid is not None]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join(10)


def _work(house: House, service: GoogleService, rate: float | None) -> None:
    database = connect(house.url, yields=True)
    with tempfile.TemporaryDirectory() as directory:
        worker = make_worker(database, house, service, Path(directory), rate=rate)
        with text_service.working(worker):
            time.sleep(3600)


@dataclass(frozen=True, slots=True)
class Heard:
    """A call as the simulator heard it."""

    at: float  # UNIX seconds
    path: str
    status: int


def calls(service: GoogleService, *, after: int = 0) -> list[Heard]:
    """All that came but the first ``after``, in order."""
    with urlopen(f"{service.url}/_sim/calls?count=200000", timeout=60) as answer:
        told = json.load(answer)["calls"][after:]
    return sorted((Heard(one["at"], one["path"], one["status"]) for one in told), key=lambda one: one.at)


def strict(service: GoogleService, rate: float) -> None:
    """From now on more than so many requests a second are refused, as Google says it does."""
    body = json.dumps({"requests_per_second": rate}).encode()
    request = Request(
        f"{service.url}/_sim/faults", body, {"content-type": "application/json"}, method="PATCH"
    )
    urlopen(request, timeout=60).close()
