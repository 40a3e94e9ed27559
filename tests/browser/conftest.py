"""Chromium, driven by Playwright against the guests' pages on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from app.db import Database
from tests import servers
from tests.web.guests import World, open_world

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


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


@pytest.fixture
def world(database: Database, free_port: int) -> Iterator[World]:
    """The cafe and the bakery, served on loopback at their public URL."""
    world = open_world(database, public_url=f"http://127.0.0.1:{free_port}")
    server = make_server("127.0.0.1", free_port, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield world
    server.shutdown()
    thread.join()
    server.server_close()
