"""QR codes that scan, pictures and stylesheets that may be kept, colours that can be read."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
import zxingcpp
from PIL import Image

from app.colours import contrast, parse_colour
from app.db import Database
from app.errors import NotFound
from app.passes.content import LocalizedText
from app.passes.layout import TierLook
from app.places import links as install_links
from app.web import card_face, qr
from app.web.guest_enrolling import newcomers_card
from app.web.guest_pages import STYLE, find_place
from tests.web.guests import NOW, World, open_world

pytestmark = pytest.mark.once  # pictures and codes are drawn the same whatever keeps their brand


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def read_qr(png: bytes) -> str:
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))
    return str(found.text)


def test_the_png_scans_as_the_public_address(world: World) -> None:
    answer = world.phone().get(f"{world.cafe.path}/qr.png")
    assert answer.mimetype == "image/png"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert read_qr(answer.data) == f"https://cards.example{world.cafe.path}"


def test_the_svg_draws_the_same_code(world: World) -> None:
    answer = world.phone().get(f"{world.cafe.path}/qr.svg?scale=4")
    assert answer.mimetype == "image/svg+xml"
    root = ET.fromstring(answer.text)
    size = Image.open(io.BytesIO(world.phone().get(f"{world.cafe.path}/qr.png?scale=4").data)).width
    assert root.attrib["width"] == root.attrib["height"] == str(size)


def test_the_scale_is_bounded(world: World) -> None:
    guest = world.phone()
    small, large = (
        Image.open(io.BytesIO(guest.get(f"{world.cafe.path}/qr.png?scale={scale}").data)).width
        for scale in (qr.MIN_SCALE, qr.MAX_SCALE)
    )
    assert large == small * qr.MAX_SCALE
    for scale in ("0", "41", "-1", "9999999999", "1.5", "x", ""):
        assert guest.get(f"{world.cafe.path}/qr.png?scale={scale}").status_code == 400


def test_a_code_of_no_use_is_not_printed(world: World) -> None:
    guest = world.phone()
    assert guest.get("/i/zzzzzzzz/qr.png").status_code == 404
    with world.database.write() as tx:
        install_links.retire_link(tx, world.cafe.link.id, now=NOW, actor="test")
    assert guest.get(f"{world.cafe.path}/qr.svg").status_code == 410


def test_pictures_and_stylesheets_may_be_kept_for_ever(world: World) -> None:
    guest = world.phone()
    page = guest.scan(world.cafe)
    addresses = set(re.findall(r'(?:href|src)="(/i/[^"]+\.(?:css|png))"', page.text))
    assert len(addresses) == 5
    for address in addresses:
        answer = guest.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["design/{other}/icon.png", "design/99/icon.png", "design/{own}/pass.json"])
def test_only_the_programmes_own_pictures_are_served(world: World, path: str) -> None:
    asked = path.format(own=world.cafe.design.id, other=world.bakery.design.id)
    assert world.phone().get(f"{world.cafe.path}/{asked}").status_code == 404


def test_pictures_of_a_language_come_before_the_common_one(world: World) -> None:
    own = {"ru.lproj/strip.png": b"", "ru.lproj/strip@2x.png": b""}
    design = replace(world.cafe.design, files=dict(world.cafe.design.files) | own)
    with world.database.read() as tx, world.app.test_request_context("/"):
        content = newcomers_card(tx, find_place(tx, world.cafe.link.code))
    russian = card_face.draw(design, content, "ru", files_at="/f")
    english = card_face.draw(design, content, "en", files_at="/f")
    assert russian.strip is not None
    assert english.strip is not None
    assert russian.strip.srcset == "/f/ru.lproj/strip.png 1x, /f/ru.lproj/strip@2x.png 2x"
    assert english.strip.src == "/f/strip.png"


def test_a_tiers_own_strip_and_colours_are_drawn(world: World) -> None:
    tier = TierLook(
        name=LocalizedText("Гость", "Guest"), folder="tiers/1/", colours={"backgroundColor": "rgb(1, 2, 3)"}
    )
    design = replace(
        world.cafe.design,
        files=dict(world.cafe.design.files) | {"tiers/1/strip.png": b"", "tiers/1/strip@2x.png": b""},
        layout=replace(world.cafe.design.layout, tiers=(tier,)),
    )
    with world.database.read() as tx, world.app.test_request_context("/"):
        content = newcomers_card(tx, find_place(tx, world.cafe.link.code))
    face = card_face.draw(design, content, "en", files_at="/f")
    assert face.strip is not None
    assert face.strip.srcset == "/f/tiers/1/strip.png 1x, /f/tiers/1/strip@2x.png 2x"
    assert face.stylesheet == "/f/card-1.css"
    assert "--card:#010203" in card_face.stylesheet(design, 1)
    assert "--card:#261c16" in card_face.stylesheet(design, 0)
    with pytest.raises(NotFound):
        card_face.stylesheet(design, 2)
    at = f"{world.cafe.path}/design/{world.cafe.design.id}"
    assert world.phone().get(f"{at}/card-0.css").text == world.phone().get(f"{at}/card.css").text
    assert world.phone().get(f"{at}/card-7.css").status_code == 404


@pytest.mark.parametrize(
    ("words", "colour"),
    [
        ("rgb(1, 2, 3)", (1, 2, 3)), ("rgb(999,0,0)", None), ("#0a0B0c", (10, 11, 12)),
        ("red", None), ("rgb(1,2)", None), ("}body{display:none", None), ("#12345g", None), (None, None),
    ],
)  # fmt: skip
def test_only_colours_reach_the_stylesheet(words: object, colour: tuple[int, int, int] | None) -> None:
    assert parse_colour(words) == colour


def test_contrast_is_counted_as_wcag_counts_it() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


def test_buttons_can_be_read_whatever_the_brands_colours(world: World) -> None:
    for shop in (world.cafe, world.bakery):
        style = world.phone().get(f"{shop.path}/design/{shop.design.id}/card.css").text
        for theme, page in (("light", (246, 246, 244)), ("dark", (18, 18, 17))):
            found = re.search(rf"scheme:{theme}\){{:root{{--accent:(#\w+);--on-accent:(#\w+)", style)
            assert found, style
            accent, ink = parse_colour(found[1]), parse_colour(found[2])
            assert accent
            assert ink
            assert contrast(accent, page) >= 3
            assert contrast(accent, ink) >= 4.5


def test_the_pages_own_colours_can_be_read() -> None:
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w+)", part)) for part in STYLE.decode().split("@media", 2)[:2]
    )

    def colour(theme: dict[str, str], name: str) -> tuple[int, int, int]:
        words = theme[name]
        found = parse_colour(words if len(words) == 7 else "#" + "".join(c * 2 for c in words[1:]))
        assert found
        return found

    for theme in (light, dark):
        for ink, ground in (("ink", "ground"), ("soft", "ground"), ("ink", "sheet"), ("wrong", "ground"),
                            ("wrong", "wrong-ground"), ("on-accent", "accent")):  # fmt: skip
            assert contrast(colour(theme, ink), colour(theme, ground)) >= 4.5, (ink, ground)
        assert contrast(colour(theme, "line"), colour(theme, "ground")) >= 3
        assert contrast(colour(theme, "focus"), colour(theme, "ground")) >= 3
