"""What says one thing only: in the brand's colours and in either language, where it is known whose it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.db import Database
from app.loyalty import members
from app.loyalty.tables import enrolment
from app.places import links as install_links
from tests.web.guests import NOW, World, open_world

STYLE = re.compile(r'<link rel="stylesheet" href="(/i/[^/"]{2,}/design/[^"]+)">')


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def _taken(world: World) -> TestResponse:
    guest = world.phone()
    page = guest.scan(world.cafe)
    guest.send(page, data="yes")
    return guest.get(f"{page.request.path}?{page.request.query_string.decode()}")


def _retired(world: World) -> TestResponse:
    with world.database.write() as tx:
        install_links.retire_link(tx, world.cafe.link.id, now=NOW, actor="t")
    return world.phone().get(world.cafe.path)


def _removed(world: World) -> TestResponse:
    guest = world.phone()
    card = guest.join(world.cafe)
    with world.database.write() as tx:
        members.remove(tx, tx.execute(select(enrolment.c.member_id)).scalar_one(), now=NOW, actor="t")
    return guest.get(card.request.path)


def _expired(world: World) -> TestResponse:
    guest = world.phone()
    found = re.search(r'href="(/i/[^"]+[.]pkpass[^"]*)"', guest.join(world.cafe).text)
    assert found
    world.clock.forward(timedelta(hours=25))
    return guest.get(unescape(found[1]))


def _too_old(world: World) -> TestResponse:
    guest = world.phone()
    page = guest.scan(world.cafe)
    world.clock.forward(timedelta(days=8))
    return guest.send(page, data="yes")


def _lost(world: World) -> TestResponse:
    guest = world.phone()
    signed = guest.join(world.cafe).request.path
    return guest.get(signed.partition("~")[0])


@pytest.mark.parametrize(
    ("notice", "status", "says"),
    [
        (_taken, 200, "A card was made on this page"), (_retired, 410, "This link has ended"),
        (_removed, 410, "This link has ended"), (_expired, 410, "This download has expired"),
        (_too_old, 400, "This page is too old"), (_lost, 404, "The card is not on this device any more"),
    ],
)  # fmt: skip
def test_a_notice_wears_the_brands_colours_and_speaks_the_other_language_too(
    world: World, notice: Callable[[World], TestResponse], status: int, says: str
) -> None:
    page = notice(world)
    assert (page.status_code, says in page.text) == (status, True), page.text
    style, russian = STYLE.search(page.text), re.search(r'<a href="([^"]+)" lang="ru"', page.text)
    assert style
    assert russian
    guest = world.phone()
    assert "--card:" in guest.get(style[1]).text
    icon = re.search(r'<link rel="icon" href="([^"]+)"', page.text)
    assert icon
    assert guest.get(icon[1]).mimetype == "image/png"
    if page.request.method == "GET":
        again = guest.get(unescape(russian[1]))
        assert again.status_code == status
        assert '<html lang="ru">' in again.text
        assert 'class="alone of-brand"' in again.text


def test_an_address_that_was_made_up_stays_text(world: World) -> None:
    page = world.phone().get(f"{world.cafe.path}/pass/%22%3E%3Cb%3E.pkpass")
    assert page.status_code == 410
    assert "<b>" not in page.text
    assert "%22%3E%3Cb%3E.pkpass?lang=ru" in page.text


def test_where_nobody_knows_whose_it_is_a_notice_is_nobodys(world: World) -> None:
    page = world.phone().get("/i/nothing0")
    assert page.status_code == 404
    assert not STYLE.search(page.text)
    assert "hreflang" not in page.text
