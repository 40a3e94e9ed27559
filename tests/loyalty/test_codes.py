"""Codes for phone numbers: what a guest meets who does nothing wrong."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.db import Database, Tx
from app.db.identifiers import VisitId
from app.errors import BadInput, NotFound, TooMany
from app.loyalty import codes
from app.loyalty.codes import CodeAsked, CodeLimits, NewCode
from app.loyalty.phone_numbers import region_of
from app.loyalty.tables import phone_code
from app.places import visits
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, NOW, Town
from tests.tables import nothing_changes

KEY = secrets.token_bytes(32)
NUMBER = "+79123456789"
LIMITS = CodeLimits(countries=("RU", "KZ"), brand_a_day=1000)
SECOND = timedelta(seconds=1)


def opened(tx: Tx, town: Town) -> VisitId:
    """A visit whose page a browser showed."""
    visit_id = towns.visit(tx, town.link.id)
    visits.record_event(tx, visit_id=visit_id, kind="page", at=NOW)
    return visit_id


def asked(town: Town, visit_id: VisitId, number: str = NUMBER, address: str = "198.51.100.7") -> CodeAsked:
    return CodeAsked(
        brand_id=town.brand.id, venue_id=town.venue.id, visit_id=visit_id, number=number, address=address
    )


def ask(tx: Tx, wanted: CodeAsked, *, now: datetime = NOW, limits: CodeLimits = LIMITS) -> NewCode:
    return codes.ask(tx, wanted, limits=limits, key=KEY, now=now)


def check(tx: Tx, wanted: CodeAsked, digits: str, *, now: datetime = NOW, key: bytes = KEY) -> str:
    return codes.check(
        tx,
        brand_id=wanted.brand_id,
        number=wanted.number,
        visit_id=wanted.visit_id,
        digits=digits,
        key=key,
        now=now,
    )


def wrong(code: NewCode, step: int = 1) -> str:
    """Six digits that are not the code's."""
    return f"{(int(code.digits) + step) % 10**6:06}"


def test_a_code_is_right_once_and_lives_five_minutes(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town))
        code = ask(tx, wanted)
        assert re.fullmatch(r"[0-9]{6}", code.digits)
        assert code.expires_at == NOW + timedelta(minutes=5)
        assert check(tx, wanted, wrong(code)) == "wrong"
        typed = f" {code.digits[:3]} {code.digits[3:]} "
        assert check(tx, wanted, typed, now=code.expires_at - SECOND) == "right"
        assert check(tx, wanted, code.digits, now=code.expires_at - SECOND) == "over"
        late = asked(town, opened(tx, town), "+79123456780")
        other = ask(tx, late)
        assert check(tx, late, other.digits, now=other.expires_at) == "over"
        assert check(tx, late, other.digits) == "over"  # not even when the clock goes back


def test_digits_may_be_typed_on_any_keyboard_and_what_is_no_code_costs_no_try(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town))
        code = ask(tx, wanted)
        for words in ("", "12345", "1234567", "abcdef", "\x00", "9" * 5000, "½½½½½½", "²²²²²²"):
            assert check(tx, wanted, words) == "wrong"
        arabic = "".join(chr(0x0660 + int(digit)) for digit in code.digits)
        assert check(tx, wanted, arabic) == "right"


def test_a_new_code_replaces_the_one_before(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town))
        first, second = ask(tx, wanted), ask(tx, wanted, now=NOW + SECOND)
        assert first.id != second.id
        if first.digits != second.digits:
            assert check(tx, wanted, first.digits) == "wrong"
        assert check(tx, wanted, second.digits) == "right"


def test_two_brands_may_ask_one_number_at_a_time(database: Database) -> None:
    with database.write() as tx:
        cup, tea = towns.build(tx, BONUS), towns.build(tx, BONUS, slug="tea")
        one, other = asked(cup, opened(tx, cup)), asked(tea, opened(tx, tea))
        first, second = ask(tx, one), ask(tx, other)
        assert check(tx, replace(one, visit_id=other.visit_id), second.digits) == "over"
        assert check(tx, one, first.digits) == check(tx, other, second.digits) == "right"


