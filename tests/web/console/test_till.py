"""A venue's till in the console: a key is shown once, and what the till did is seen."""

from __future__ import annotations

import re
from datetime import timedelta

from app.accounts import keys
from app.loyalty import enrolment
from app.loyalty.enrolment import ConsentGiven, EnrolmentRequest
from app.web.console.sums import money
from tests.web.console.house import House
from tests.web.console.samples_places import receipt

TILL = "/console/cafe/places/main/till"


def _made(house: House) -> str:
    answer = house.desk("owner").send(TILL, name="bar")
    assert answer.status_code == 200
    found = re.search(r'value="(ppk_[^"]+)"', answer.text)
    assert found, answer.text
    return found[1]


def test_a_key_works_and_is_shown_once(house: House) -> None:
    secret = _made(house)
    with house.database.read() as tx:
        key = keys.authenticate(tx, secret, now=house.clock())
    assert key is not None
    assert key.venue_id == house.cafe.venue.id
    assert secret not in house.desk("owner").get(TILL).text
    again = house.desk("owner").send(TILL, name="bar")
    assert again.status_code == 422
    assert "ppk_" not in again.text.replace("ppk_…", "")


def test_a_replaced_key_works_on_for_a_week_and_an_ended_one_comes_back(house: House) -> None:
    first, desk = _made(house), house.desk("owner")
    with house.database.read() as tx:
        old = keys.authenticate(tx, first, now=house.clock())
    assert old is not None
    answer = desk.send(TILL, f"{TILL}/{old.id}/replace")
    second = re.search(r'value="(ppk_[^"]+)"', answer.text)
    assert second
    with house.database.read() as tx:
        new = keys.authenticate(tx, second[1], now=house.clock())
        assert new is not None
        assert keys.authenticate(tx, first, now=house.clock() + timedelta(days=6)) is not None
        assert keys.authenticate(tx, first, now=house.clock() + timedelta(days=8)) is None
    desk.send(TILL, f"{TILL}/{new.id}/end")
    assert f'action="{TILL}/{new.id}/restore"' in desk.get(TILL).text
    desk.send(TILL, f"{TILL}/{new.id}/restore")
    with house.database.read() as tx:
        assert keys.authenticate(tx, second[1], now=house.clock()) is not None


def test_the_receipt_that_arrived_is_shown(house: House) -> None:
    assert "No receipt of this venue has arrived yet." in house.desk("owner").get(TILL).text
    shop = house.cafe
    with house.database.write() as tx:
        guest = enrolment.enrol(
            tx,
            EnrolmentRequest(
                programme_id=shop.programme.id, venue_id=shop.venue.id, visit_id=None, name="Анна",
                language="ru",
                consents=(
                    ConsentGiven(
                        purpose="data", granted=True, text_version="1", text="да", language="ru",
                        source="test",
                    ),
                ),
            ),
            now=house.clock(),
        )  # fmt: skip
    receipt(house, guest.card_code)
    page = house.desk("owner").get(TILL).text
    assert "test-1" in page
    assert money(500_00, "RUB") in page
    assert ">25<" in page  # five per cent of five hundred
