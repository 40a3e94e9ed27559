"""The code's page in a browser: offered by the phone, sent by its last digit, the same without scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from app.db import connect, schema
from app.web.guest_limits import GuestLimits
from tests import servers
from tests.browser.conftest import _Quiet
from tests.browser.devices import PHONE, SCREEN, Device, open_device, speak
from tests.web.guests import DESKTOP, IPHONE, World, open_world
from tests.web.texting import a_book, newest_code, prove_numbers, sent

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("guest_code")]
_numbers = count(10)
PHONES = (Device("iphone", IPHONE, PHONE), Device("desktop", DESKTOP, SCREEN))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A cafe that has numbers proved, served on loopback."""
    directory = tmp_path_factory.mktemp("codes")
    database = connect(f"sqlite:///{directory / 'codes.db'}")
    schema.migrate(database)
    port = servers.free_port()
    world = open_world(
        database, public_url=f"http://127.0.0.1:{port}", sms_book=a_book(directory),
        limits=GuestLimits("memory://", visits=(), forms=()),
    )  # fmt: skip
    prove_numbers(world, world.cafe)
    server = make_server("127.0.0.1", port, world.app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield world
    server.shutdown()
    thread.join()
    server.server_close()
    database.close()


def ask(page: Page, world: World) -> None:
    """The form, filled with a number of its own, as far as the code's page."""
    page.goto(world.cafe.path)
    page.locator("#name").fill("Анна")
    page.locator("#phone").fill(f"+7 912 345-67-{next(_numbers)}")
    page.locator("#data").check()
    page.locator("button[type=submit]").click()
    page.locator("#digits").wait_for()


def test_the_last_digit_sends_the_code(world: World, chromium: Browser) -> None:
    with open_device(chromium, PHONES[0], world.services.public_url) as context:
        page = context.new_page()
        ask(page, world)
        field = page.locator("#digits")
        assert page.evaluate("document.activeElement.id") == "digits"
        assert field.get_attribute("autocomplete") == "one-time-code"
        assert field.get_attribute("inputmode") == "numeric"
        code = newest_code(world)
        field.press_sequentially(f"{(int(code) + 1) % 10**6:06}")
        page.locator("#digits-wrong").wait_for()  # sent by itself, and told to be wrong
        page.locator("#digits").press_sequentially(code)
        page.wait_for_url("**/card/**")


def test_another_code_waits_a_minute_and_another_number_goes_back(world: World, chromium: Browser) -> None:
    with open_device(chromium, PHONES[0], world.services.public_url) as context:
        page = context.new_page()
        ask(page, world)
        again = page.locator("button[value=again]")
        assert again.is_disabled()
        assert "(" in (again.text_content() or "")
        before = len(sent(world))
        page.reload()
        page.locator("#digits").wait_for()
        assert len(sent(world)) == before  # loading the page again sends nothing
        page.locator("button[value=back]").click()
        page.locator("#phone").wait_for()
        assert page.locator("#name").input_value() == "Анна"
        assert page.locator("#data").is_checked()
        page.locator("#phone").fill(f"+7 912 345-67-{next(_numbers)}")
        page.locator("button[type=submit]").click()
        page.locator("#digits").wait_for()
        assert len(sent(world)) == before + 1


def test_all_of_it_works_without_scripts(world: World, chromium: Browser) -> None:
    with open_device(chromium, PHONES[0], world.services.public_url, scripts=False) as context:
        page = context.new_page()
        ask(page, world)
        page.locator("button[value=again]").click()
        page.get_by_text("A code was sent a moment ago").wait_for()
        page.locator("#digits").fill(newest_code(world))
        page.locator("#digits").press("Enter")  # the first button: the code is checked
        page.wait_for_url("**/card/**")
        page.locator("a[href*='/-/stop/']").click()
        page.locator("h1", has_text="You get no advertising").wait_for()


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("device", PHONES, ids=lambda device: device.name)
def test_the_pages_can_be_read_aloud_and_hit(
    world: World, chromium: Browser, device: Device, language: str
) -> None:
    with open_device(chromium, device, world.services.public_url, dark=language == "ru") as context:
        page = context.new_page()
        speak(page, language)
        page.goto(world.cafe.path)
        page.locator("#advertising").check()
        page.locator("#data").check()
        page.locator("#phone").fill(f"+7 912 345-67-{next(_numbers)}")
        page.locator("button[type=submit]").click()
        page.locator("#digits").wait_for()
        _is_fine(page, device)
        page.locator("#digits").fill(newest_code(world))
        page.wait_for_url("**/card/**")
        page.goto(page.locator("a[href*='/-/stop/']").get_attribute("href") or "")
        _is_fine(page, device)
        page.locator("button[type=submit]").click()
        page.locator(".done").wait_for()
        _is_fine(page, device)


def _is_fine(page: Page, device: Device) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= device.size[0]
    heights = "[...document.querySelectorAll('button, #digits')].map((one) => one.offsetHeight)"
    assert all(height >= 44 for height in page.evaluate(heights))
