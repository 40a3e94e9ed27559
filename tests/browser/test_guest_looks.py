"""Guests' pages as they look and weigh: read aloud, in the dark, on small screens, with thumbs and keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from app.accounts import brands
from app.errors import BadInput
from app.loyalty.enrolment import checked_name
from app.loyalty.phone_numbers import checked_phone
from tests.browser.devices import DEVICES, PHONE, SCREEN, Device, open_device, speak
from tests.web.guests import DESKTOP, IPHONE, NOW, Shop, World

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("guest_looks")]
LOOKS = ("en", "ru")
TARGETS = """() => [...document.querySelectorAll("a, button, input, select, summary, label.tick")]
  .filter((each) => each.offsetParent && each.type !== "hidden" && !each.closest(".tick span"))
  .filter((each) => each.type !== "checkbox")
  .map((each) => [each.outerHTML.slice(0, 90), each.getBoundingClientRect().height])"""
WEIGHT = """async () => {
  const { encodedBodySize } = performance.getEntriesByType("navigation")[0];
  const parts = performance.getEntriesByType("resource").filter(({ name }) => /\\.(css|js)$/.test(name));
  return encodedBodySize + parts.reduce((sum, part) => sum + part.encodedBodySize, 0);
}"""
SHIFTS = """() => new Promise((tell) => {
  new PerformanceObserver((list) => tell(list.getEntries().map((entry) => entry.value)))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => tell([]), 200);
})"""


@contextmanager
def numbers_needed(world: World, shop: Shop) -> Iterator[None]:
    """While the brand asks for a number."""
    for how in ("needed", "no"):
        with world.database.write() as tx:
            draft = replace(shop.brand.draft(), asks_phone=how)
            brands.update_brand(tx, shop.brand.id, draft, now=NOW, actor="test")
        if how == "needed":
            yield


def faults(page: Page) -> str:
    """What axe finds, as people read it."""
    found = Axe().run(page)
    return "" if found.violations_count == 0 else found.generate_report()


def pages(page: Page, world: World) -> Iterator[str]:
    """One page after the other, from the scan to the end."""
    page.goto(world.cafe.path)
    yield "install"
    page.locator("#phone").fill("+7 912")
    for _ in range(2):  # who insists is judged by the server
        page.locator("button[type=submit]").click()
    page.wait_for_selector("#errors")
    yield "install, with faults"
    page.locator("#phone").fill("+7 912 345-67-89")
    page.locator("#data").check()
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/card/**")
    page.goto(page.url.replace("/card/", "/next/"))
    yield "next"
    page.goto("/i/zzzzzzzz/card/x")
    yield "nothing here"


@pytest.mark.parametrize(
    ("name", "dark"),
    [("iphone", False), ("iphone", True), ("iphone-in-instagram", True), ("desktop", False)],
)
def test_every_page_can_be_read_aloud_seen_and_hit(
    world: World, chromium: Browser, name: str, dark: bool
) -> None:
    device = next(device for device in DEVICES if device.name == name)
    origin = world.services.public_url
    with numbers_needed(world, world.cafe), open_device(chromium, device, origin, dark=dark) as context:
        page = context.new_page()
        speak(page, LOOKS[dark])
        for where in pages(page, world):
            assert faults(page) == "", where
            small = [each for each in page.evaluate(TARGETS) if each[1] < 44]
            assert small == [], where
            assert page.evaluate("document.documentElement.scrollWidth") <= device.size[0], where
            assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is dark
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert ground == ("rgb(18, 18, 17)" if dark else "rgb(246, 246, 244)")


@pytest.mark.parametrize("size", [PHONE, SCREEN], ids=["phone", "desktop"])
def test_the_install_page_is_light_does_not_jump_and_asks_nobody_else(
    world: World, chromium: Browser, size: tuple[int, int]
) -> None:
    device = Device("any", DESKTOP if size == SCREEN else IPHONE, size)
    origin = world.services.public_url
    with numbers_needed(world, world.cafe), open_device(chromium, device, origin) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(world.cafe.path, wait_until="networkidle")
        assert page.evaluate(WEIGHT) < 30_000
        assert sum(page.evaluate(SHIFTS)) < 0.02
        assert all(address.startswith(origin) for address in asked)
        assert len(asked) <= 12
        assert page.evaluate("document.title") == "Zerno guest card · Кофейня «Зерно»"
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_cut_off_or_scrolls_sideways(world: World, chromium: Browser, width: int) -> None:
    device = Device("any", IPHONE, (width, 844))
    with open_device(chromium, device, world.services.public_url) as context:
        page = context.new_page()
        speak(page, "ru")
        for shop in (world.cafe, world.bakery):
            page.goto(shop.path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.locator("#data").check()
            page.locator("button[type=submit]").click()
            page.wait_for_url("**/card/**")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.goto(page.url.replace("/card/", "/next/"))
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_is_reached_with_the_keyboard(world: World, chromium: Browser) -> None:
    with open_device(chromium, Device("iphone", IPHONE), world.services.public_url) as context:
        page = context.new_page()
        page.goto(world.cafe.path)
        reached = []
        for _ in range(6):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        assert reached == ["A", "name", "data", "A", "advertising", "BUTTON"]


def test_the_language_is_switched_by_hand(world: World, chromium: Browser) -> None:
    with open_device(chromium, Device("iphone", IPHONE), world.services.public_url) as context:
        page = context.new_page()
        page.goto(world.cafe.path)
        page.get_by_role("link", name="Русский").click()
        assert page.get_by_role("button", name="Получить карту").is_visible()


TYPED = {
    "89123456789": "+7 912 345-67-89", "9123456789": "+7 912 345-67-89", "79123456789": "+7 912 345-67-89",
    "+998901234567": "+998 90 123 45 67", "+12015550123": "+1 201-555-0123",
    "+447400123456": "+44 7400 123456", "+375294911911": "+375 29 491-19-11",
    "+4915123456789": "+49 1512 3456789",
}  # fmt: skip
JUDGED = (
    *TYPED, "", "12", "+7 912 345-67-8", "+7 912 345-67-890", "8 912", "+", "no", "+999 1234567",
    "+99890123456", "+9989012345678", "(912) 345 67 89", "\uff0b\uff17 912 345 67 89", "+33612345678",
    "+3361234567", "+86 131 2345 6789",
)  # fmt: skip
NAMES = (
    "",
    "Anna",
    "  Анна  Ивановна ",
    "я" * 60,
    "я" * 61,
    "a\u202eb",
    "a\ue000b",
    "Аня \U0001f389",
    "x " * 59,
)


def test_numbers_group_themselves_and_are_judged_as_the_server_judges_them(
    world: World, chromium: Browser
) -> None:
    origin = world.services.public_url
    with (
        numbers_needed(world, world.cafe),
        open_device(chromium, Device("iphone", IPHONE), origin) as context,
    ):
        page = context.new_page()
        page.goto(world.cafe.path)
        field, name = page.locator("#phone"), page.locator("#name")
        for typed, shown in TYPED.items():
            field.fill("")
            field.press_sequentially(typed)
            assert field.input_value() == shown
        field.press("Backspace")
        assert field.input_value() == shown[:-1]  # what is taken back stays so
        for words in JUDGED:
            field.fill(words)
            fine = page.evaluate("document.getElementById('phone').fault() === ''")
            assert fine == _accepted(lambda words=words: checked_phone(words, region="RU") is not None), words
        page.evaluate("() => { window.setTimeout = (act, _, ...rest) => act(...rest); }")
        for words in NAMES:
            page.evaluate(f"document.getElementById('name').value = {json.dumps(words)}")
            name.dispatch_event("change")
            told = page.locator("#name-wrong").count() == 1
            assert told != _accepted(lambda words=words: checked_name(words) is None or True), words


def _accepted(judge: object) -> bool:
    try:
        return bool(judge())  # type: ignore[operator]
    except BadInput:
        return False
