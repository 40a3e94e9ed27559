"""The form by device and brand: a number where one is asked for, ways out of apps, hand-over, and crowds."""

from __future__ import annotations

import asyncio
import io
import re
import threading
from dataclasses import replace
from html import unescape
from pathlib import Path

import httpx
import pytest
import zxingcpp
from limits import RateLimitItemPerMinute
from PIL import Image
from sqlalchemy import func, select
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from app.accounts import brands
from app.db import Database
from app.loyalty.tables import consent, enrolment, member
from app.places.tables import visit, visit_event
from app.simulators.guest_browser import Guest as Visitor
from app.simulators.guest_browser import fetch_pass
from app.web import phone_masks, qr
from app.web.guest_form import phone_country, region
from app.web.guest_limits import GuestLimits
from tests.web.guests import ANDROID, DESKTOP, NOW, Shop, World, open_world
from tests.web.user_agents import APPS, BROWSERS


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def ask_phone(world: World, shop: Shop, how: str) -> None:
    with world.database.write() as tx:
        draft = replace(shop.brand.draft(), asks_phone=how)
        brands.update_brand(tx, shop.brand.id, draft, now=NOW, actor="test")


def steps(world: World) -> list[str]:
    with world.database.read() as tx:
        return sorted(tx.execute(select(visit_event.c.kind)).scalars())


def count(world: World) -> int:
    with world.database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(enrolment)).scalar_one())


def address_of(page: TestResponse) -> str:
    return f"{page.request.path}?{page.request.query_string.decode()}"


def test_no_number_is_asked_where_the_brand_asks_for_none(world: World) -> None:
    page = world.phone().scan(world.cafe)
    assert 'type="tel"' not in page.text
    assert page.text.count("<script") == 1
    world.phone().send(page, data="yes", phone="+7 912 345-67-89")
    with world.database.read() as tx:
        assert tx.execute(select(member.c.phone)).scalar_one() is None


@pytest.mark.parametrize(("how", "left_out"), [("optional", 303), ("needed", 422)])
def test_a_number_is_asked_kept_in_one_spelling_and_named_in_the_consent(
    world: World, how: str, left_out: int
) -> None:
    ask_phone(world, world.cafe, how)
    guest = world.phone(language="ru")
    page = guest.scan(world.cafe)
    field = page.text.split('id="phone"')[1].split(">")[0]
    assert ("required" in field) == (how == "needed")
    assert 'placeholder="+7 912 345-67-89"' in field
    assert 'data-code="7" data-trunk="8"' in field
    assert page.text.count("<script") == 2
    assert guest.send(world.phone(language="ru").scan(world.cafe), data="yes").status_code == left_out
    assert guest.send(page, data="yes", phone="8 (912) 345-67-89").status_code == 303
    with world.database.read() as tx:
        assert "+79123456789" in set(tx.execute(select(member.c.phone)).scalars())
        said = tx.execute(select(consent.c.text).where(consent.c.purpose == "data")).scalars().first()
    assert said is not None
    assert "номер телефона" in said


def test_a_number_that_is_none_is_told_beside_its_field_and_stays_there(world: World) -> None:
    ask_phone(world, world.cafe, "needed")
    guest = world.phone()
    back = guest.send(guest.scan(world.cafe), data="yes", name="Anna", phone="8 912 345")
    assert back.status_code == 422
    assert "This does not look like a mobile number yet" in back.text
    assert 'id="phone-wrong"' in back.text
    assert 'value="8 912 345"' in back.text
    assert count(world) == 0


@pytest.mark.parametrize(
    ("time_zone", "country", "code"),
    [
        ("Europe/Moscow", "RU", "7"), ("Asia/Tashkent", "UZ", "998"), ("America/New_York", "US", "1"),
        ("Europe/London", "GB", "44"), ("UTC", "RU", "7"), ("Etc/GMT+3", "RU", "7"),
    ],
)  # fmt: skip
def test_a_number_without_its_country_is_of_the_brands_own(time_zone: str, country: str, code: str) -> None:
    assert region(time_zone) == country
    assert phone_country(country).calling_code == code


def test_the_script_groups_numbers_as_every_country_does() -> None:
    script = phone_masks.SCRIPT.read_text(encoding="utf-8")
    assert phone_masks.with_masks(script) == script, "make it anew: python -m app.web.phone_masks"
    assert ";7=10:3 3-2-2;" in script
    assert ";998=9:2 3 2 2" in script


