"""What is kept from who may not see numbers, and from who has venues of their own."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import update

from app.loyalty import programmes, till
from app.loyalty.enrolment import Enrolment
from app.loyalty.programmes import ProgrammeDraft
from app.loyalty.tables import enrolment
from app.loyalty.till import ReceiptDraft
from tests.web.console.house import House
from tests.web.console.members_guests import guest, ring_up
from tests.web.guests import NOW

ALL = "/console/cafe/members"


def page_of(card: Enrolment) -> str:
    return f"{ALL}/{card.member_id}"


@pytest.mark.parametrize("query", ["4567", "45-67", "+7 903 123-45-67", "89031234567", "9031234567"])
def test_who_may_not_see_numbers_finds_by_four_digits_or_the_whole(
    house: House, anna: Enrolment, query: str
) -> None:
    found = house.desk("manager").client.get(ALL, query_string={"q": query})
    assert f'href="{page_of(anna)}"' in found.text


def test_nobody_is_told_a_number_digit_by_digit(house: House, anna: Enrolment) -> None:
    number = "79031234567"
    for length in (5, 6, 7, 8, 9):
        address = f"{ALL}?q={number[-length:]}"
        assert f'href="{page_of(anna)}"' in house.desk("marketer").get(address).text
        assert f'href="{page_of(anna)}"' not in house.desk("manager").get(address).text
    manager = house.desk("manager")
    told = [manager.get(f"{ALL}?q={guess:04d}").status_code for guess in range(40)]
    assert told.index(429) <= 30
    assert manager.get(ALL).status_code == 200


def test_what_happened_in_other_venues_is_not_told(house: House, anna: Enrolment) -> None:
    second = house.second["cafe"]
    with house.database.write() as tx:
        draft = ReceiptDraft(card=anna.card_code, number="S-77", amount=91_300, currency="RUB", at=NOW)
        till.record_receipt(
            tx, draft, brand_id=house.cafe.brand.id, venue_id=second.id, now=NOW + timedelta(minutes=9)
        )
    manager, told = house.desk("manager"), "There is more in other venues"
    shown = unescape(manager.get(f"{page_of(anna)}?all=yes").text)
    assert "Receipt R-1" in shown
    assert told in shown
    whole = unescape(house.desk("marketer").get(f"{page_of(anna)}?all=yes").text)
    assert told not in whole
    for secret in ("Receipt S-77", "913", "45.65", second.name):
        assert secret in whole
        assert secret not in shown


def test_cards_of_other_venues_are_neither_shown_nor_acted_on(house: House, anna: Enrolment) -> None:
    with house.database.write() as tx:
        other = guest(tx, house.cafe, "Анна", None, venue_id=house.second["cafe"].id)
        draft = ProgrammeDraft(
            brand_id=house.cafe.brand.id, slug="second", name="Second card", rules=house.cafe.programme.rules
        )
        its = programmes.create_programme(tx, draft, now=NOW, actor="test").id
        theirs = update(enrolment).where(enrolment.c.id == other.id)
        tx.execute(theirs.values(member_id=anna.member_id, programme_id=its))
    manager = house.desk("manager")
    assert other.card_code in house.desk("marketer").get(page_of(anna)).text
    assert other.card_code not in manager.get(page_of(anna)).text
    fields = {"reason": "Lost", "form_key": "k" * 16}
    for what in ("block", "unblock", "reissue"):
        answer = manager.send(page_of(anna), f"{page_of(anna)}/cards/{other.id}/{what}", **fields)
        assert answer.status_code == 404
    assert manager.get(f"{page_of(anna)}/cards/{other.id}.svg").status_code == 404
    assert manager.send(page_of(anna), f"{page_of(anna)}/cards/{anna.id}/block", **fields).status_code == 303
    with house.database.write() as tx:  # whoever buys in a venue is its guest
        ring_up(tx, house.cafe, other, "R-2")
    fields["form_key"] = "l" * 16
    assert manager.send(page_of(anna), f"{page_of(anna)}/cards/{other.id}/block", **fields).status_code == 303
