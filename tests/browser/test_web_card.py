"""The card's page in Chromium: it renews itself, works without a network, forgets a card that has ended."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from app.db import connect, schema
from app.loyalty import enrolment, members
from tests import servers
from tests.browser.devices import read_codes
from tests.web.edges import receipt
from tests.web.guests import ANDROID, DESKTOP, IPHONE
from tests.web.whole_web import Card, WholeWeb, open_whole_web

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web_card")]
PHONE, SCREEN = (390, 844), (1280, 800)
POLL = 4_000
"""Milliseconds until an open page asks again (FIRST in web-card.js)."""
SOON = 15_000
"""The same until what is to come is there, on a machine that runs other tests beside."""
OFFLINE = {"ru": "Нет связи. Карта показана на", "en": "No connection. This is the card as of"}
GET = {"ru": "Получить карту", "en": "Get the card"}
HASTE = """
const wait = window.setTimeout;
window.waits = [];
window.setTimeout = (act, milliseconds) => { waits.push(milliseconds); return wait(act, 10); };
"""
"""Notes how long the page means to wait, and does not wait."""
LOOKED_AT = """
Object.defineProperty(document, "hidden", {{value: {}, configurable: true}});
document.dispatchEvent(new Event("visibilitychange"));
"""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Served:
    """The whole web on loopback, and a till of its own."""

    web: WholeWeb
    origin: str
    fluent: threading.Event  # while it is clear, cards are answered for only when it is set again

    def card(self, brand: str = "pechka") -> Card:
        return self.web.card(brand)

    def ring(self, card: Card, amount: int = 1000_50) -> int:
        """A receipt at the till; how many points the card then has, in hundredths."""
        body = receipt(card, number=f"W-{next(_numbers)}", amount=amount)
        rung = self.web.ask("POST", "/api/v1/receipts", body, self.web.till("pechka"))
        assert rung.status == 201, rung.text
        return int(rung.document["card"]["balance"])

    def revoke(self, card: Card) -> None:
        with self.web.database.write() as tx:
            known = enrolment.enrolment_of_card(tx, card.code)
            members.revoke_card_link(tx, known.id, now=datetime.now(UTC), actor="test")


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    # On SQLite in every run: what a browser does with a page is the same whatever keeps the cards.
    directory = tmp_path_factory.mktemp("web_card")
    url = f"sqlite:///{directory / 'web_card.db'}"
    database = connect(url)
    schema.migrate(database)
    database.close()
    web = open_whole_web(directory, url, "")
    port, fluent = servers.free_port(), threading.Event()
    fluent.set()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        if "/card/" in environ["PATH_INFO"]:
            fluent.wait(30)
        return web.application(environ, start_response)

    server = make_server("127.0.0.1", port, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Served(web, f"http://127.0.0.1:{port}", fluent)
    fluent.set()
    server.shutdown()
    thread.join()
    server.server_close()
    web.database.close()


Open = Callable[..., Page]
expect.set_options(timeout=SOON)


@pytest.fixture
def open_page(chromium: Browser, served: Served) -> Iterator[Open]:
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(
        user_agent: str = ANDROID,
        language: str = "en",
        *,
        scripts: bool = True,
        dark: bool = False,
        width: int = 0,
    ) -> Page:
        size = SCREEN if user_agent == DESKTOP else PHONE
        context = chromium.new_context(
            user_agent=user_agent,
            viewport={"width": width or size[0], "height": size[1]},
            locale={"ru": "ru-RU", "en": "en-GB"}[language],
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            device_scale_factor=1 if user_agent == DESKTOP else 2,
            base_url=served.origin,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    # Without a network, and where a link has ended, a browser says so on the console by itself.
    assert [it for it in faults if not re.search(r"status of (503|410|404)|ERR_INTERNET", it)] == []


def balance(page: Page) -> int:
    """What the card says, in hundredths of a point."""
    said = page.locator("#face .primary dd").inner_text()
    whole, _, hundredths = re.sub(r"\s", "", said).replace(",", ".").partition(".")
    return int(whole) * 100 + int(hundredths.ljust(2, "0") or 0)


def settled(page: Page) -> None:
    """The worker keeps the card."""
    page.locator("link[rel=manifest]").wait_for(state="attached", timeout=SOON)


def home(page: Page) -> str:
    """Where the home screen's icon leads."""
    address = page.locator("link[rel=manifest]").get_attribute("href")
    assert address
    return str(page.request.get(address).json()["start_url"])


