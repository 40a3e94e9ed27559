"""The page where a number is proved: one code, one card, and no word about who is a member."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.accounts.brands import ASKS_PHONE
from app.accounts.tables import brand
from app.db import Database
from app.delivery.tables import text_message
from app.loyalty.tables import consent, enrolment, member, phone_code
from app.places.tables import visit_event
from app.sms.encoding import measure
from app.web.code_text import bound_line, code_text
from tests.web.guests import ANDROID, Guest, World, form_fields, open_world
from tests.web.texting import a_book, newest_code, prove_numbers, sent

NUMBER, SPELT = "+79123456789", "+7 912 345-67-89"
FILLED = {"name": "Анна", "phone": "8 912 345-67-89", "data": "yes"}


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    made = open_world(database, sms_book=a_book(tmp_path))
    prove_numbers(made, made.cafe, made.bakery)
    return made


def count(world: World, of: object = enrolment) -> int:
    with world.database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(of)).scalar_one())  # type: ignore[arg-type]


def asked(world: World, language: str = "en", **words: str) -> tuple[Guest, TestResponse]:
    """A guest and the page that asks for their code."""
    guest = world.phone(language=language)
    page = guest.send(guest.scan(world.cafe), **(FILLED | words))
    return guest, page


def enter(guest: Guest, page: TestResponse, digits: str) -> TestResponse:
    return guest.send(page, step="check", digits=digits)


def test_a_form_leads_to_the_code_and_the_code_to_the_card(world: World) -> None:
    guest, page = asked(world, "ru", advertising="yes")
    assert page.status_code == 200
    assert SPELT in page.text
    field = page.text.split('id="digits"')[1].split(">")[0]
    assert 'autocomplete="one-time-code"' in field
    assert 'inputmode="numeric"' in field
    assert (count(world), count(world, member)) == (0, 0)
    ((number, words),) = sent(world)
    assert number == NUMBER
    code = newest_code(world)
    assert words.endswith(f"\n@cards.example #{code}")
    assert "код" in words
    card = enter(guest, page, f" {code[:3]} {code[3:]} ")
    assert card.status_code == 303
    assert "/card/" in card.location
    assert guest.get(card.location).status_code == 200
    with world.database.read() as tx:
        known = tx.execute(select(member.c.name, member.c.phone, member.c.phone_verified_at)).one()
        agreed = dict(tx.execute(select(consent.c.purpose, consent.c.granted)).all())
        said = tx.execute(select(consent.c.text).where(consent.c.purpose == "advertising")).scalar_one()
        steps = sorted(tx.execute(select(visit_event.c.kind)).scalars())
    assert (known.name, known.phone) == ("Анна", NUMBER)
    assert known.phone_verified_at is not None
    assert agreed == {"data": True, "advertising": True}
    assert "SMS" in said
    assert steps == ["code", "form", "page", "scan"]


def test_nothing_of_the_form_is_kept_before_the_code(world: World) -> None:
    asked(world, name="Надежда Константиновна")
    with world.database.read() as tx:
        kept = tx.execute(select(phone_code)).mappings().one()
    assert "Надежда" not in repr(kept)
    assert kept["number"] == NUMBER  # what the bounds are counted by, for two days


def test_a_wrong_code_is_told_and_the_right_one_still_works(world: World) -> None:
    guest, page = asked(world)
    right = newest_code(world)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    back = enter(guest, page, wrong)
    assert back.status_code == 422
    assert "This is not the code." in back.text
    assert 'aria-describedby="digits-wrong"' in back.text
    assert count(world) == 0
    assert enter(guest, back, right).status_code == 303


def test_after_five_wrong_tries_the_right_code_is_over_too(world: World) -> None:
    guest, page = asked(world)
    right = newest_code(world)
    for step in range(1, 6):
        page = enter(guest, page, f"{(int(right) + step) % 10**6:06}")
    assert "does not work any more" in page.text
    assert "does not work any more" in enter(guest, page, right).text
    assert count(world) == 0
    page = guest.send(page, step="again")  # at once: there is nothing to wait for
    assert len(sent(world)) == 2
    assert enter(guest, page, newest_code(world)).status_code == 303


def test_a_code_is_over_after_five_minutes(world: World) -> None:
    guest, page = asked(world)
    world.clock.forward(timedelta(minutes=5, seconds=1))
    assert "does not work any more" in enter(guest, page, newest_code(world)).text
    assert count(world) == 0


def test_the_same_form_twice_sends_one_text_and_another_only_after_a_pause(world: World) -> None:
    guest = world.phone()
    page = guest.scan(world.cafe)
    for _ in range(2):
        shown = guest.send(page, **FILLED)
        assert shown.status_code == 200
    assert len(sent(world)) == 1
    early = guest.send(shown, step="again")
    assert "A code was sent a moment ago" in early.text
    assert len(sent(world)) == 1
    world.clock.forward(timedelta(seconds=20))
    assert 'data-rest="40"' in guest.send(shown, step="again").text
    world.clock.forward(timedelta(seconds=41))
    first = newest_code(world)
    again = guest.send(shown, step="again")
    assert "A new code is on its way" in again.text
    assert len(sent(world)) == 2
    if newest_code(world) != first:
        assert enter(guest, again, first).status_code == 422
    assert enter(guest, again, newest_code(world)).status_code == 303


def test_a_code_sent_twice_leads_to_the_card_twice(world: World) -> None:
    guest, page = asked(world)
    code = newest_code(world)
    first, second = enter(guest, page, code), enter(guest, page, code)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert count(world) == 1


def test_the_form_of_one_card_opens_no_other(world: World) -> None:
    guest, page = asked(world)
    card = enter(guest, page, newest_code(world)).location
    other, their_page = asked(world, phone="8 912 000-00-01", name="Пётр")
    assert enter(other, their_page, newest_code(world)).status_code == 303
    fields = form_fields(page) | {"phone": "8 912 000-00-01", "step": "check", "digits": newest_or(world)}
    answer = guest.client.post(f"/i/{world.cafe.link.code}", data=fields)
    assert answer.status_code == 422
    assert enter(guest, page, "000000").location == card  # its own, which it was given before


def newest_or(world: World) -> str:
    words = sent(world)[-1][1]
    found = re.search(r"\b\d{6}\b", words)
    return found[0] if found else "123456"


def test_a_code_from_another_page_is_worth_nothing(world: World) -> None:
    asked(world)
    thief = world.phone(ANDROID)
    page = thief.scan(world.cafe)
    fields = form_fields(page) | FILLED | {"step": "check", "digits": newest_code(world)}
    answer = thief.client.post(f"/i/{world.cafe.link.code}", data=fields)
    assert answer.status_code == 422
    assert "does not work any more" in answer.text
    assert count(world) == 0


def test_another_number_goes_back_to_the_form_as_it_was(world: World) -> None:
    guest, page = asked(world, name="Анна Ж.", advertising="yes")
    back = guest.send(page, step="back")
    assert back.status_code == 200
    assert 'value="Анна Ж."' in back.text
    assert 'value="8 912 345-67-89"' in back.text
    assert back.text.count(" checked") == 2
    assert "wrong-words" not in back.text
    page = guest.send(back, **(FILLED | {"phone": "+7 912 000-00-02"}))
    assert sent(world)[-1][0] == "+79120000002"
    assert enter(guest, page, newest_code(world)).status_code == 303


def test_a_member_and_a_stranger_read_the_same_words(world: World) -> None:
    guest, page = asked(world)
    enter(guest, page, newest_code(world))
    world.clock.forward(timedelta(minutes=10))
    pages = [asked(world, phone=phone)[1].text for phone in (SPELT, "+7 912 345-67-80")]
    plain = [
        re.sub(r'value="[^"]*"', "", unescape(text)).replace("67-89", "").replace("67-80", "")
        for text in pages
    ]
    assert plain[0] == plain[1]


def test_a_known_number_gets_its_card_on_the_new_phone(world: World) -> None:
    guest, page = asked(world)
    card = enter(guest, page, newest_code(world)).location
    world.clock.forward(timedelta(days=3))
    other, page = asked(world, name="Аня")
    assert enter(other, page, newest_code(world)).location == card
    assert (count(world), count(world, member)) == (1, 1)


def test_codes_go_to_the_countries_that_are_named(world: World) -> None:
    _, page = asked(world, phone="+44 7400 123456")
    assert page.status_code == 422
    assert "We cannot send codes to numbers of this country." in page.text
    assert 'id="phone-wrong"' in page.text
    _, page = asked(world, phone="+7 809 123-45-67")  # who calls it pays more
    assert page.status_code == 422
    assert sent(world) == []


def test_too_many_codes_are_refused_in_plain_words(world: World) -> None:
    for turn in range(3):
        _, page = asked(world)
        assert page.status_code == 200, turn
        world.clock.forward(timedelta(minutes=6))
    _, page = asked(world)
    assert page.status_code == 429
    assert "Too many codes were asked for." in page.text
    assert int(page.headers["Retry-After"]) > 60
    assert 'value="Анна"' in page.text  # nothing is lost
    assert len(sent(world)) == 3


@pytest.mark.parametrize(("bound", "most"), [({"codes": 2}, 2), ({"budget": 1000}, 2)])
def test_a_brand_sends_so_many_codes_a_day_and_pays_so_much(
    database: Database, tmp_path: Path, bound: dict[str, int], most: int
) -> None:
    world = open_world(database, sms_book=a_book(tmp_path, **bound))
    prove_numbers(world, world.cafe)
    states = [asked(world, phone=f"+7 912 345-67-0{number}")[1].status_code for number in range(4)]
    assert states == [200] * most + [429] * (4 - most)
    assert len(sent(world)) == most


def test_a_brands_day_begins_at_its_own_midnight_and_counts_its_own_money(
    database: Database, tmp_path: Path
) -> None:
    world = open_world(database, sms_book=a_book(tmp_path, budget=450))
    prove_numbers(world, world.cafe)
    with world.database.write() as tx:
        zone = "Asia/Kamchatka"  # 12 hours before UTC
        tx.execute(brand.update().where(brand.c.id == world.cafe.brand.id).values(time_zone=zone))
    world.clock.now = datetime(2026, 7, 1, 11, 0, tzinfo=UTC)  # an hour before midnight there
    assert asked(world, phone="+7 912 345-67-01")[1].status_code == 200
    assert asked(world, phone="+7 912 345-67-02")[1].status_code == 429
    world.clock.now = datetime(2026, 7, 1, 12, 1, tzinfo=UTC)
    assert asked(world, phone="+7 912 345-67-03")[1].status_code == 200
    with world.database.write() as tx:  # what was paid in another currency is another account's
        tx.execute(text_message.update().values(currency="USD"))
    assert asked(world, phone="+7 912 345-67-04")[1].status_code == 200


def test_without_a_way_to_send_texts_the_page_says_that_it_is_not_ready(database: Database) -> None:
    world = open_world(database)
    prove_numbers(world, world.cafe)
    _, page = asked(world)
    assert page.status_code == 503
    assert "The card is not ready yet" in page.text


def test_a_brand_may_ask_for_proof() -> None:
    assert "proved" in ASKS_PHONE


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("name", ["Зерно", "Кофейня «Зерно»", "Zerno", "Ресторанный дом " * 6])
def test_a_code_fits_into_one_part(world: World, language: str, name: str) -> None:
    with world.app.test_request_context(f"/?lang={language}"):
        words, measured = code_text(
            "012345", brand_name=name, public_url="https://cards.example.com", measure=measure
        )
    assert measured.parts == 1
    assert measured == measure(words)
    assert "012345" in words
    if len(name) < 20:
        assert words.endswith("\n@cards.example.com #012345")
        assert name in words


def test_a_code_is_bound_to_a_named_https_host_alone() -> None:
    assert bound_line("https://cards.example.com:8443", "012345") == "@cards.example.com #012345"
    for address in ("http://cards.example.com", "https://192.0.2.1", "https://[::1]"):
        assert bound_line(address, "012345") == ""


def test_a_second_guest_on_the_same_phone_gets_a_card_of_their_own(world: World) -> None:
    """Back to the form, another number, its code: a couple shares one phone at the table."""
    guest, page = asked(world)
    first = enter(guest, page, newest_code(world))
    form = guest.send(page, step="back")
    other = guest.send(form, phone="8 912 000-00-01", name="Борис", data="yes")
    digits = newest_code(world)
    second = enter(guest, other, digits)
    assert second.status_code == 303
    assert second.location != first.location
    assert (count(world), count(world, member)) == (2, 2)
    assert enter(guest, other, digits).location == second.location  # a second tap
    assert enter(guest, page, "000000").status_code == 303  # and the first one's form leads to the first card
    assert count(world) == 2


def test_no_code_without_a_page_that_a_browser_showed(world: World) -> None:
    guest = world.phone()
    unseen = guest.scan(world.cafe, shown=False)
    refused = guest.send(unseen, **FILLED)
    assert refused.status_code == 409
    assert "Press the button again" in refused.text
    assert sent(world) == []
    picture = re.search(r'<img class="seen" src="([^"]+)"', refused.text)
    assert picture is not None
    guest.get(unescape(picture[1]))
    assert guest.send(refused, **FILLED).status_code == 200
    assert len(sent(world)) == 1
