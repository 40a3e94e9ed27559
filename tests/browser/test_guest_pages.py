"""Guests' pages in Chromium: four taps to a card, on every device, with and without scripts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from app.loyalty.tables import enrolment
from app.places.tables import visit_event
from tests.web.guests import ANDROID, DESKTOP, IPHONE, World

pytestmark = [pytest.mark.browser]
PHONE, SCREEN = (390, 844), (1280, 800)
SIZES = {IPHONE: PHONE, ANDROID: PHONE, DESKTOP: SCREEN}
GET = {"ru": "Получить карту", "en": "Get the card"}
DARKER = "matchMedia('(prefers-color-scheme: dark)').matches"

Open = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, world: World) -> Iterator[Open]:
    contexts = []

    def open_page(
        user_agent: str, language: str = "en", *, scripts: bool = False, dark: bool = False, width: int = 0
    ) -> Page:
        size = SIZES[user_agent]
        context = chromium.new_context(
            user_agent=user_agent,
            viewport={"width": width or size[0], "height": size[1]},
            locale={"ru": "ru-RU", "en": "en-GB"}[language],
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            base_url=world.services.public_url,
        )
        contexts.append(context)
        page = context.new_page()
        # A page that breaks its own policy or asks for what is not there says so on the console.
        page.on("console", lambda message: note(message.text) if message.type == "error" else None)
        return page

    def note(fault: str) -> None:
        if "status of 422" not in fault:  # a form that came back: meant so
            faults.append(fault)

    faults: list[str] = []
    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def steps(world: World) -> list[str]:
    with world.database.read() as tx:
        return sorted(tx.execute(select(visit_event.c.kind)).scalars())


def read_codes(page: Page) -> list[str]:
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    return [code.text for code in zxingcpp.read_barcodes(picture)]


def enrolments(world: World) -> list[str]:
    with world.database.read() as tx:
        return list(tx.execute(select(enrolment.c.card_code)).scalars())


@pytest.mark.parametrize("scripts", [False, True], ids=["without scripts", "with scripts"])
@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("user_agent", [IPHONE, ANDROID, DESKTOP], ids=["iphone", "android", "desktop"])
def test_a_guest_has_the_card_in_four_taps(
    world: World, open_page: Open, user_agent: str, language: str, scripts: bool
) -> None:
    page = open_page(user_agent, language, scripts=scripts)
    page.goto(world.cafe.path)
    assert page.locator("html").get_attribute("lang") == language
    button = page.get_by_role("button", name=GET[language])
    box = button.bounding_box()
    assert box
    assert box["y"] + box["height"] <= SIZES[user_agent][1], "the button lies below the fold"
    page.locator("#data").check()
    button.click()
    page.wait_for_url("**/card/**")
    assert steps(world) == ["form", "page", "scan"]
    (code,) = enrolments(world)
    if user_agent == IPHONE:
        apple = page.get_by_role(
            "link", name="Добавить в Apple Wallet" if language == "ru" else "Add to Apple Wallet"
        )
        address = apple.get_attribute("href")
        assert address
        answer = page.request.get(address)
        assert answer.headers["content-type"] == "application/vnd.apple.pkpass"
        assert read_codes(page) == []
        page.locator("summary").click()
        assert read_codes(page) == [code]
    elif user_agent == ANDROID:
        assert read_codes(page) == [code]
    else:
        assert read_codes(page) == [page.url.split("?")[0]]


def test_the_desktops_code_opens_the_same_card_on_the_phone(world: World, open_page: Open) -> None:
    desktop = open_page(DESKTOP)
    desktop.goto(world.cafe.path)
    desktop.locator("#data").check()
    desktop.get_by_role("button", name="Get the card").click()
    (address,) = read_codes(desktop)
    phone = open_page(IPHONE)
    phone.goto(address)
    assert phone.get_by_role("link", name="Add to Apple Wallet").is_visible()
    (code,) = enrolments(world)
    phone.locator("summary").click()
    assert read_codes(phone) == [code]


def test_a_fault_is_told_at_its_field_and_the_rest_is_kept(world: World, open_page: Open) -> None:
    page = open_page(IPHONE, "ru")
    page.goto(world.cafe.path)
    page.get_by_label("Ваше имя").fill("Анна")
    page.locator("#advertising").check()
    page.get_by_role("button", name="Получить карту").click()
    assert page.get_by_role("alert").is_visible()
    assert page.get_by_label("Ваше имя").input_value() == "Анна"
    assert page.locator("#advertising").is_checked()
    assert not page.locator("#data").is_checked()
    page.locator("#data").check()
    page.get_by_role("button", name="Получить карту").click()
    page.wait_for_url("**/card/**")
    assert page.get_by_text("Анна").is_visible()


def test_a_double_tap_and_the_way_back_make_one_card(world: World, open_page: Open) -> None:
    page = open_page(ANDROID, scripts=True)
    page.goto(world.cafe.path)
    page.locator("#data").check()
    page.get_by_role("button", name="Get the card").dblclick()
    page.wait_for_url("**/card/**")
    card = page.url
    page.go_back()
    assert page.get_by_text("A card was made on this page").is_visible()
    page.go_forward()
    assert page.url == card
    page.reload()
    assert len(enrolments(world)) == 1
    assert steps(world) == ["form", "page", "scan"]


def test_the_language_is_switched_by_hand(world: World, open_page: Open) -> None:
    page = open_page(IPHONE, "en")
    page.goto(world.cafe.path)
    page.get_by_role("link", name="Русский").click()
    assert page.get_by_role("button", name="Получить карту").is_visible()
    assert steps(world) == ["page", "scan"]


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_cut_off_or_scrolls_sideways(world: World, open_page: Open, width: int) -> None:
    for shop in (world.cafe, world.bakery):
        page = open_page(IPHONE, "ru", scripts=True, width=width)
        page.goto(shop.path)
        for _ in range(2):
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.locator("#data").check()
            page.get_by_role("button").click()
            page.wait_for_url("**/card/**")
            if page.locator("#data").count() == 0:
                break
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_is_reached_with_the_keyboard_and_can_be_hit_with_a_thumb(
    world: World, open_page: Open
) -> None:
    page = open_page(IPHONE, scripts=True)
    page.goto(world.cafe.path)
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert reached == ["A", "name", "data", "A", "advertising", "BUTTON"]
    for target in ("label.tick >> nth=0", "label.tick >> nth=1", "button", "#name"):
        box = page.locator(target).bounding_box()
        assert box
        assert box["height"] >= 44, target


def test_the_page_follows_the_phone_into_the_dark(world: World, open_page: Open) -> None:
    grounds = set()
    for dark in (False, True):
        page = open_page(IPHONE, scripts=True, dark=dark)
        page.goto(world.cafe.path)
        assert page.evaluate(DARKER) is dark
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == {"rgb(246, 246, 244)", "rgb(18, 18, 17)"}
