"""The whole service in this process: its web on loopback, its worker, Apple's push service and phones.

Wired by bootstrap as an operator starts it; downloads of cards can be broken on their way, as networks do.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select, update
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from app import bootstrap
from app.db import Database, metadata
from app.db.identifiers import BrandId, MemberId
from app.loyalty import enrolment
from app.reports.timeline import Surroundings, Timeline, timeline
from app.reports.verdicts import Verdict
from app.settings import Settings
from app.simulators.apns import RunningApns, running, settings_for
from app.simulators.authority import Authority
from app.simulators.guest_browser import Guest
from app.simulators.phone import Card, Phone, PhoneSettings
from tests import plain_logs, servers
from tests.web.whole_web import WholeWeb, open_whole_web

_kept: list[Any] = []
"""A worker ends with its process: nobody closes its connections before."""

Broken = Literal["", "refused", "dropped", "spoilt"]


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nobody reads it."""


@dataclass
class Service:
    """Everything that runs; phones are made by :meth:`story`."""

    web: WholeWeb
    url: str
    settings: Settings
    apns: RunningApns
    authority: Authority
    downloads: list[Broken] = field(default_factory=lambda: [""])

    @property
    def database(self) -> Database:
        return self.web.database

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A worker as bootstrap makes it, for as long as the block lasts."""
        worker, stop = bootstrap.make_worker(self.settings), threading.Event()
        _kept.append(worker)
        plain_logs.configure()
        thread = threading.Thread(target=worker.run, args=(stop,), name="worker")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()

    def ring_up(self, card: Card, brand: str = "pechka") -> None:
        """A receipt: the card has something new to say."""
        self.web_receipt(self.code(card), brand)

    def web_receipt(self, code: str, brand: str) -> None:
        body = {
            "card": code,
            "number": datetime.now(UTC).strftime("%H%M%S%f"),
            "amount": 900_00,
            "currency": "RUB",
            "at": datetime.now(UTC).isoformat(),
        }
        rung = self.web.ask("POST", "/api/v1/receipts", json.dumps(body).encode(), self.web.till(brand))
        assert rung.status == 201, rung.text

    def code(self, card: Card) -> str:
        """What its barcode says."""
        return str(card.wallet_pass.document["barcodes"][0]["message"])

    def told(self, code: str, *, after: timedelta = timedelta(0), **around: Any) -> Timeline:
        """The timeline of whoever has this card, as it is asked for later."""
        with self.database.read() as tx:
            known = enrolment.enrolment_of_card(tx, code)
            given = Surroundings(**({"https": True} | around))
            return timeline(
                tx,
                BrandId(known.brand_id),
                MemberId(known.member_id),
                around=given,
                now=datetime.now(UTC) + after,
            )

    def why(self, card: Card, *, after: timedelta = timedelta(0), **around: Any) -> Verdict:
        """Why the phone does not show the newest of this card."""
        return self.told(self.code(card), after=after, **around).cards[-1].verdict

    def story(self, tell: Callable[[Callable[[], Awaitable[Phone]]], Awaitable[None]]) -> None:
        """Tell one story with phones, which are switched off at its end."""

        async def whole() -> None:
            phones: list[Phone] = []

            async def new_phone() -> Phone:
                settings = PhoneSettings(
                    root=self.authority.root,
                    push_service=self.apns.control_url,
                    allow_http=True,
                    limit_rate=False,
                    back_off=(0.1, 0.2),
                )
                phone = Phone("phone", settings)
                phones.append(phone)
                await phone.start()
                return phone

            try:
                await tell(new_phone)
            finally:
                for phone in phones:
                    await phone.stop()

        asyncio.run(whole())

    def link(self, brand: str = "pechka") -> str:
        """What a code on a table says."""
        return self.url + self.web.links[brand]

    async def settled(self, phone: Phone) -> None:
        """The phone has done what it can, and what it proved is written down."""
        await phone.settle()
        await asyncio.sleep(1.2)

    async def installed(self, phone: Phone, brand: str = "pechka") -> Card:
        """A card that the phone got as a guest gets it."""
        card = await phone.install_from_page(self.link(brand), Guest(name="Анна"))
        await self.settled(phone)
        return card

    async def until(self, card: Card, cause: str, *, seconds: float = 12, **more: Any) -> Verdict:
        """Wait for this verdict."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (found := await asyncio.to_thread(self.why, card, **more)).cause != cause:
            assert asyncio.get_running_loop().time() < deadline, (found, self.pushes())
            await asyncio.sleep(0.05)
        return found

    def pushes(self) -> list[Any]:
        """For a failure's message."""
        table = metadata.tables["delivery"]
        with self.database.read() as tx:
            return list(tx.execute(select(table.c.state, table.c.reason, table.c.attempts, table.c.due_at)))

    def hurry(self, **values: Any) -> None:
        """What waits is due now: nobody here waits for minutes."""
        table = metadata.tables["delivery"]
        with self.database.write() as tx:
            due = {"due_at": datetime.now(UTC), **values}
            tx.execute(update(table).where(table.c.state == "pending").values(due))


@contextmanager
def running_service(directory: Path, database_url: str, redis_url: str) -> Iterator[Service]:
    """Web and push service, until the block ends; a worker runs only where a story has one."""
    port = servers.free_port()
    web = open_whole_web(directory, database_url, redis_url, port=port)
    authority = _authority(directory)
    downloads: list[Broken] = [""]
    server = _served(web, port, downloads)
    with running(settings_for(authority, _made(directory / "apns"))) as apns:
        settings = Settings(
            data_dir=directory / "data", database_url=database_url, redis_url=redis_url, log_level="error",
            public_url=f"http://127.0.0.1:{port}", apns_url=apns.url, apns_ca=authority.root,
            push_coalesce_seconds=2.5, push_budget_receipt=1.0, push_lease_seconds=20,
            worker_poll_seconds=0.1,
        )  # fmt: skip
        try:
            yield Service(web, f"http://127.0.0.1:{port}", settings, apns, authority, downloads)
        finally:
            server.shutdown()
            server.server_close()
            web.database.close()


def _authority(directory: Path) -> Authority:
    """The one that the brands' certificates are of."""
    return Authority.open(directory / "authority")


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def _served(web: WholeWeb, port: int, downloads: list[Broken]) -> BaseWSGIServer:
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        broken = downloads[0] if environ["PATH_INFO"].startswith("/passkit/v1/passes/") else ""
        if broken == "refused":
            start_response("502 Bad Gateway", [("Content-Length", "0")])
            return [b""]
        if broken == "dropped":
            environ["werkzeug.socket"].shutdown(2)
            start_response("200 OK", [])
            return [b""]
        body = web.application(environ, start_response)
        if broken == "spoilt":
            whole = b"".join(body)
            return [whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2)]
        return body

    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True, name="web").start()
    return server
