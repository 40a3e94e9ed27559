"""Chromium, driven by Playwright against the guests' pages on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from app.db import connect, schema
from app.db.identifiers import DeviceLibraryIdentifier, PushToken
from app.loyalty.enrolment import enrolment_of_card
from app.passes import issuing, registrations
from app.web.guest_limits import GuestLimits
from tests import servers
from tests.web.guests import NOW, World, open_world

AddToAPhone = Callable[..., None]

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--accept-lang=en-US,en",
)  # fmt: skip


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - its name
        """Nothing: a walk asks hundreds of times."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module; each test opens contexts of its own.

    Not for the session: while Playwright runs, its event loop runs in this thread, and no test of anything
    else could start one.
    """
    binary = servers.chromium_binary()
    if binary is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The cafe and the bakery, served on loopback at their public URL; tests tell visits apart.

    On SQLite in every run: what a browser does with a page is the same whatever keeps the cards.
    """
    database = connect(f"sqlite:///{tmp_path_factory.mktemp('guests') / 'guests.db'}")
    schema.migrate(database)
    port = servers.free_port()
    world = open_world(
        database, public_url=f"http://127.0.0.1:{port}", limits=GuestLimits("memory://", visits=(), forms=())
    )
    server = make_server("127.0.0.1", port, world.app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield world
    server.shutdown()
    thread.join()
    server.server_close()
    database.close()


@pytest.fixture
def add_to_a_phone(world: World) -> AddToAPhone:
    """A phone registers the card with this code: the first, or some seconds later another."""

    def add(card_code: str, phone: int = 0) -> None:
        with world.database.write() as tx:
            card = issuing.wallet_pass(tx, enrolment_of_card(tx, card_code).pass_id)
            registrations.register(
                tx,
                device_library_identifier=DeviceLibraryIdentifier(f"library-{card.id}-{phone}"),
                pass_type_identifier=card.pass_type_identifier,
                pass_id=card.id,
                push_token=PushToken("beef" * 16),
                now=NOW + timedelta(seconds=phone),
            )

    return add