def kept(page: Page) -> dict[str, list[str]]:
    """What this browser keeps of cards, and the workers it has."""
    found = page.evaluate(
        """async () => ({
          caches: await caches.keys(),
          workers: (await navigator.serviceWorker.getRegistrations()).map((it) => it.scope),
        })"""
    )
    return {name: list(words) for name, words in found.items()}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_receipt_at_the_till_is_on_the_open_card_within_one_poll(
    served: Served, open_page: Open, language: str
) -> None:
    page = open_page(ANDROID, language)
    page.clock.install()
    page.goto(served.web.links["pechka"])
    page.locator("#data").check()
    page.get_by_role("button", name=GET[language]).click()
    page.wait_for_url("**/card/**")
    (code,) = read_codes(page)
    card = Card(code, "", "", "", page.url)
    expect(page.locator("#fresh")).to_be_visible()
    before = balance(page)
    page.evaluate("window.sameDocument = true")

    rung = served.ring(card)
    page.clock.run_for(POLL)

    expect(page.locator(".messages li")).to_have_count(2)
    assert balance(page) != before
    assert balance(page) == rung
    newest = page.locator(".messages li").first.inner_text()
    assert re.search(r"балл" if language == "ru" else r"point", newest)
    assert page.locator("#told").inner_text() != ""  # read aloud
    assert page.evaluate("window.sameDocument === true"), "the page was loaded anew"


@pytest.mark.parametrize("language", ["ru", "en"])
def test_without_a_network_the_card_is_shown_as_it_was_and_is_renewed_afterwards(
    served: Served, open_page: Open, language: str
) -> None:
    card = served.card()
    page = open_page(ANDROID, language)
    page.goto(card.page)
    settled(page)
    before = balance(page)
    page.context.set_offline(True)
    page.reload()

    note = page.locator("#offline")
    expect(note).to_be_visible()
    expect(note).to_contain_text(re.compile(re.escape(OFFLINE[language]) + r" \d\d:\d\d"))
    expect(page.locator("#fresh")).to_be_hidden()
    expect(page.locator("a.later[href*='/next/']")).to_be_hidden()  # leads nowhere now
    assert balance(page) == before
    assert read_codes(page) == [card.code]
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth)")

    rung = served.ring(card)
    page.context.set_offline(False)

    expect(note).to_be_hidden(timeout=POLL + SOON)
    expect(page.locator("#fresh")).to_be_visible()
    expect(page.locator("a.later[href*='/next/']")).to_be_visible()
    assert balance(page) == rung


@pytest.mark.parametrize(("chosen", "browsers"), [("en", "ru"), ("ru", "en")])
def test_without_a_network_the_card_speaks_the_language_that_was_chosen(
    served: Served, open_page: Open, chosen: str, browsers: str
) -> None:
    page = open_page(ANDROID, browsers)
    page.goto(f"{served.card().page}?lang={chosen}")
    settled(page)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#offline")).to_contain_text(OFFLINE[chosen])
    expect(page.locator("html")).to_have_attribute("lang", chosen)


def test_a_slow_network_shows_the_card_as_it_was_until_it_answers(served: Served, open_page: Open) -> None:
    card = served.card()
    page = open_page()
    page.goto(card.page)
    settled(page)
    rung = served.ring(card)
    served.fluent.clear()
    try:
        page.reload(timeout=SOON)
        assert read_codes(page) == [card.code]
        assert balance(page) < rung
    finally:
        served.fluent.set()
    expect(page.locator("#fresh")).to_be_visible()
    assert balance(page) == rung


def test_a_browser_without_room_for_the_card_shows_it_all_the_same(served: Served, open_page: Open) -> None:
    card = served.card()
    page = open_page()
    page.goto(card.page)
    settled(page)
    (worker,) = page.context.service_workers
    worker.evaluate(
        """async () => {
          for (const name of await caches.keys()) await caches.delete(name);
          Cache.prototype.put = () => Promise.reject(new DOMException("no room", "QuotaExceededError"));
        }"""
    )
    page.reload()
    assert read_codes(page) == [card.code]
    expect(page.locator("#fresh")).to_be_visible()


def test_an_ended_link_is_told_and_its_card_forgotten(served: Served, open_page: Open) -> None:
    card = served.card()
    page = open_page()
    page.clock.install()
    page.goto(card.page)
    settled(page)
    start = home(page)
    assert [len(words) for words in kept(page).values()] == [1, 1]

    expect(page.locator("#fresh")).to_be_visible()
    served.revoke(card)
    page.clock.run_for(POLL)

    expect(page.get_by_text("This link has ended")).to_be_visible()
    assert card.code not in page.content()
    assert kept(page) == {"caches": [], "workers": []}
    page.goto(start)
    expect(page.get_by_role("heading")).to_have_text("The card is not on this device any more")


def test_a_link_that_ended_while_there_was_no_network_is_told_when_there_is(
    served: Served, open_page: Open
) -> None:
    card = served.card()
    page = open_page()
    page.goto(card.page)
    settled(page)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#offline")).to_be_visible()
    served.revoke(card)
    page.context.set_offline(False)
    expect(page.get_by_text("This link has ended")).to_be_visible(timeout=POLL + SOON)
    assert kept(page)["caches"] == []


