"""Offers in the console: made, corrected, fixed once a guest has one, ended; and what they did."""

from __future__ import annotations

from app.loyalty import granting, offers, till
from app.loyalty.till import ReceiptDraft
from tests.web.console.house import House
from tests.web.console.members_guests import guest

PAGE = "/console/cafe/offers"
NEW = f"{PAGE}/new"
TYPED = {
    "code": "coffee-10",
    "name_ru": "Скидка 10 %",
    "name_en": "10 % off",
    "gives": "percent",
    "percent": "10",
    "minimum": "100",
    "from": "2026-06-01",
    "until": "2027-12-31",
}


def test_an_offer_from_its_first_word_to_its_end(house: House) -> None:
    desk = house.desk("marketer")
    assert "No offer yet" in desk.get(PAGE).text
    wrong = desk.send(NEW, **(TYPED | {"percent": "0", "name_en": "", "until": "2026-05-01"}))
    assert (wrong.status_code, wrong.text.count('class="fault"')) == (422, 2)
    early = desk.send(NEW, **(TYPED | {"until": "2026-05-01"}))
    assert "The last day lies after the first" in early.text
    assert desk.send(NEW, **TYPED).status_code == 303
    assert "This code was used before" in desk.send(NEW, **TYPED).text
    with house.database.read() as tx:
        made = offers.offer_by_code(tx, house.cafe.brand.id, "COFFEE-10")
    assert (made.draft.worth, made.draft.minimum) == (1_000, 100_00)
    one = f"{PAGE}/{made.id}"
    assert 'value="2027-12-31"' in desk.get(one).text
    changed = TYPED | {"gives": "gift", "gift_ru": "Эклер", "gift_en": "An éclair", "code": "OTHER"}
    assert desk.send(one, **changed).status_code == 303
    assert desk.send(one, **(TYPED | {"venues": str(house.cafe.venue.id)})).status_code == 303
    with house.database.write() as tx:
        made = offers.offer(tx, made.id)
        assert (made.code, made.draft.venue_ids) == ("COFFEE-10", frozenset({house.cafe.venue.id}))
        anna = guest(tx, house.cafe, "Anna")
        granting.give(tx, made.id, [anna.id], now=house.clock(), actor="test")
        draft = ReceiptDraft(
            card=anna.card_code, number="1", amount=500_00, currency=house.cafe.brand.currency,
            at=house.clock(), offer="COFFEE-10",
        )  # fmt: skip
        till.record_receipt(
            tx, draft, brand_id=house.cafe.brand.id, venue_id=house.cafe.venue.id, now=house.clock()
        )
    shown = desk.get(PAGE).text
    assert "10 % off" in shown
    assert "450" in shown
    assert "its terms stay" in desk.get(one).text
    token = {"csrf_token": desk.token(one)}
    late = desk.client.post(one, data=TYPED | token)
    assert (late.status_code, "on their cards" in late.text) == (422, True)
    assert desk.send(one, f"{one}/end").status_code == 303
    assert "This offer is over." in desk.get(one).text
    told = house.desk("owner").get(f"/console/cafe/members/{anna.member_id}").text
    assert "Got an offer: 10 % off" in told
    assert "Redeemed the offer: 10 % off" in told
    for role in ("manager", "cashier"):
        assert house.desk(role).get(PAGE).status_code == 403
