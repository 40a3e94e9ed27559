"""Every page of guests and of the console at phone and desktop width: ``python -m tests.screens [NAME …]``.

Written to docs/screens/ for people to look at. The pages are the example chain's, served as they are in the
field; nothing compares the pictures, since another version of Chromium draws other letters.
"""

from __future__ import annotations

import io
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from app.accounts import brands
from app.db import connect, schema
from app.db.identifiers import DeviceLibraryIdentifier, PushToken
from app.loyalty.tables import enrolment
from app.passes import issuing, registrations
from app.places import links
from tests import servers
from tests.conftest import ROOMS_WITH_TABLES
from tests.pictures.console import draw
from tests.web.edges import receipt
from tests.web.guests import ANDROID, DESKTOP, IPHONE
from tests.web.texting import write_book
from tests.web.user_agents import APPS
from tests.web.whole_web import Card, WholeWeb, open_whole_web

SCREENS = Path(__file__).parents[1] / "docs" / "screens"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--hide-scrollbars", "--force-color-profile=srgb",
)  # fmt: skip
INSTAGRAM, AN_APP = (
    next(known.user_agent for known in APPS if known.name == name)
    for name in ("Instagram on iOS", "an app on Android that does not say which")
)
PHONE, SCREEN = (390, 844), (1280, 800)
LOCALES = {"ru": "ru-RU", "en": "en-GB"}
COLOURS, FEW_COLOURS = 160, 32
TALLEST = 2600
"""Pixels of a picture of the console."""


@dataclass(frozen=True)
class Studio:
    """The web on loopback, and a browser to look at it."""

    web: WholeWeb
    origin: str
    browser: Browser
    numbers: list[str] = field(default_factory=lambda: [f"34567{n}" for n in range(80, 99)])

    def page(self, user_agent: str, language: str, *, dark: bool = False) -> Page:
        """A page of its own: a phone's, or a desktop's."""
        width, height = SCREEN if user_agent == DESKTOP else PHONE
        context = self.browser.new_context(
            user_agent=user_agent, locale=LOCALES[language], base_url=self.origin, service_workers="block",
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light",
            device_scale_factor=1 if user_agent == DESKTOP else 2,
        )  # fmt: skip
        return context.new_page()

    def scan(self, page: Page, brand: str = "pechka") -> None:
        """The page behind a brand's code."""
        page.goto(self.web.links[brand])

    def join(self, page: Page, brand: str = "pechka") -> None:
        """The card's page, after the form."""
        self.scan(page, brand)
        page.locator("#name").fill("Анна" if _russian(page) else "Anna")
        page.locator("#data").check()
        page.locator("button[type=submit]").click()
        page.wait_for_url("**/card/**")

    def ask_phone(self, brand: str, how: str) -> None:
        """Whether the brand asks for numbers from now on."""
        with self.web.database.write() as tx:
            known = brands.brand_by_slug(tx, brand)
            draft = replace(known.draft(), asks_phone=how)
            brands.update_brand(tx, known.id, draft, now=datetime.now(UTC), actor="screens")

    def add_newest(self) -> None:
        """The newest card goes into a phone."""
        with self.web.database.write() as tx:
            newest = select(enrolment.c.pass_id).order_by(enrolment.c.id.desc()).limit(1)
            card = issuing.wallet_pass(tx, tx.execute(newest).scalar_one())
            registrations.register(
                tx,
                device_library_identifier=DeviceLibraryIdentifier(f"screens-{card.id}"),
                pass_type_identifier=card.pass_type_identifier, pass_id=card.id,
                push_token=PushToken("beef" * 16), now=datetime.now(UTC),
            )  # fmt: skip


def _russian(page: Page) -> bool:
    return page.locator("html").get_attribute("lang") == "ru"


def _install(studio: Studio, page: Page) -> None:
    studio.scan(page)


def _wrong(studio: Studio, page: Page) -> None:
    studio.ask_phone("pechka", "needed")
    studio.scan(page)
    studio.ask_phone("pechka", "no")
    page.locator("#name").fill("Анна" if _russian(page) else "Anna")
    page.locator("#phone").press_sequentially("8912345")
    page.locator("button[type=submit]").click()


def _code(studio: Studio, page: Page) -> None:
    """The code's page, after a try that was wrong."""
    studio.ask_phone("pechka", "proved")
    studio.scan(page)
    page.locator("#name").fill("Анна" if _russian(page) else "Anna")
    page.locator("#phone").press_sequentially(f"8912{studio.numbers.pop()}")
    page.locator("#data").check()
    page.locator("button[type=submit]").click()
    page.locator("#digits").wait_for()
    studio.ask_phone("pechka", "no")


