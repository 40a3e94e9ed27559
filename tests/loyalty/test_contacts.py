"""What guests tell of themselves beside a name: a number in one spelling, a birthday, and both forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.accounts import brands
from app.db import Database
from app.errors import BadInput, NotFound
from app.loyalty import enrolment, members
from app.loyalty.phone_numbers import checked_phone
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, NOW


@pytest.mark.parametrize(
    ("words", "region", "number"),
    [
        ("8 (912) 345-67-89", "RU", "+79123456789"), ("912 345 67 89", "RU", "+79123456789"),
        ("+7 912 345-67-89", "DE", "+79123456789"), ("\uff0b\uff17 912 345-67-89", "RU", "+79123456789"),
        ("07400 123456", "GB", "+447400123456"), ("+998 90 123 45 67", "RU", "+998901234567"),
        ("(201) 555-0123", "US", "+12015550123"), ("  ", "RU", None), ("", "RU", None),
    ],
)  # fmt: skip
def test_a_number_is_kept_in_one_spelling_however_it_is_written(
    words: str, region: str, number: str | None
) -> None:
    assert checked_phone(words, region=region) == number


@pytest.mark.parametrize(
    "words", ["12", "+7 912 345-67-8", "+7 912 345-67-890", "no", "+", "+999 1234567", "1" * 5000, "\x00"]
)
def test_what_cannot_be_a_mobile_number_is_refused(words: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked_phone(words, region="RU")
    assert refused.value.field == "phone"


def test_a_number_and_a_birthday_are_kept_until_the_member_is_forgotten(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        request = replace(towns.request(town, towns.visit(tx, town.link.id)), phone="+79123456789")
        member_id = enrolment.enrol(tx, request, now=NOW).member_id
        assert members.show(tx, member_id).phone == "+79123456789"
        assert members.birthday(tx, member_id) is None
        members.set_birthday(tx, member_id, month=2, day=29)
        members.set_birthday(tx, member_id, month=3, day=1)
        assert members.show(tx, member_id).birthday == members.birthday(tx, member_id) == "03-01"
        members.remove(tx, member_id, now=NOW)
        known = members.show(tx, member_id)
        assert (known.name, known.phone, known.birthday) == (None, None, None)
        with pytest.raises(NotFound):
            members.set_birthday(tx, member_id, month=3, day=1)
        assert members.birthday(tx, member_id) is None


@pytest.mark.parametrize(("month", "day"), [(2, 30), (4, 31), (0, 1), (13, 1), (1, 0), (-1, 5)])
def test_a_day_that_no_year_has_is_no_birthday(database: Database, month: int, day: int) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        member_id = towns.guest(tx, town).member_id
        with pytest.raises(BadInput):
            members.set_birthday(tx, member_id, month=month, day=day)
        assert members.birthday(tx, member_id) is None


def test_a_brand_asks_for_numbers_only_if_it_says_so(database: Database) -> None:
    with database.write() as tx:
        brand = towns.build(tx, BONUS).brand
        assert brand.asks_phone == "no"
        asks = brands.update_brand(
            tx, brand.id, replace(brand.draft(), asks_phone="needed"), now=NOW, actor="test"
        )
        assert asks.asks_phone == brands.brand(tx, brand.id).asks_phone == "needed"
        with pytest.raises(BadInput):
            brands.update_brand(
                tx, brand.id, replace(brand.draft(), asks_phone="always"), now=NOW, actor="test"
            )
