"""Simulated SMSC.ru in a process of its own, and workers in theirs that send through it."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread
from urllib.request import urlopen

from sqlalchemy import insert

from app.accounts.tables import brand
from app.db import Database, connect, schema
from app.db.identifiers import BrandId
from app.delivery import texts
from app.delivery.budget import Policy
from app.delivery.text_promises import TextDraft
from app.errors import Misconfigured
from app.simulators.sms_faults import Faults
from app.simulators.sms_gateways import SmsSettings, SmsSimulator
from app.sms.gateway import Outgoing, Verdict
from app.sms.smsc import SmscGateway
from app.wakeup import LocalWakeup
from app.worker.apple import AppleChannel
from app.worker.loop import Worker
from app.worker.text_channel import TextChannel
from app.worker.text_parcels import TextLogin
from bench import usage

LOGIN = "main"
_PORTION = 2000
_SETTINGS = SmsSettings(balance=10**12)
_WORDS = "Ваш код: 123456. Никому его не говорите."


class TextService:
    """The gateway's process, seen from here."""

    def __init__(self, url: str, control_url: str, pid: int) -> None:
        """Use :func:`running`."""
        self.url, self.pid, self._control = url, pid, control_url

    def moments(self) -> list[float]:
        """When each text was taken, UNIX seconds, in order."""
        with urlopen(f"{self._control}/texts", timeout=60) as answer:
            return sorted(text["at"] for text in json.load(answer)["texts"])

    def references(self) -> list[str]:
        """The identifiers of the texts that were taken, ours at SMSC.ru."""
        with urlopen(f"{self._control}/texts", timeout=60) as answer:
            return [text["identifier"] for text in json.load(answer)["texts"]]

    def ceiling(self, count: int = 3000) -> float:
        """Texts a second that it could take by its own processor time."""
        before = usage.cpu_seconds(self.pid)
        asyncio.run(_flood(self.url, count))
        return count / (usage.cpu_seconds(self.pid) - before)


@contextmanager
def running(cores: set[int]) -> Iterator[TextService]:
    """Serve on these cores until the block ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(cores, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(30):
            raise RuntimeError("the gateway does not start")
        url, control_url = ours.recv()
        assert process.pid is not None
        yield TextService(url, control_url, process.pid)
    finally:
        process.terminate()
        process.join(10)


def _serve(cores: set[int], pipe: Connection) -> None:
    os.sched_setaffinity(0, cores)

    async def forever() -> None:
        simulator = SmsSimulator(_SETTINGS, faults=Faults(no_receipts=True))
        await simulator.start()
        pipe.send((simulator.url, simulator.control_url))
        await asyncio.Event().wait()

    asyncio.run(forever())


def gateway(url: str) -> SmscGateway:
    """The service's own adapter."""
    return SmscGateway(
        url=url,
        ca=None,
        secrets={"apikey": _SETTINGS.smsc_apikey},
        sender=None,
        currency="RUB",
        receipts_secret=None,
        receipts_key=None,
    )


async def _flood(url: str, count: int) -> None:
    flood = gateway(url)
    hands = asyncio.Semaphore(16)

    async def send(number: int) -> None:
        async with hands:
            answer = await flood.send(Outgoing(reference=number + 1, number=_number(number), text=_WORDS))
            assert answer.verdict is Verdict.ACCEPTED, answer

    await asyncio.gather(*(send(number) for number in range(count)))
    await flood.close()


def _number(number: int) -> str:
    return f"+7903{number % 10**7:07d}"


def promise(database: Database, brand_id: BrandId, count: int) -> None:
    """Promise so many service texts, each to a number of its own."""
    now = datetime.now(UTC)
    for first in range(0, count, _PORTION):
        drafts = [
            TextDraft(
                brand_id=brand_id,
                member_id=None,
                login=LOGIN,
                kind="service",
                number=_number(number),
                text=_WORDS,
                sender=None,
                encoding="ucs2",
                parts=1,
                price=450,
                currency="RUB",
                due_at=now,
                not_after=None,
            )
            for number in range(first, min(first + _PORTION, count))
        ]
        with database.write() as tx:
            texts.enqueue_texts(tx, drafts, now=now)


def filled(url: str) -> BrandId:
    """A migrated database with one brand."""
    database = connect(url)
    try:
        schema.migrate(database)
        with database.write() as tx:
            made = insert(brand).values(
                slug="cafe", name="Кафе", texts={"ru": {}, "en": {}}, time_zone="UTC", currency="RUB",
                language="ru", pass_type_identifier="pass.example.cafe", team_identifier="TEAM123456",
                credentials="file:nowhere", created_at=datetime.now(UTC),
            )  # fmt: skip
            return BrandId(tx.execute(made.returning(brand.c.id)).scalar_one())
    finally:
        database.close()


def make_worker(database: Database, url: str, directory: Path, *, rate: float, burst: int) -> Worker:
    """A worker as it runs in earnest, with one login."""

    def nobody(_pass_type: str) -> tuple[bytes, bytes]:
        raise Misconfigured("no pushes here")

    return Worker(
        database=database,
        channel=AppleChannel(nobody, url="https://127.0.0.1:9"),
        texts=TextChannel({LOGIN: TextLogin(gateway=gateway(url), rate=rate, burst=burst)}),
        wakeup=LocalWakeup(directory / "bell"),
        clock=lambda: datetime.now(UTC),
        policy=Policy(),
        lease=timedelta(seconds=30),
    )


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    """Run it in a thread until the block ends."""
    stop = Event()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def processes(count: int, database_url: str, url: str, *, rate: float, burst: int) -> Iterator[Sequence[int]]:
    """So many workers, each in a process of its own; their process ids."""
    context = multiprocessing.get_context("spawn")
    started = [
        context.Process(target=_work, args=(database_url, url, rate, burst), daemon=True)
        for _ in range(count)
    ]
    for process in started:
        process.start()
    try:
        yield [process.pid for process in started if process.pid is not None]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join(10)


def _work(database_url: str, url: str, rate: float, burst: int) -> None:
    database = connect(database_url, yields=True)
    with tempfile.TemporaryDirectory() as directory:
        worker = make_worker(database, url, Path(directory), rate=rate, burst=burst)
        with working(worker):
            time.sleep(3600)
