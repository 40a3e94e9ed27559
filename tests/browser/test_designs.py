"""An owner draws a card: sees it on the phone while typing, is warned, publishes, rolls it out."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from app.db import connect, schema
from app.passes import picture_checks, rollouts
from tests import servers
from tests.browser.conftest import _Quiet
from tests.browser.devices import read_codes
from tests.conftest import ROOMS_WITH_TABLES
from tests.web.console import designs_stage
from tests.web.console.house import House, open_house
from tests.web.console.look import sign_in_cookie

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("designs")]
AT = "/console/bakery/designs/2"  # the house's second programme
PHONE, SCREEN = (390, 844), (1280, 860)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Served on loopback; on SQLite in every run, since a browser sees no database."""
    for room in ROOMS_WITH_TABLES:
        import_module(f"app.{room}.tables")
    database = connect(f"sqlite:///{tmp_path_factory.mktemp('designs') / 'designs.db'}")
    schema.migrate(database)
    port = servers.free_port()
    house = open_house(database, public_url=f"http://127.0.0.1:{port}")
    designs_stage.issue_cards(house, house.bakery, 30)
    server = make_server("127.0.0.1", port, house.application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield house
    server.shutdown()
    thread.join()
    server.server_close()
    database.close()


@contextmanager
def desk(house: House, browser: Browser, size: tuple[int, int]) -> Iterator[Page]:
    """The owner's browser; whatever its console calls an error fails the test."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, base_url=house.services.public_url
    )
    context.add_cookies([sign_in_cookie(house, "owner", "bakery")])  # type: ignore[list-item]
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    context.close()
    assert [each for each in faults if "status of 422" not in each] == []


def clean(page: Page) -> str:
    """What axe finds, as people read it."""
    found = Axe().run(page)
    return "" if found.violations_count == 0 else found.generate_report()


def worker(house: House) -> None:
    """What the worker does meanwhile."""
    for _ in range(20):
        with house.database.write() as tx:
            if not rollouts.step(tx, now=house.clock(), most=200).more:
                return


def test_an_owner_draws_a_card_and_rolls_it_out(house: House, chromium: Browser) -> None:
    with desk(house, chromium, SCREEN) as page:
        page.goto(AT)
        assert clean(page) == ""
        page.get_by_role("button", name="Stamp card").click()
        page.wait_for_url("**/draft")
        assert clean(page) == ""
        assert "K7Q2M9XA" in read_codes(page)  # the code on the drawn card is a real one
        drawn = page.locator("#preview svg.proof")
        page.locator("#colour\\.backgroundColor").fill("#5a1f2b")
        expect(drawn.locator('rect[fill="#5a1f2b"]')).to_have_count(1)
        expect(page.locator('[data-slot="colour.foregroundColor"]')).to_contain_text("Hard to read")
        page.locator("#colour\\.foregroundColor").fill("#ffffff")
        page.locator("#colour\\.labelColor").fill("#ffe9d6")
        expect(page.locator('[data-slot="colour.foregroundColor"]')).to_be_empty()
        page.locator("#text\\.programme\\.en").fill("Every sixth coffee of the year is on the house")
        expect(page.locator('[data-slot="text.programme"]')).to_contain_text(
            "Cut on every iPhone, in English"
        )
        page.locator("#text\\.programme\\.en").fill("Sixth is free")
        page.locator("#text\\.programme\\.ru").fill("Шестой даром")
        expect(page.locator('[data-slot="text.programme"]')).to_be_empty()
        expect(drawn).to_contain_text("Sixth is free")
        page.get_by_label("Lock screen", exact=True).check()
        expect(drawn).to_contain_text("45 points added")
        page.get_by_label("Back side", exact=True).check()
        expect(drawn).to_contain_text("Stop advertising")
        page.get_by_label("Front", exact=True).check()
        page.get_by_label("Small", exact=True).check()
        expect(drawn).to_have_attribute("viewBox", re.compile(r"^0 0 320"))
        out = io.BytesIO()
        Image.new("RGB", (1200, 470), "#3a1018").save(out, "PNG")
        strip = page.locator("#picture\\.strip")
        heavy = {"name": "s.png", "mimeType": "image/png", "buffer": bytes(picture_checks.MOST_UPLOAD + 1)}
        strip.set_input_files(heavy)  # type: ignore[arg-type]
        expect(page.get_by_role("alert")).to_contain_text("more than 7 MB")
        assert strip.input_value() == ""
        expect(page.locator("#text\\.programme\\.en")).to_have_value("Sixth is free")  # nothing was sent
        with page.expect_navigation():  # a picture is saved as it is chosen, with all that was typed
            strip.set_input_files({"name": "strip.png", "mimeType": "image/png", "buffer": out.getvalue()})
        expect(page.locator("#text\\.programme\\.en")).to_have_value("Sixth is free")
        expect(page.locator(".done")).to_contain_text("Saved")
        expect(drawn).to_have_attribute("viewBox", re.compile(r"^0 0 320"))
        page.get_by_role("button", name="Check and publish").click()
        page.wait_for_url("**/draft/publish")
        assert clean(page) == ""
        page.get_by_role("button", name="Publish version 2").click()
        page.wait_for_url(f"**{AT}")
        page.get_by_role("button", name="Begin with 1 %").click()
        expect(page.locator("#rollout")).to_contain_text("under way")
        assert clean(page) == ""
        for button in ("Go on to 10 %", "Go on to all cards"):
            worker(house)
            page.goto(AT)
            page.get_by_role("button", name=button).click()
        worker(house)
        page.goto(AT)
        expect(page.locator("#rollout .numbers")).to_contain_text("30")
        expect(page.locator("#rollout")).to_contain_text("everywhere")
        page.get_by_role("button", name="Take it back").click()
        expect(page.locator("#rollout")).to_contain_text("going back")


def test_the_editor_on_a_phone_in_the_dark_and_without_scripts(house: House, chromium: Browser) -> None:
    designs_stage.begin(house, house.cafe, "tiered_card")
    at = "/console/cafe/designs/1/draft"
    context = chromium.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]},
        base_url=house.services.public_url,
        color_scheme="dark",
        java_script_enabled=False,
    )
    context.add_cookies([sign_in_cookie(house, "owner", "cafe", "ru")])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(at)
    assert not page.locator("#preview").is_visible()
    page.locator("#text\\.programme\\.ru").fill("Своя карта")
    page.locator('.sides [value="phone"]').check()
    page.get_by_role("button", name="Показать, что получилось").click()
    page.locator('.sides [value="phone"]').check()
    assert "Своя карта" in (page.locator("#preview svg.proof").text_content() or "")
    page.locator('.sides [value="form"]').check()
    page.locator('button[value="down.backFields.1"]').click()
    page.wait_for_url("**/draft?**")
    assert page.locator("#text\\.programme\\.ru").input_value() == "Своя карта"
    assert page.locator('input[name="f.backFields.2.key"]').input_value() == "messages"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    context.close()
    with_scripts = chromium.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]},
        base_url=house.services.public_url,
        color_scheme="dark",
    )
    with_scripts.add_cookies([sign_in_cookie(house, "owner", "cafe", "ru")])  # type: ignore[list-item]
    page = with_scripts.new_page()
    page.goto(at)
    assert clean(page) == ""
    page.locator('.sides [value="phone"]').check()
    assert clean(page) == ""
    with_scripts.close()
