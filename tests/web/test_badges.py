"""The wallets' own artwork: used as it is where the operator put it, refused where it could do anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from app.db import Database
from app.errors import BadInput
from app.web import badges
from app.web.guest import guest_blueprint
from app.web.language import init_languages
from tests.web.guests import IPHONE, Guest, World, open_world

PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    b' viewBox="0 0 110.7 35">'
    b'<style>.a{fill:url(#b)}</style><linearGradient id="b"/><path class="a" d="M0 0h110v35H0z"/>'
    b'<use xlink:href="#b"/></svg>'
)


def guest_of(world: World, directory: Path, language: str = "ru") -> Guest:
    """A guest of the same cafe, whose operator has put artwork into ``directory``."""
    app = Flask("tests.web.test_badges", static_folder=None)
    init_languages(app)
    app.register_blueprint(guest_blueprint(replace(world.services, badges_dir=directory)))
    client = app.test_client(use_cookies=False)
    client.environ_base.update(HTTP_USER_AGENT=IPHONE, HTTP_ACCEPT_LANGUAGE=language)
    return Guest(client)


def test_the_artwork_is_shown_in_its_own_language_and_a_plain_button_in_the_other(
    database: Database, tmp_path: Path
) -> None:
    badges.path_of(tmp_path, "apple", "ru").write_bytes(PICTURE)
    badges.path_of(tmp_path, "apple", "ru", dark=True).write_bytes(PICTURE.replace(b"35H0", b"34H0"))
    world = open_world(database)
    page = guest_of(world, tmp_path).join(world.cafe)
    assert 'class="badge"' in page.text
    assert 'class="apple"' not in page.text
    assert 'alt="Добавить в Apple Wallet" width="152" height="48"' in page.text
    assert '<source media="(prefers-color-scheme: dark)"' in page.text
    address = page.text.split('<img src="/i/-/badge-')[1].split('"')[0]
    file = guest_of(world, tmp_path).get(f"/i/-/badge-{address}")
    assert (file.status_code, file.mimetype, file.data) == (200, "image/svg+xml", PICTURE)
    assert "immutable" in file.headers["Cache-Control"]
    assert "sandbox" in file.headers["Content-Security-Policy"]
    english = guest_of(world, tmp_path, "en").join(world.cafe)
    assert 'class="badge"' not in english.text
    assert 'class="apple"' in english.text


def test_without_artwork_or_with_a_file_of_no_use_the_plain_button_is_shown(
    database: Database, tmp_path: Path
) -> None:
    badges.path_of(tmp_path, "apple", "ru").write_bytes(b"<html>not found</html>")
    world = open_world(database)
    guest = guest_of(world, tmp_path)
    assert 'class="apple"' in guest.join(world.cafe).text
    assert guest.get("/i/-/badge-000000000000.svg").status_code == 404
    assert 'class="apple"' in world.phone().join(world.cafe).text


@pytest.mark.parametrize(
    "spoilt",
    [
        b"", b"<html/>", b"\x89PNG", PICTURE.replace(b"<path", b"<script/><path"),
        PICTURE.replace(b"<path", b'<path onload="x()"'), PICTURE.replace(b'"#b"', b'"https://a.example/b"'),
        PICTURE.replace(b"url(#b)", b"url(https://a.example)"), PICTURE.replace(b"110.7 35", b"0 0"),
        PICTURE.replace(b'viewBox="0 0 110.7 35"', b""), PICTURE.replace(b"<path", b"<foreignObject/><path"),
        b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + PICTURE, PICTURE + b" " * badges.LARGEST,
    ],
)  # fmt: skip
def test_what_is_no_plain_picture_is_refused(spoilt: bytes) -> None:
    with pytest.raises(BadInput):
        badges.checked_artwork(spoilt)


def test_a_pictures_size_is_told_by_its_box_or_its_sides() -> None:
    assert badges.checked_artwork(PICTURE).width == 152
    sides = PICTURE.replace(b'viewBox="0 0 110.7 35"', b'width="96px" height="48"')
    assert badges.checked_artwork(sides).width == 96
