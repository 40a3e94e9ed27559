"""Web and worker as bootstrap wires them, in threads here, over HTTP; Google's stand-in beside them."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin

import httpx
from sqlalchemy import select, update
from werkzeug.serving import WSGIRequestHandler, make_server

from app.accounts import brands
from app.bootstrap import make_worker
from app.db import Database, metadata
from app.db.identifiers import WalletPassId
from app.delivery.tables import delivery
from app.passes import google_accounts, google_cards
from app.passes.google_cards import GoogleCard
from app.passes.google_tables import google_object
from app.settings import Settings
from app.simulators.google import ISSUER, RunningGoogle
from tests import plain_logs, servers
from tests.web.guests import ANDROID
from tests.web.whole_web import WholeWeb, open_whole_web

_T = TypeVar("_T")
BRAND = "pechka"
_kept: list[Any] = []
"""A worker ends with its process, and so do its connections."""


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


@dataclass
class Guest:
    """Somebody with an Android phone who got a card."""

    card_page: str
    pass_id: WalletPassId
    code: str  # what the till reads

    @property
    def next_page(self) -> str:
        return self.card_page.replace("/card/", "/next/")


@dataclass
class House:
    """The service, its database and Google."""

    web: WholeWeb
    google: RunningGoogle
    settings: Settings
    url: str

    @property
    def database(self) -> Database:
        return self.web.database

    # Guests

    def get(
        self, address: str, user_agent: str = ANDROID, language: str = "en", **headers: str
    ) -> httpx.Response:
        named = {"User-Agent": user_agent, "Accept-Language": language, **headers}
        with httpx.Client(trust_env=False, timeout=30, verify=False) as client:
            return client.get(urljoin(self.url, address), headers=named)

    def join(self, user_agent: str = ANDROID) -> tuple[Guest, httpx.Response]:
        """Scan, fill the form in, send it; the card's page as the guest then sees it."""
        named = {"User-Agent": user_agent, "Accept-Language": "en"}
        with httpx.Client(trust_env=False, timeout=30, verify=False, headers=named) as client:
            page = client.get(self.url + self.web.links[BRAND], follow_redirects=True)
            hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
            action = re.search(r'<form method="post" action="([^"]+)"', page.text)
            assert action, page.text
            words = {name: unescape(value) for name, value in hidden} | {"data": "yes", "name": "Анна"}
            sent = client.post(self.url + unescape(action[1]), data=words)
            assert sent.status_code == 303, sent.text
            shown = client.get(urljoin(self.url, sent.headers["location"]))
        assert shown.status_code == 200, shown.text
        return self._guest(sent.headers["location"].partition("?")[0]), shown

    def _guest(self, page: str) -> Guest:
        with self.database.read() as tx:
            wallet_pass = metadata.tables["wallet_pass"]
            row = tx.execute(
                select(wallet_pass.c.id, wallet_pass.c.content).order_by(wallet_pass.c.id.desc()).limit(1)
            ).one()
        return Guest(urljoin(self.url, page), WalletPassId(row.id), str(row.content["card_code"]))

    def save_link(self, page: httpx.Response) -> str:
        """Where the button on a page leads: Google's address."""
        button = re.search(r'href="([^"]*/google/[^"]+)"', page.text)
        assert button, page.text
        away = self.get(unescape(button[1]))
        assert away.status_code == 303, away.text
        return away.headers["location"]

    def tap(self, link: str) -> list[str]:
        """The guest saves the card; Google has told us when this returns."""
        saved = self.google.tap(link.removeprefix(f"{self.google.save_url}/"))
        self.google.settled()
        return saved

    def installed(self) -> Guest:
        """A guest whose card is in Google Wallet."""
        guest, page = self.join()
        self.until(lambda: self.card(guest).link_works)
        self.tap(self.save_link(self.get(guest.card_page)))
        self.until(lambda: self.card(guest).is_held and not self.pending(guest))
        del page
        return guest

    # The till

    def ring_up(self, guest: Guest, amount: int) -> dict[str, Any]:
        said = {
            "card": guest.code, "number": uuid.uuid4().hex[:12], "amount": amount, "currency": "RUB",
            "at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        with httpx.Client(trust_env=False, timeout=30, verify=False) as client:
            answer = client.post(f"{self.url}/api/v1/receipts", json=said, headers=self.web.till(BRAND))
        assert answer.status_code == 201, answer.text
        document: dict[str, Any] = answer.json()
        return document

    # What came of it

    def card(self, guest: Guest) -> GoogleCard:
        with self.database.read() as tx:
            found = google_cards.card(tx, guest.pass_id)
        assert found is not None
        return found

    def at_google(self, guest: Guest) -> dict[str, Any]:
        return self.google.objects().get(self.card(guest).resource_id, {})

    def balance(self, guest: Guest) -> str:
        points: dict[str, Any] = self.at_google(guest).get("loyaltyPoints", {}).get("balance", {})
        return "".join(str(value) for value in points.values())

    def pending(self, guest: Guest) -> bool:
        with self.database.read() as tx:
            of = select(google_object.c.id).where(google_object.c.pass_id == guest.pass_id)
            return bool(
                tx.execute(
                    select(delivery.c.id).where(
                        delivery.c.google_object_id.in_(of), delivery.c.state.in_(("pending", "sending"))
                    )
                ).first()
            )

    def steps(self, guest: Guest) -> set[str]:
        """The funnel's steps of the guest's visit."""
        enrolment, event = metadata.tables["enrolment"], metadata.tables["visit_event"]
        with self.database.read() as tx:
            return set(
                tx.scalars(
                    select(event.c.kind)
                    .join(enrolment, enrolment.c.visit_id == event.c.visit_id)
                    .where(enrolment.c.pass_id == guest.pass_id)
                )
            )

    def hours_pass(self) -> None:
        """What waits for its next try is due now."""
        with self.database.write() as tx:
            tx.execute(
                update(delivery)
                .where(delivery.c.state == "pending", delivery.c.channel == "google")
                .values(due_at=datetime.now(UTC))
            )

    def until(self, condition: Callable[[], _T], *, seconds: float = 60) -> _T:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.05)
        return found