def _number(studio: Studio, page: Page) -> None:
    """The page where a card's holder proves a number."""
    studio.join(page)
    studio.ask_phone("pechka", "proved")
    page.goto(page.url.replace("/card/", "/number/"))
    page.locator("#phone").wait_for()
    studio.ask_phone("pechka", "no")


def _stop(studio: Studio, page: Page) -> None:
    studio.scan(page)
    page.locator("#advertising").check()
    page.locator("#data").check()
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/card/**")
    page.goto(page.locator("a[href*='/-/stop/']").get_attribute("href") or "")


def _stopped(studio: Studio, page: Page) -> None:
    _stop(studio, page)
    page.locator("button[type=submit]").click()
    page.wait_for_load_state()


def _card(studio: Studio, page: Page) -> None:
    studio.join(page)


def _next(studio: Studio, page: Page) -> None:
    studio.join(page)
    page.goto(page.url.replace("/card/", "/next/"))


def _added(studio: Studio, page: Page) -> None:
    studio.join(page)
    studio.add_newest()
    page.goto(page.url.replace("/card/", "/next/"))
    page.locator("#day").select_option("5")
    page.locator("#month").select_option("3")
    page.locator("#birthday button").click()
    page.wait_for_url("**done=1**")


def _ended(studio: Studio, page: Page) -> None:
    with studio.web.database.write() as tx:
        brand = brands.brand_by_slug(tx, "zerno")
        link = links.links_of_brand(tx, brand.id)[-1]
        links.retire_link(tx, link.id, now=datetime.now(UTC), actor="screens")
    page.goto(f"/i/{link.code}")


def _venues_code(studio: Studio, brand: str) -> str:
    with studio.web.database.write() as tx:
        known = brands.brand_by_slug(tx, brand)
        return links.links_of_brand(tx, known.id)[0].code


def _taken(studio: Studio, page: Page) -> None:
    studio.scan(page)
    here = page.url
    page.locator("#data").check()
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/card/**")
    page.goto(here)


def _too_old(studio: Studio, page: Page) -> None:
    studio.scan(page)
    page.locator("input[name=form]").evaluate("it => { it.value = 'x'; }")
    page.locator("#data").check()
    page.locator("button[type=submit]").click()
    page.locator(".alone").wait_for()


def _lost(studio: Studio, page: Page) -> None:
    studio.join(page)
    page.goto(page.url.partition("~")[0])


def _expired(studio: Studio, page: Page) -> None:
    page.goto(f"/i/{_venues_code(studio, 'pechka')}/pass/x.pkpass")


def _nothing(_studio: Studio, page: Page) -> None:
    page.goto("/i/nothing0")


def _regular(studio: Studio, page: Page) -> None:
    """A guest who comes back; the page shows it by itself."""
    studio.join(page)
    card = Card(page.locator("#till .number").text_content() or "", "", "", "", page.url)
    for amount in (640_00, 1240_00, 310_00, 890_00):
        rung = studio.web.ask(
            "POST", "/api/v1/receipts", receipt(card, amount=amount), studio.web.till("pechka")
        )
        assert rung.status == 201, rung.text
    page.locator(".messages li >> nth=4").wait_for()


def _offline(studio: Studio, page: Page) -> None:
    _regular(studio, page)
    page.context.set_offline(True)
    page.locator("#offline").wait_for()


def _till(studio: Studio, page: Page) -> None:
    studio.join(page)
    if not page.locator("#enlarge").is_visible():
        page.locator("summary").first.click()
    page.locator("#enlarge").click()


Shot = Callable[[Studio, Page], None]
SHOTS: dict[str, tuple[str, Shot]] = {
    "iphone-install": (IPHONE, _install),
    "iphone-install-in-instagram": (INSTAGRAM, _install),
    "iphone-install-wrong": (IPHONE, _wrong),
    "iphone-code": (IPHONE, _code),
    "iphone-card": (IPHONE, _card),
    "iphone-card-in-instagram": (INSTAGRAM, _card),
    "iphone-number": (IPHONE, _number),
    "iphone-stop": (IPHONE, _stop),
    "iphone-stopped": (IPHONE, _stopped),
    "iphone-next": (IPHONE, _next),
    "iphone-next-added": (IPHONE, _added),
    "iphone-next-in-instagram": (INSTAGRAM, _next),
    "android-install": (ANDROID, _install),
    "android-install-in-an-app": (AN_APP, _install),
    "android-card": (ANDROID, _card),
    "android-card-in-an-app": (AN_APP, _card),
    "android-next": (ANDROID, _next),
    "web-card-phone": (ANDROID, _regular),
    "web-card-phone-offline": (ANDROID, _offline),
    "web-card-phone-till": (ANDROID, _till),
    "web-card-desktop": (DESKTOP, _regular),
    "web-card-desktop-offline": (DESKTOP, _offline),
    "web-card-desktop-till": (DESKTOP, _till),
    "desktop-install": (DESKTOP, _install),
    "desktop-install-wrong": (DESKTOP, _wrong),
    "desktop-code": (DESKTOP, _code),
    "desktop-number": (DESKTOP, _number),
    "desktop-stop": (DESKTOP, _stop),
    "desktop-card": (DESKTOP, _card),
    "desktop-next": (DESKTOP, _next),
    "desktop-next-added": (DESKTOP, _added),
    "notice-phone-ended": (IPHONE, _ended),
    "notice-phone-taken": (IPHONE, _taken),
    "notice-phone-too-old": (IPHONE, _too_old),
    "notice-phone-expired": (IPHONE, _expired),
    "notice-phone-lost": (ANDROID, _lost),
    "notice-phone-nothing": (IPHONE, _nothing),
    "notice-desktop-ended": (DESKTOP, _ended),
    "notice-desktop-taken": (DESKTOP, _taken),
    "notice-desktop-too-old": (DESKTOP, _too_old),
    "notice-desktop-expired": (DESKTOP, _expired),
    "notice-desktop-lost": (DESKTOP, _lost),
    "notice-desktop-nothing": (DESKTOP, _nothing),
}
DARK = ("iphone-install", "iphone-card", "web-card-phone")


@contextmanager
def _studio() -> Iterator[Studio]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        directory, port = Path(folder), servers.free_port()
        url = f"sqlite:///{directory / 'screens.db'}"
        database = connect(url)
        schema.migrate(database)
        database.close()
        book = write_book(directory / "sms.toml", brands=("pechka", "zerno"))
        web = open_whole_web(directory, url, "", port=port, sms_file=book)
        server = make_server("127.0.0.1", port, web.application, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        binary = servers.chromium_binary()
        browser = playwright.chromium.launch(executable_path=binary, args=list(FLAGS))
        try:
            yield Studio(web, f"http://127.0.0.1:{port}", browser)
        finally:
            browser.close()
            server.shutdown()
            thread.join()
            server.server_close()
            web.database.close()


def _keep(png: bytes, name: str) -> int:
    """A picture of few colours, which these pages have."""
    return _save(Image.open(io.BytesIO(png)).convert("RGB"), name, COLOURS)


def _keep_small(png: bytes, name: str) -> int:
    """The console has so many pages that each is kept small, a long one by its beginning."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    width = min(picture.width, SCREEN[0]) if picture.width > 2 * PHONE[0] else PHONE[0]
    if width != picture.width:
        picture = picture.resize(
            (width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS
        )
    return _save(picture.crop((0, 0, width, min(picture.height, TALLEST))), name, FEW_COLOURS)


def _save(picture: Image.Image, name: str, colours: int) -> int:
    path = SCREENS / f"{name}.png"
    picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size


def main(wanted: list[str]) -> None:
    """The pictures whose names begin with one of ``wanted``, or all."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    of_guests = [name for name in SHOTS if not wanted or name.startswith(tuple(wanted))]
    total = _draw_guests(of_guests) if of_guests else 0
    of_console = [name for name in wanted if name.startswith("console")]
    if of_console or not wanted:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            total += draw(playwright, Path(folder), of_console, _keep_small)
    print(f"{total // 1024} KB in {SCREENS}")


def _draw_guests(wanted: list[str]) -> int:
    total = 0
    with _studio() as studio:
        for name in wanted:
            user_agent, shot = SHOTS[name]
            for language in LOCALES:
                for dark in (False, True) if name in DARK else (False,):
                    page = studio.page(user_agent, language, dark=dark)
                    shot(studio, page)
                    page.wait_for_load_state("networkidle")
                    full = f"{name}{'-dark' if dark else ''}-{language}"
                    covered = page.locator("dialog[open]").count()
                    total += _keep(page.screenshot(full_page=not covered), full)
                    page.context.close()
    return total


if __name__ == "__main__":
    for room in ROOMS_WITH_TABLES:
        import_module(f"app.{room}.tables")
    main(sys.argv[1:])
