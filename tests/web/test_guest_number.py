"""A card whose number was never proved becomes its guest's own, and one with the guest's other card."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.accounts import brands
from app.db import Database
from app.loyalty import consents
from app.loyalty.tables import enrolment, member
from tests.web.guests import Guest, World, open_world
from tests.web.test_guest_code import NUMBER, SPELT, count, enter
from tests.web.texting import a_book, newest_code, prove_numbers, sent


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return open_world(database, sms_book=a_book(tmp_path))


def number_page(guest: Guest, card: TestResponse) -> TestResponse:
    found = re.search(r'href="([^"]+/number/[^"]+)"', card.text)
    assert found, card.text
    return guest.get(unescape(found[1]))


def test_a_card_of_before_is_proved_and_stays_the_same_card(world: World) -> None:
    guest = world.phone()
    card = guest.join(world.cafe)
    assert "/number/" not in card.text  # the brand does not ask for numbers yet
    prove_numbers(world, world.cafe)
    card = guest.get(card.request.path)
    page = number_page(guest, card)
    assert "Make the card yours for good" in page.text
    assert guest.send(page, phone="12").status_code == 422
    asked = guest.send(page, phone=SPELT)
    assert (asked.status_code, [number for number, _ in sent(world)]) == (200, [NUMBER])
    assert guest.send(page, phone=SPELT).status_code == 200  # a second tap sends no second text
    assert len(sent(world)) == 1
    assert enter(guest, asked, "000000").status_code == 422
    proved = enter(guest, asked, newest_code(world))
    assert (proved.status_code, proved.location.partition("?")[0]) == (303, card.request.path)
    again = guest.get(proved.location)
    assert "/number/" not in again.text
    assert SPELT in guest.get(page.request.path).text
    with world.database.read() as tx:
        known = tx.execute(select(member.c.phone, member.c.phone_verified_at)).one()
    assert known.phone == NUMBER
    assert known.phone_verified_at == world.clock()


def test_two_cards_of_one_guest_become_one(world: World) -> None:
    old = world.phone()
    before = old.join(world.cafe, advertising="yes")
    prove_numbers(world, world.cafe)
    new = world.phone()
    code_page = new.send(new.scan(world.cafe), name="Анна", phone=SPELT, data="yes")
    card = enter(new, code_page, newest_code(world))
    assert (count(world), count(world, member)) == (2, 2)
    page = number_page(old, old.get(before.request.path))
    world.clock.forward(timedelta(minutes=2))
    asked = old.send(page, phone=SPELT)
    merged = enter(old, asked, newest_code(world))
    assert merged.location.partition("?")[0] == before.request.path  # the older card lives on
    with world.database.read() as tx:
        living = tx.scalars(select(enrolment.c.id).where(enrolment.c.ended_at.is_(None))).all()
        people = tx.scalars(select(member.c.id).where(member.c.removed_at.is_(None))).all()
        # A box that the other form left empty takes nothing back.
        assert consents.allowing(tx, people, "advertising") == set(people)
    assert (len(living), len(people)) == (1, 1)
    assert new.get(card.location).status_code == 410


def test_a_code_of_a_card_is_worth_nothing_to_another_card_or_a_form(world: World) -> None:
    guest, thief = world.phone(), world.phone()
    mine, theirs = guest.join(world.cafe), thief.join(world.cafe)
    prove_numbers(world, world.cafe)
    asked = guest.send(number_page(guest, guest.get(mine.request.path)), phone=SPELT)
    code = newest_code(world)
    other = thief.get(theirs.request.path)
    tried = thief.client.post(
        re.search(r'href="([^"]+/number/[^"]+)"', other.text)[1],  # type: ignore[index]
        data={"step": "check", "phone": NUMBER, "digits": code},
    )
    assert tried.status_code == 422
    form = thief.scan(world.cafe)
    assert thief.send(form, phone=SPELT, data="yes", step="check", digits=code).status_code == 422
    assert enter(guest, asked, code).status_code == 303


def test_a_brand_that_sends_no_codes_offers_nothing(world: World) -> None:
    guest = world.phone()
    card = guest.join(world.cafe)
    path = card.request.path.replace("/card/", "/number/")
    page = guest.get(path)
    assert page.status_code == 200
    assert "Nothing to do here" in page.text
    with world.database.read() as tx:
        assert brands.brand_by_slug(tx, "cafe").asks_phone == "no"