@contextmanager
def opened(directory: Path, database_url: str, redis_url: str, google: RunningGoogle) -> Iterator[House]:
    """Web and worker until the block ends. The brand's account is brought while both are running."""
    port = servers.free_port()
    about_google: dict[str, Any] = {
        "google_wallet_url": google.url,
        "google_token_url": google.token_url,
        "google_save_url": google.save_url,
        "google_callback_keys_url": google.callback_keys_url,
        "google_requests_per_second": 1000,
        "google_timeout_seconds": 3,
    }
    web = open_whole_web(directory, database_url, redis_url, port=port, **about_google)
    settings = Settings(
        data_dir=directory / "data", database_url=database_url, redis_url=redis_url, log_level="error",
        public_url=f"http://127.0.0.1:{port}", apns_url="https://127.0.0.1:1", worker_poll_seconds=0.1,
        **about_google,
    )  # fmt: skip
    worker = make_worker(settings)
    plain_logs.configure()
    _kept.append(worker)
    # One thread, as one of those that a web process has: each keeps a connection to read with.
    server = make_server("127.0.0.1", port, web.application, request_handler=_Quiet)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    stop = threading.Event()
    working = threading.Thread(target=worker.run, args=(stop,), daemon=True)
    serving.start()
    working.start()
    try:
        house = House(web, google, settings, f"http://127.0.0.1:{port}")
        key = google.write_service_account(directory / "google.json")
        with web.database.write() as tx:
            brand = brands.brand_by_slug(tx, BRAND)
            google_accounts.refer(
                tx, brand, issuer_id=ISSUER, credentials=f"file:{key}",
                now=datetime.now(UTC) - timedelta(seconds=1), actor="test",
            )  # fmt: skip
        yield house
    finally:
        stop.set()
        working.join(30)
        server.shutdown()
        serving.join(10)
        web.database.close()