def test_a_guest_in_an_apps_window_is_helped_out_of_it_and_counted(world: World) -> None:
    lost = [known for known in APPS + BROWSERS if not known.keeps_cards]
    for seen, known in enumerate(lost, start=1):
        page = world.phone(known.user_agent).scan(world.cafe)
        assert steps(world) == sorted(["in_app", "page", "scan"] * seen), known.name
        way_out = page.text.split('id="way-out"')[1].split("</section>")[0]
        here = f"https://cards.example{address_of(page)}"
        assert f'value="{here.replace("&", "&amp;")}"' in way_out
        assert (known.app in way_out) or not known.app
        safari = re.search(r'href="x-safari-([^"]+)"', way_out)
        assert (unescape(safari[1]) if safari else "") == (here if known.kind == "iphone" else ""), known.name
        assert world.phone().get(address_of(page)).status_code == 200  # Safari: the same visit


def test_a_guest_in_a_browser_that_keeps_cards_is_left_in_peace(world: World) -> None:
    for known in BROWSERS:
        if known.keeps_cards:
            assert 'id="way-out"' not in world.phone(known.user_agent).scan(world.cafe).text, known.name
    assert "in_app" not in steps(world)


def test_a_form_sent_from_an_apps_window_tells_so_though_its_pixel_was_not_loaded(world: World) -> None:
    guest = world.phone(APPS[0].user_agent)
    guest.send(guest.client.get(world.cafe.path, follow_redirects=True), data="yes")
    assert steps(world) == ["form", "in_app", "page", "scan"]


def test_the_phone_goes_on_with_the_visit_that_a_desktop_began(world: World) -> None:
    page = world.phone(DESKTOP).scan(world.cafe)
    assert 'class="qr"' in page.text
    here = f"https://cards.example{address_of(page)}"
    assert qr.inline_svg(here) in page.text
    (read,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(qr.png(here, scale=3))))
    phone = world.phone(ANDROID)
    shown = phone.get(read.text.removeprefix("https://cards.example"))
    phone.get(re.findall(r'src="([^"]+/seen/[^"]+)"', shown.text)[0])
    assert 'class="qr"' not in shown.text
    assert phone.send(shown, data="yes").status_code == 303
    assert steps(world) == ["form", "page", "scan"]
    with world.database.read() as tx:
        assert tx.execute(select(visit.c.device_kind)).scalar_one() == "desktop"
        assert (
            tx.execute(select(enrolment.c.visit_id)).scalar_one() == tx.execute(select(visit.c.id)).scalar()
        )


def test_a_form_that_a_crowd_keeps_out_comes_back_as_it_was_filled(database: Database) -> None:
    world = open_world(database, limits=GuestLimits("memory://", forms=(RateLimitItemPerMinute(1),)))
    guest = world.phone()
    page = guest.scan(world.cafe)
    guest.send(page)
    back = guest.send(page, data="yes", name="Анна", advertising="yes")
    assert back.status_code == 429
    assert 1 <= int(back.headers["Retry-After"]) <= 60
    assert "What you wrote is still here" in back.text
    assert 'value="Анна"' in back.text
    assert back.text.count(" checked") == 2
    assert "aria-invalid" not in back.text
    assert count(world) == 0
    assert world.phone(address="127.0.0.2").send(back, data="yes", name="Анна").status_code == 303
    # Who has no form to come back to is told the same.
    assert guest.client.post(world.cafe.path, data={"form": "?"}).status_code == 429


@pytest.mark.parametrize("user_agent", [DESKTOP, APPS[0].user_agent], ids=["desktop", "in an app"])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_page_with_all_that_it_loads_is_under_30_kb(world: World, user_agent: str, language: str) -> None:
    ask_phone(world, world.cafe, "needed")
    guest = world.phone(user_agent, language)
    page = guest.scan(world.cafe)
    parts = re.findall(r'(?:href|src)="(/i/[^"]+\.(?:css|js))"', page.text)
    assert len(parts) == 4
    files = [guest.get(part) for part in parts]
    assert all(file.status_code == 200 and "immutable" in file.headers["Cache-Control"] for file in files)
    assert len(page.data) + sum(len(file.data) for file in files) < 30_000


def test_the_pages_scripts_ask_nobody_else_and_write_no_markup_of_their_own() -> None:
    for name in ("guest.js", "phone.js"):
        script = (Path(phone_masks.__file__).parent / "static" / name).read_text(encoding="utf-8")
        assert "://" not in script
        assert "eval" not in script
        assert "document.write" not in script


def test_the_sandboxs_guest_gives_a_number_where_one_is_needed(database: Database, free_port: int) -> None:
    world = open_world(database, public_url=f"http://127.0.0.1:{free_port}")
    ask_phone(world, world.cafe, "needed")
    server = make_server("127.0.0.1", free_port, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    async def walk() -> bytes:
        async with httpx.AsyncClient() as client:
            return await fetch_pass(
                client, f"{world.services.public_url}{world.cafe.path}", Visitor(name="A")
            )

    try:
        assert asyncio.run(walk()) == b"PK a pass"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    with world.database.read() as tx:
        assert tx.execute(select(member.c.phone)).scalar_one() == "+79000000000"