def test_a_code_is_kept_nowhere_and_shown_to_nobody(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town))
        code = ask(tx, wanted)
        row = tx.execute(select(phone_code)).one()
        kept = (row.number, row.visit_id, row.address_range, row.digest)
        assert kept[:3] == (NUMBER, wanted.visit_id, "198.51.100.0/24")
        assert re.fullmatch(r"[0-9a-f]{64}", row.digest)
        assert code.digits not in repr(code)
        assert (
            check(tx, wanted, code.digits, key=secrets.token_bytes(32)) == "wrong"
        )  # another installation's
        [seen] = codes.codes_of_number(tx, town.brand.id, NUMBER)
        assert (seen.id, seen.tries, seen.ended_at, seen.delivery_id) == (code.id, 1, None, None)
        assert codes.asked_today(tx, town.brand.id, now=NOW + SECOND) == 1
        assert codes.asked_today(tx, town.brand.id, now=NOW + timedelta(days=1)) == 0


def test_a_page_that_no_browser_showed_gets_no_code(database: Database) -> None:
    with database.write() as tx:
        town, other = towns.build(tx, BONUS), towns.build(tx, BONUS, slug="tea")
        scanned, elsewhere = towns.visit(tx, town.link.id), opened(tx, other)
    for visit_id in (scanned, elsewhere, visits.new_visit_id()):
        with nothing_changes(database), pytest.raises(NotFound), database.write() as tx:
            ask(tx, asked(town, visit_id))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+12015550123", "country-not-served"),
        ("+998901234567", "country-not-served"),
        ("+88216123456789", "bad-phone"),  # a satellite's: of no country, and dear
        ("+78005553535", "bad-phone"),  # toll-free
        ("+78091234567", "bad-phone"),  # premium rate
        ("+7912", "bad-phone"),
        ("912", "bad-phone"),
    ],
)
def test_codes_go_to_guests_of_the_countries_that_the_brand_serves(
    database: Database, number: str, code: str
) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town), number)
    with nothing_changes(database), pytest.raises(BadInput) as refused, database.write() as tx:
        ask(tx, wanted)
    assert (refused.value.code, refused.value.field) == (code, "phone")


def test_countries_that_share_a_code_are_told_apart() -> None:
    assert region_of("+79123456789") == "RU"
    assert region_of("+77012345678") == "KZ"
    assert region_of("+447400123456") == "GB"


def test_a_refusal_says_in_both_languages_when_and_nothing_else(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        visit_id = opened(tx, town)
        for minute in range(3):
            ask(tx, asked(town, visit_id), now=NOW + timedelta(minutes=minute))
    told = set()
    for number, code in ((NUMBER, "codes-of-number"), ("+79120000000", "codes-of-brand")):
        limits = replace(LIMITS, brand_a_day=1000 if number == NUMBER else 3)
        with pytest.raises(TooMany) as refused, database.write() as tx:
            ask(tx, asked(town, visit_id, number), now=NOW + timedelta(minutes=10), limits=limits)
        assert refused.value.code == code
        told.add(refused.value.message)
        until = timedelta(hours=1) if number == NUMBER else timedelta(days=1)
        assert refused.value.retry_after == until - timedelta(minutes=10)
    assert len(told) == 1
    assert "позже" in told.pop()
    with database.write() as tx:  # the first of the hour has left the window
        ask(tx, asked(town, visit_id), now=NOW + timedelta(hours=1))


def test_codes_are_forgotten_after_two_days(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        visit_id = opened(tx, town)
        for number in range(4):
            ask(tx, asked(town, visit_id, f"+7912345678{number}"), now=NOW + timedelta(hours=number))
        later = NOW + timedelta(days=2, hours=2)
        assert [codes.purge(tx, now=later, limit=1) for _ in range(3)] == [1, 1, 0]
        assert codes.purge(tx, now=later + SECOND) == 1
        assert len(tx.execute(select(phone_code.c.id)).all()) == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.77", "203.0.113.0/24"), ("::ffff:203.0.113.77", "203.0.113.0/24"),
     ("2001:db8:1:2::3", "2001:db8:1::/48"), ("::1", "::/48"), ("", "unknown"), ("a proxy", "unknown")],
)  # fmt: skip
def test_neighbours_are_counted_together(address: str, network: str) -> None:
    assert codes.address_range(address) == network
