"""A session that ends under a form, in Chromium without scripts: a browser says what a test makes up."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from app.accounts import sessions, staff
from app.db import connect, schema
from tests import servers
from tests.browser.conftest import _Quiet
from tests.web.console.house import PASSWORD, House, open_house
from tests.web.console.look import sign_in_cookie

pytestmark = pytest.mark.browser
STAFF = "/console/cafe/places/-/staff"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The console on loopback."""
    database = connect(f"sqlite:///{tmp_path_factory.mktemp('kept') / 'kept.db'}")
    schema.migrate(database)
    port = servers.free_port()
    house = open_house(database, public_url=f"http://127.0.0.1:{port}")
    server = make_server("127.0.0.1", port, house.application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield house
    server.shutdown()
    thread.join()
    server.server_close()
    database.close()


@pytest.fixture
def page(house: House, chromium: Browser) -> Iterator[Page]:
    """The staff's page of the owner."""
    context = chromium.new_context(base_url=house.services.public_url, java_script_enabled=False)
    context.add_cookies([sign_in_cookie(house, "owner", "cafe")])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(STAFF)
    yield page
    context.close()


def _end_sessions(house: House) -> None:
    with house.database.write() as tx:
        sessions.end_all(tx, house.team["cafe", "owner"], now=house.clock(), actor="test")


def _sign_in(page: Page) -> None:
    page.fill("[name=email]", "cafe-owner@example.com")
    page.fill("[name=password]", PASSWORD)
    page.click("form.stack button.main")


def _added(house: House) -> list[str]:
    with house.database.read() as tx:
        return [person.name for person in staff.staff_of_brand(tx, house.cafe.brand.id)]


def test_what_was_typed_arrives(house: House, page: Page) -> None:
    page.fill("[name=name]", "Вера")
    _end_sessions(house)
    page.click("form.stack button.main")
    assert page.locator(".notice").inner_text().startswith("Your session has ended")
    _sign_in(page)
    assert page.locator("h1").inner_text() == "You are signed in again"
    assert _added(house) == []
    page.click("form.act button.main")
    assert page.url.endswith(STAFF)
    assert _added(house) == ["Вера"]


def test_a_tab_of_the_session_before_loses_nothing(house: House, page: Page) -> None:
    page.fill("[name=name]", "Глеб")
    _end_sessions(house)
    other = page.context.new_page()
    other.goto(STAFF)
    _sign_in(other)
    other.goto(STAFF)
    page.click("form.stack button.main")
    assert page.locator("h1").inner_text() == "The form was too old"
    assert "Глеб" not in _added(house)
    page.click("form.act button.main")
    assert "Глеб" in _added(house)