def test_the_home_screens_icon_opens_the_card_with_and_without_a_network(
    served: Served, open_page: Open
) -> None:
    card = served.card()
    page = open_page(language="ru")
    page.goto(card.page)
    settled(page)
    faults = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")
    # Headless Chromium installs nothing; of the manifest, its icons and the worker it must have no complaint.
    assert {fault["errorId"] for fault in faults["installabilityErrors"]} <= {"in-incognito"}
    start = home(page)
    assert "~" not in start
    for offline in (False, True):
        page.context.set_offline(offline)
        page.goto("about:blank")
        page.goto(start)
        assert page.url.partition("?")[0] == served.origin + card.page
        expect(page.locator("#face")).to_contain_text("Анна")


def test_cards_of_one_browser_do_not_know_each_other(served: Served, open_page: Open) -> None:
    mine, theirs = served.card(), served.card("zerno")
    page = open_page()
    for card in (mine, theirs):
        page.goto(card.page)
        settled(page)
    served.revoke(mine)
    page.goto(mine.page)
    expect(page.get_by_text("This link has ended")).to_be_visible()
    assert len(kept(page)["caches"]) == 1
    page.context.set_offline(True)
    page.goto(theirs.page)
    expect(page.locator("#offline")).to_be_visible()
    assert read_codes(page) == [theirs.code]


def test_an_open_page_asks_ever_less_often_and_not_at_all_where_nobody_looks(
    served: Served, open_page: Open
) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda it: asked.append(it.url) if "if-none-match" in it.headers else None)
    page.add_init_script(HASTE)
    page.goto(served.card().page)
    while len(waits := page.evaluate("waits.slice(0, 14)")) < 14:  # the test's own time limit ends it
        page.wait_for_timeout(20)
    assert waits[0] == POLL
    assert waits == sorted(waits)
    assert waits[-2:] == [60_000, 60_000]
    assert sum(waits) / len(waits) > 20_000

    page.evaluate(LOOKED_AT.format("true"))
    page.wait_for_timeout(100)  # an answer may have been under way
    before = len(asked)
    page.wait_for_timeout(200)
    assert len(asked) == before
    with page.expect_request(lambda it: "if-none-match" in it.headers):
        page.evaluate(LOOKED_AT.format("false"))


@pytest.mark.parametrize("user_agent", [ANDROID, IPHONE, DESKTOP], ids=["android", "iphone", "desktop"])
def test_the_code_fills_the_screen_at_the_till(served: Served, open_page: Open, user_agent: str) -> None:
    card = served.card()
    page = open_page(user_agent, "ru", dark=True)
    page.goto(card.page)
    if user_agent != ANDROID:
        page.locator("summary").first.click()
    page.get_by_role("button", name="Показать код крупно").click()
    till = page.get_by_role("dialog")
    expect(till).to_contain_text(card.code)
    box = till.locator("svg").bounding_box()
    assert box
    assert box["width"] > 300
    assert card.code in read_codes(page)
    assert (
        page.evaluate("getComputedStyle(document.querySelector('dialog')).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    page.keyboard.press("Escape")
    expect(till).to_be_hidden()


@pytest.mark.parametrize("language", ["ru", "en"])
def test_without_scripts_the_page_is_a_page(served: Served, open_page: Open, language: str) -> None:
    card = served.card()
    page = open_page(ANDROID, language, scripts=False)
    page.goto(card.page)
    assert read_codes(page) == [card.code]
    for line in ("#fresh", "#offline", "#enlarge", "#home", "#till"):
        expect(page.locator(line)).to_be_hidden()
    rung = served.ring(card)
    page.get_by_role("link", name="Обновить страницу" if language == "ru" else "Load the page again").click()
    expect(page.locator(".messages li")).to_have_count(2)
    assert balance(page) == rung


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("user_agent", [ANDROID, IPHONE, DESKTOP], ids=["android", "iphone", "desktop"])
def test_everybody_can_read_the_card(served: Served, open_page: Open, user_agent: str, dark: bool) -> None:
    card = served.card()
    served.ring(card)
    page = open_page(user_agent, "ru" if dark else "en", dark=dark)
    page.goto(card.page)
    expect(page.locator("#fresh")).to_be_visible()
    for summary in page.locator("summary").all():
        summary.click()
    assert faults(page) == []
    if user_agent != ANDROID:
        return
    page.locator("#enlarge").click()
    assert faults(page) == []
    page.keyboard.press("Escape")
    settled(page)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#offline")).to_be_visible()
    assert faults(page) == []


def faults(page: Page) -> list[str]:
    """What axe finds, in one line each."""
    found = Axe().run(page).response["violations"]
    return [f"{it['id']}: {json.dumps([node['html'] for node in it['nodes']])}" for it in found]


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_scrolls_sideways(served: Served, open_page: Open, width: int) -> None:
    card = served.card()
    served.ring(card)
    for user_agent in (ANDROID, DESKTOP):
        page = open_page(user_agent, "ru", width=width)
        page.goto(card.page)
        expect(page.locator("#fresh")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert (Path(page.url).name.count("~")) == 1
