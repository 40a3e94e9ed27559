"""The card's page as an app: its editions, its manifest, icon and worker, and what nobody else is told."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from app.db import Database
from app.loyalty import members
from app.passes import issuing
from app.passes.content import MOST_MESSAGES, LocalizedText, Message, PassContent
from app.passes.issuing import Revision
from tests.web.guests import ANDROID, DESKTOP, IPHONE, NOW, Guest, World, open_world
from tests.web.test_guest_card import the_enrolment

MOST_PAGE = 30_000
"""Bytes: over a mobile network in a basement this is a second."""


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def script_data(page: TestResponse) -> dict[str, str]:
    found = re.search(r"<script [^>]*>", page.text)
    assert found, page.text
    return {name: unescape(words) for name, words in re.findall(r'data-(\w+)="([^"]*)"', found[0])}


def again(guest: Guest, page: TestResponse) -> TestResponse:
    """What the page asks while it is open."""
    return guest.get(page.request.full_path.rstrip("?"), If_None_Match=page.headers["ETag"])


def receive(world: World, balance: int, number: int = 1) -> None:
    told = Message(LocalizedText(f"Чек {number}", f"Receipt {number}"), NOW, f"receipt:{number}")

    def after(content: PassContent) -> PassContent:
        return replace(content, balance=balance, messages=(told, *content.messages)[:MOST_MESSAGES])

    with world.database.write() as tx:
        change = Revision(the_enrolment(world).pass_id, after)
        issuing.revise(tx, [change], kind="receipt", now=NOW)


@pytest.mark.parametrize("user_agent", [ANDROID, DESKTOP, IPHONE])
def test_who_has_the_page_is_told_that_nothing_changed(world: World, user_agent: str) -> None:
    guest = world.phone(user_agent)
    page = guest.join(world.cafe)
    assert page.headers["Cache-Control"] == "private, no-cache"
    answer = again(guest, page)
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == page.headers["ETag"] == script_data(page)["edition"]
    for header in ("Cache-Control", "Content-Security-Policy"):  # browsers take a 304's over
        assert answer.headers[header] == page.headers[header]
    assert answer.headers["Vary"] == page.headers["Vary"]


def test_whatever_changes_on_the_card_changes_the_page(world: World) -> None:
    guest = world.phone(ANDROID)
    page = guest.join(world.cafe)
    receive(world, 777_00)
    changed = again(guest, page)
    assert changed.status_code == 200
    assert "777" in changed.text
    assert "Receipt 1" in changed.text
    assert again(guest, changed).status_code == 304


def test_a_page_left_open_is_renewed_before_its_download_expires(world: World) -> None:
    guest = world.phone(ANDROID)
    page = guest.join(world.cafe)
    world.clock.forward(timedelta(hours=13))
    renewed = again(guest, page)
    assert renewed.status_code == 200
    world.clock.forward(timedelta(hours=11, minutes=30))
    download = re.search(r'href="(/i/[^"]+\.pkpass[^"]*)"', renewed.text)
    assert download
    assert guest.get(unescape(download[1])).status_code == 200


def test_an_edition_is_one_of_a_device_and_a_language(world: World) -> None:
    guest = world.phone(ANDROID)
    page = guest.join(world.cafe)
    path = page.request.path
    edition = guest.get(path).headers["ETag"]
    assert guest.get(path, If_None_Match=edition).status_code == 304
    assert guest.get(path + "?lang=ru", If_None_Match=edition).status_code == 200
    assert world.phone(ANDROID, "ru").get(path, If_None_Match=edition).status_code == 200
    assert world.phone(IPHONE).get(path, If_None_Match=edition).status_code == 200


@pytest.mark.parametrize("end", ["removed", "revoked"])
def test_an_ended_link_says_so_to_who_holds_the_page(world: World, end: str) -> None:
    guest = world.phone(ANDROID)
    page = guest.join(world.cafe)
    with world.database.write() as tx:
        if end == "removed":
            members.remove(tx, the_enrolment(world).member_id, now=NOW, actor="test")
        else:
            members.revoke_card_link(tx, the_enrolment(world).id, now=NOW, actor="test")
    answer = again(guest, page)
    assert answer.status_code == 410
    assert answer.headers["Cache-Control"] == "no-store"
    assert "This link has ended" in answer.text


def test_the_last_five_messages_are_told_newest_first_in_the_brands_time(world: World) -> None:
    guest = world.phone(ANDROID, "ru")
    page = guest.join(world.cafe)
    for number in range(1, 8):
        receive(world, number * 100_00, number)
    text = guest.get(page.request.path).text
    assert re.findall(r"Чек \d", text) == ["Чек 7", "Чек 6", "Чек 5", "Чек 4", "Чек 3"]
    assert text.count('<time datetime="2026-07-01T09:30:00+00:00">1 июля, 12:30</time>') == 5
    assert "Receipt 7" in guest.get(page.request.path + "?lang=en").text


@pytest.mark.once
@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("user_agent", [ANDROID, DESKTOP, IPHONE])
def test_the_page_stays_small(world: World, user_agent: str, language: str) -> None:
    for shop in (world.cafe, world.bakery):
        guest = world.phone(user_agent, language)
        page = guest.join(shop, name="Александра Константинопольская-Преображенская")
        assert len(page.data) < MOST_PAGE


@pytest.mark.once
def test_the_policy_lets_in_nothing_inline_and_nothing_from_elsewhere(world: World) -> None:
    page = world.phone(ANDROID).join(world.cafe)
    policy = dict(
        part.strip().partition(" ")[::2] for part in page.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    allowed = {words for name, words in policy.items() if name not in ("default-src", "base-uri")}
    assert allowed == {"'self'", "'none'"}
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"<script(?![^>]* src=)| on\w+=| style=", page.text)
    assert not re.search(r'(?:src|href)="https?://(?!zerno\.example)', page.text)


@pytest.mark.once
def test_the_card_is_offered_to_pass_apps_on_android_alone(world: World) -> None:
    guest = world.phone(ANDROID)
    page = guest.join(world.cafe)
    offer = re.search(r'<details class="apps">.*?</details>', page.text, re.DOTALL)
    assert offer
    address = re.search(r'href="([^"]+\.pkpass[^"]*)"', offer[0])
    assert address
    answer = guest.get(unescape(address[1]))
    assert (answer.status_code, answer.mimetype) == (200, "application/vnd.apple.pkpass")
    for other in (IPHONE, DESKTOP):
        assert 'class="apps"' not in world.phone(other).get(page.request.path).text


# The home screen


@pytest.mark.once
@pytest.mark.parametrize(
    ("language", "programme"), [("ru", "Карта гостя «Зерна»"), ("en", "Zerno guest card")]
)
def test_the_manifest_is_the_brands_and_tells_no_secret(world: World, language: str, programme: str) -> None:
    guest = world.phone(ANDROID, language)
    page = guest.join(world.cafe)
    data = script_data(page)
    answer = world.phone(ANDROID, "de").get(data["manifest"])
    assert answer.mimetype == "application/manifest+json"
    manifest = json.loads(answer.data)
    assert manifest["name"] == f"Кофейня «Зерно»: {programme}"
    assert manifest["short_name"] == "Кофейня «Зерно»"
    assert (manifest["lang"], manifest["display"]) == (language, "standalone")
    assert manifest["theme_color"] == manifest["background_color"] == "#261c16"
    assert manifest["scope"] == manifest["id"] == data["home"]
    assert manifest["start_url"] == f"{data['home']}?lang={language}"
    token = page.request.path.rpartition("/")[2]
    assert token.startswith(data["home"].rpartition("/")[2] + "~")
    signature = token.partition("~")[2]
    assert signature not in answer.text + data["manifest"]
    for icon in manifest["icons"]:
        picture = guest.get(icon["src"])
        assert picture.mimetype == "image/png"
        with Image.open(io.BytesIO(picture.data)) as image:
            assert f"{image.width}x{image.height}" == icon["sizes"]
            assert image.getpixel((0, 0)) == image.getpixel((image.width - 1, image.height - 1))
    assert {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]} == {
        (size, purpose) for size in ("192x192", "512x512") for purpose in ("any", "maskable")
    }


@pytest.mark.once
def test_safari_gets_no_manifest_since_its_home_screen_keeps_the_pages_own_address(world: World) -> None:
    assert script_data(world.phone(IPHONE).join(world.cafe))["manifest"] == ""


def test_the_home_opens_no_card_by_itself(world: World) -> None:
    guest = world.phone(ANDROID)
    page = guest.join(world.cafe, name="Анна")
    answer = guest.get(script_data(page)["home"])
    assert answer.status_code == 404
    assert "not on this device any more" in answer.text
    assert "Анна" not in answer.text
    assert the_enrolment(world).card_code not in answer.text


@pytest.mark.once
@pytest.mark.parametrize("made_up", ["x.webmanifest", "1.webmanifest", "1.1~x.webmanifest", ".webmanifest"])
def test_a_made_up_manifest_is_none(world: World, made_up: str) -> None:
    assert world.phone(ANDROID).get(f"{world.cafe.path}/card/{made_up}").status_code == 404


@pytest.mark.once
def test_an_icon_has_one_of_two_sizes(world: World) -> None:
    path = f"{world.cafe.path}/design/{world.cafe.design.id}/app"
    guest = world.phone(ANDROID)
    assert guest.get(f"{path}-192.png").status_code == 200
    assert guest.get(f"{path}-4000.png").status_code == 404
    other = f"{world.cafe.path}/design/{world.bakery.design.id}/app-192.png"
    assert guest.get(other).status_code == 404


@pytest.mark.once
def test_the_workers_scope_is_the_cards_own_path(world: World) -> None:
    page = world.phone(ANDROID).join(world.cafe)
    data = script_data(page)
    answer = world.phone(ANDROID).get(data["worker"])
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "Service-Worker-Allowed" not in answer.headers  # its own directory is enough
    directory = data["worker"].rpartition("/")[0] + "/"
    assert data["home"].startswith(directory)
    assert page.request.path.startswith(data["home"] + "~")
