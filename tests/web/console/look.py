"""Pictures of the console: ``python -m tests.web.console.look OUT /console/cafe/people [--role owner]``.

Each page at 390 and 1280 pixels, in both languages, light and dark; ``--only phone-en-light`` for fewer. The
brands are those of the tests, on SQLite; ``--prepare module:function`` is called with the open house before.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
from importlib import import_module
from itertools import product
from pathlib import Path

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from app.accounts import sessions, users
from app.db import connect, schema
from tests import servers
from tests.conftest import ROOMS_WITH_TABLES
from tests.web.console.house import SAFARI, House, open_house

SIZES = {"phone": (390, 844), "desktop": (1280, 860)}
FLAGS = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb")


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("pages", nargs="+")
    parser.add_argument("--role", default="owner", help="owner, marketer, manager, cashier, operator, nobody")
    parser.add_argument("--brand", default="cafe")
    parser.add_argument("--only", default="", help="parts of the names to keep, with commas: phone-en,dark")
    parser.add_argument("--prepare", default="")
    given = parser.parse_args()
    for room in ROOMS_WITH_TABLES:
        import_module(f"app.{room}.tables")
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        database = connect(f"sqlite:///{directory}/look.db")
        schema.migrate(database)
        port = servers.free_port()
        house = open_house(database, public_url=f"http://127.0.0.1:{port}")
        if given.prepare:
            module, _, name = given.prepare.partition(":")
            getattr(import_module(module), name)(house)
        server = make_server("127.0.0.1", port, house.application, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            _take(house, given)
        finally:
            server.shutdown()


def _take(house: House, given: argparse.Namespace) -> None:
    origin = house.services.public_url
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=servers.chromium_binary(), args=list(FLAGS))
        for (size, (width, height)), language, scheme in product(
            SIZES.items(), ("en", "ru"), ("light", "dark")
        ):
            name = f"{size}-{language}-{scheme}"
            if given.only and not any(part in name for part in given.only.split(",")):
                continue
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme,  # type: ignore[arg-type]
                locale={"en": "en-GB", "ru": "ru-RU"}[language], base_url=origin, device_scale_factor=1,
                user_agent=SAFARI if size == "phone" else None,
            )  # fmt: skip
            if given.role != "nobody":
                context.add_cookies([sign_in_cookie(house, given.role, given.brand, language)])  # type: ignore[list-item]
            page = context.new_page()
            for address in given.pages:
                page.goto(address)
                page.wait_for_load_state("networkidle")
                words = address.strip("/").removeprefix("console/").replace("/", "-").partition("?")[0]
                page.screenshot(path=given.out / f"{words or 'start'}-{name}.png", full_page=True)
            context.close()
        browser.close()


def sign_in_cookie(house: House, role: str, brand: str, language: str = "en") -> dict[str, str]:
    """A cookie for Playwright's ``context.add_cookies``: signed in as whoever has the role."""
    user = house.operator if role == "operator" else house.team[brand, role]  # type: ignore[index]
    with house.database.write() as tx:
        users.set_language(tx, user.id, language)  # type: ignore[arg-type]
        _, token = sessions.begin(tx, user, user_agent=SAFARI, now=house.clock())
    cookies = house.console.door.cookies
    return {"name": cookies.name, "value": cookies.signed(token), "url": house.services.public_url}


if __name__ == "__main__":
    main()
