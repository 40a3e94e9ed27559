"""Every page of the console in Chromium: axe finds nothing, nothing runs over the edge, nothing is blocked.

The pages are those of the registry that need nothing but a brand and a venue, and what the samples of
tests/web/console give for the rest; a new page is looked at as soon as it is declared.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page
from werkzeug.serving import make_server

from app.accounts.roles import PERMISSIONS
from app.db import connect, schema
from tests import servers
from tests.browser import axe
from tests.browser.conftest import _Quiet
from tests.web.console.house import PASSWORD, House, open_house
from tests.web.console.look import sign_in_cookie
from tests.web.console.test_roles import address_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("console_looks")]
NARROW = {"width": 360, "height": 740}
WIDE = {"width": 1280, "height": 800}
OVER_THE_EDGE = """() => [...document.querySelectorAll("main *, header *, nav *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .filter((one) => !one.closest(".wide, .tabs, .unseen, svg"))
  .map((one) => one.outerHTML.slice(0, 120))"""
TOO_SMALL = """() => [...document.querySelectorAll(
    "button, select, summary, a.button, a.row, input:not([type=hidden])")]
  .map((one) => ({one, box: (one.closest("label") || one).getBoundingClientRect()}))
  .filter(({box}) => box.width && (box.height < 24 || box.width < 24))
  .map(({one}) => one.outerHTML.slice(0, 120))"""
"""WCAG 2.2, 2.5.8: 24 by 24."""


@dataclass(frozen=True)
class Site:
    """The console on loopback."""

    house: House
    browser: Browser

    def page(self, role: str = "owner", *, language: str = "en") -> Page:
        """A page of its own; "nobody" is not signed in."""
        context = self.browser.new_context(
            viewport=NARROW,  # type: ignore[arg-type]
            color_scheme="light", locale={"en": "en-GB", "ru": "ru-RU"}[language],
            base_url=self.house.services.public_url, reduced_motion="reduce",
        )  # fmt: skip
        if role != "nobody":
            context.add_cookies([sign_in_cookie(self.house, role, "cafe", language)])  # type: ignore[list-item]
        return context.new_page()


@pytest.fixture(scope="module")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database = connect(f"sqlite:///{tmp_path_factory.mktemp('console') / 'console.db'}")
    schema.migrate(database)
    port = servers.free_port()
    house = open_house(database, public_url=f"http://127.0.0.1:{port}")
    server = make_server("127.0.0.1", port, house.application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Site(house, chromium)
    server.shutdown()
    thread.join()
    server.server_close()
    database.close()


def _pages(house: House) -> list[str]:
    routes = [route for route in house.console.routes if route.method == "GET" and route.needs in PERMISSIONS]
    told = {address_of(house, route, house.cafe) for route in routes}
    return [*sorted(told), "/console/account", "/console/?all=yes"]


def _open(page: Page, address: str) -> list[str] | None:
    """What is wrong with the answer, and what the page may not load; None for a download."""
    blocked: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of" not in message.text:
            blocked.append(message.text)

    page.on("console", hear)
    try:
        answer = page.goto(address)
    except Error as download:
        if "Download" not in download.message:
            raise
        return None
    finally:
        page.remove_listener("console", hear)
    if answer is None or answer.status != 200:
        return [f"{answer.status if answer else 'nothing'}"]
    if "text/html" not in answer.headers.get("content-type", ""):
        return None
    return [f"blocked: {each}" for each in blocked]


def _layout(page: Page) -> list[str]:
    told = [f"over the edge: {each}" for each in page.evaluate(OVER_THE_EDGE)[:3]]
    return told + [f"too small: {each}" for each in page.evaluate(TOO_SMALL)[:3]]


@pytest.mark.timeout(240)
def test_every_page_is_fit_to_be_read(site: Site) -> None:
    """Once at 360 px with all of axe's rules; then, where it stands, its colours in the dark."""
    page = site.page()
    faults: list[str] = []
    for address in _pages(site.house):
        found = _open(page, address)
        if found is None:
            continue
        found += axe.faults(page) + _layout(page)
        page.emulate_media(color_scheme="dark")
        found += axe.faults(page, "color-contrast")
        page.emulate_media(color_scheme="light")
        faults += [f"{address}: {each}" for each in found]
    page.context.close()
    assert not faults, "\n".join(faults)


@pytest.mark.timeout(240)
def test_every_page_has_room_for_russian(site: Site) -> None:
    """Its words are longer: each page on the narrow phone and then, where it stands, on a wide screen."""
    page = site.page(language="ru")
    faults: list[str] = []
    for address in _pages(site.house):
        found = _open(page, address)
        if found is None:
            continue
        found += _layout(page)
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        found += _layout(page)
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        faults += [f"{address}: {each}" for each in found]
    page.context.close()
    assert not faults, "\n".join(faults)


def test_the_way_in_by_keyboard_and_thumb(site: Site) -> None:
    sign_in_cookie(site.house, "owner", "cafe", "en")  # they read English, whatever was looked at before
    page = site.page("nobody")
    assert _open(page, "/console/sign-in") == []
    assert axe.faults(page) + _layout(page) == []
    page.goto("/console/cafe/people")
    page.get_by_label("E-mail").fill("cafe-owner@example.com")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Show").click()
    assert page.locator("#password").get_attribute("type") == "text"
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Team").wait_for()
    assert page.url.endswith("/console/cafe/people")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    more = page.locator(".ways summary")
    more.focus()
    page.keyboard.press("Enter")
    page.locator(".rest .sheet a", has_text="Log").wait_for()
    page.keyboard.press("Escape")
    assert not page.locator(".rest .sheet").is_visible()
    page.locator(".self summary").click()
    page.get_by_role("button", name="Русский").click()
    page.get_by_role("heading", name="Команда").wait_for()
    page.context.close()


def test_inviting_and_taking_back_without_scripts(site: Site) -> None:
    context = site.browser.new_context(
        viewport=NARROW,  # type: ignore[arg-type]
        java_script_enabled=False, base_url=site.house.services.public_url,
    )  # fmt: skip
    context.add_cookies([sign_in_cookie(site.house, "owner", "cafe")])  # type: ignore[list-item]
    page = context.new_page()
    page.goto("/console/cafe/people")
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("Name").fill("Vera")
    page.get_by_text("Venue manager", exact=True).click()
    page.get_by_label("Main").check()
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_label("The link").input_value()
    assert link.startswith(f"{site.house.services.public_url}/console/invited/")
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Withdraw Vera").click()
    page.get_by_role("status").get_by_text("withdrawn").wait_for()
    assert page.goto(link).status == 404  # type: ignore[union-attr]
    context.close()
