"""Offers at the till: redeemed once, paid for, given back with the refund, followed to the united card."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db import Database, Tx
from app.errors import Conflict, NotFound, Refused
from app.loyalty import granting, members, merging, offers, till
from app.loyalty.enrolment import Enrolment
from app.loyalty.offer_tables import offer_grant, offer_redemption
from app.loyalty.offers import Offer
from app.loyalty.tables import receipt
from app.passes.content import LocalizedText
from app.places import venues
from tests.loyalty import town as towns
from tests.loyalty.test_offers import DAY, codes, content, given, made
from tests.loyalty.town import BONUS, EXPIRING, NOW, STAMPS, TIERED, Town

CODE = "COFFEE-10"


def ring(
    tx: Tx,
    place: Town,
    guest: Enrolment,
    number: str,
    amount: int,
    offer: str | None = CODE,
    *,
    now: datetime = NOW,
    **other: Any,
) -> till.Recorded:
    draft = till.ReceiptDraft(
        card=guest.card_code, number=number, amount=amount, currency="RUB", at=now, offer=offer
    )
    where = {"brand_id": place.brand.id, "venue_id": place.venue.id} | other
    return till.record_receipt(tx, draft, now=now, **where)


def refund(tx: Tx, place: Town, number: str, *, now: datetime = NOW) -> till.Refunded:
    return till.refund_receipt(tx, number, brand_id=place.brand.id, venue_id=place.venue.id, now=now)


def state(tx: Tx) -> list[Any]:
    """All that a refused receipt must not change."""
    counted = [tx.scalar(select(func.count()).select_from(one)) for one in (receipt, offer_redemption)]
    return [*counted, tx.scalar(select(func.count()).where(offer_grant.c.redeemed_at.is_not(None)))]


def test_what_an_offer_takes_off_earns_nothing_and_it_leaves_the_card(database: Database) -> None:
    with database.write() as tx:
        place = towns.build(tx, TIERED)
        anna = towns.guest(tx, place)
        given(tx, made(tx, place), anna)
        assert [each.offer.code for each in _open(tx, place, anna)] == [CODE]
        before = content(tx, anna)
        done = ring(tx, place, anna, "1", 1_000_05, "coffee-10")
        assert done.offer is not None
        assert (done.offer.discount, done.offer.paid, done.points) == (100_00, 900_05, 27_00)
        assert tx.scalar(select(receipt.c.amount)) == 900_05
        assert (codes(tx, anna), _open(tx, place, anna)) == ([], [])
        assert content(tx, anna).messages[0] != before.messages[0]
        kept = tx.execute(select(offer_redemption)).one()
        assert (kept.discount, kept.venue_id, kept.returned_at) == (100_00, place.venue.id, None)
        with pytest.raises(Conflict) as refused:
            ring(tx, place, anna, "2", 500_00)
        assert refused.value.code == "offer-redeemed"


def test_points_a_gift_and_a_whole_receipt(database: Database) -> None:
    with database.write() as tx:
        place = towns.build(tx, EXPIRING)
        anna = towns.guest(tx, place)
        gift = LocalizedText("Эклер", "An éclair")
        for one in (
            made(tx, place, code="POINTS", gives="points", worth=50_00),
            made(tx, place, code="GIFT", gives="gift", worth=0, gift=gift),
            made(tx, place, code="ALL", gives="amount", worth=300_00),
        ):
            given(tx, one, anna)
        done = ring(tx, place, anna, "1", 200_00, "POINTS")
        assert done.offer is not None
        assert (done.points, done.offer.points, done.offer.discount) == (10_00, 50_00, 0)
        assert (done.card.balance, codes(tx, anna)) == (160_00, ["ALL", "GIFT"])
        assert "+60 " in content(tx, anna).messages[0].text.en
        entries = members.show(tx, anna.member_id).entries
        assert [(each.kind, each.points) for each in entries] == [
            ("accrual", 100_00), ("accrual", 10_00), ("offer", 50_00),
        ]  # fmt: skip
        back = refund(tx, place, "1")
        assert back.offer is not None
        assert (back.points, back.card.balance, back.offer.given_back) == (60_00, 100_00, True)
        assert codes(tx, anna) == ["ALL", "GIFT", "POINTS"]
        assert ring(tx, place, anna, "2", 100_00, "POINTS").card.balance == 155_00
        whole = ring(tx, place, anna, "3", 250_00, "ALL")
        assert whole.offer is not None
        assert (whole.offer.discount, whole.offer.paid, whole.points) == (250_00, 0, 0)
        assert refund(tx, place, "3").points == 0
        handed = ring(tx, place, anna, "4", 100_00, "GIFT")
        assert handed.offer is not None
        assert handed.offer.offer.draft.gift == gift
        assert refund(tx, place, "4", now=NOW + 11 * DAY).offer == till.OfferReturned(
            offer=handed.offer.offer, given_back=False
        )
        assert codes(tx, anna) == ["ALL"]


@pytest.mark.parametrize(
    ("other", "amount", "moment", "code"),
    [
        ({"code": "ELSE"}, 500_00, NOW, "no-such-offer"),
        ({"from_at": NOW + timedelta(hours=1)}, 500_00, NOW, "offer-not-yet"),
        ({}, 500_00, NOW + 10 * DAY, "offer-over"),
        ({"minimum": 500_01}, 500_00, NOW, "offer-below-minimum"),
        ({"venue_ids": "other"}, 500_00, NOW, "offer-elsewhere"),
        ({"ended": True}, 500_00, NOW, "offer-over"),
    ],
)
def test_a_refused_offer_writes_nothing(
    database: Database, other: dict[str, Any], amount: int, moment: datetime, code: str
) -> None:
    with database.write() as tx:
        place = towns.build(tx, BONUS)
        ended = other.pop("ended", False) if other else False
        if "venue_ids" in other:
            draft = replace(place.venue.draft(), slug="market")
            other = {"venue_ids": frozenset({venues.create_venue(tx, draft, now=NOW, actor="test").id})}
        anna = towns.guest(tx, place)
        one = made(tx, place, **other)
        given(tx, one, anna)
        if ended:
            offers.end(tx, one.id, now=NOW, actor="test")
        before = state(tx)
    with pytest.raises(Refused) as refused, database.write() as tx:
        ring(tx, place, anna, "1", amount, now=moment)
    assert refused.value.code == code
    with database.read() as tx:
        assert state(tx) == before
        usable = [each.refused for each in _open(tx, place, anna, now=moment)]
        assert usable == {"offer-elsewhere": ["elsewhere"], "offer-not-yet": ["not-yet"]}.get(
            code, [] if code == "offer-over" else [None]
        )


def test_of_many_tills_at_once_one_redeems(database: Database) -> None:
    with database.write() as tx:
        place = towns.build(tx, BONUS)
        anna = towns.guest(tx, place)
        given(tx, made(tx, place), anna)
    tills, start = 6, Barrier(6)
    said: list[str] = []

    def at_a_till(number: int) -> None:
        start.wait()
        try:
            with database.write() as tx:
                ring(tx, place, anna, str(number), 100_00)
            said.append("redeemed")
        except Refused as refused:
            said.append(refused.code)

    threads = [Thread(target=at_a_till, args=(number,)) for number in range(tills)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(said) == ["offer-redeemed"] * (tills - 1) + ["redeemed"]
    with database.read() as tx:
        assert state(tx) == [1, 1, 1]


def test_two_guests_that_are_one_have_an_offer_once(database: Database) -> None:
    with database.write() as tx:
        place = towns.build(tx, BONUS)
        anna, twin, third = (towns.guest(tx, place) for _ in range(3))
        both, used, own = made(tx, place), made(tx, place, code="USED"), made(tx, place, code="OWN")
        given(tx, both, anna, until=NOW + DAY)
        given(tx, both, twin)
        given(tx, used, anna, twin)
        given(tx, own, twin, third)
        ring(tx, place, twin, "1", 100_00, "USED")
        merging.merge(tx, living=anna.id, ending=twin.id, now=NOW)
        assert codes(tx, anna) == [CODE, "OWN"]
        assert content(tx, anna).offers[0].until == NOW + 10 * DAY  # the longer of the two
        with pytest.raises(Conflict, match="redeemed"):
            ring(tx, place, twin, "2", 100_00, "USED")  # the old code leads to the card that lives on
        assert given(tx, used, anna) == []
        back = refund(tx, place, "1")
        assert back.offer is not None
        assert back.offer.given_back
        assert codes(tx, anna) == [CODE, "OWN", "USED"]
        ring(tx, place, anna, "3", 100_00)
        merging.merge(tx, living=third.id, ending=anna.id, now=NOW)
        assert codes(tx, third) == ["OWN", "USED"]
        members.remove(tx, third.member_id, now=NOW)
        left = select(func.count()).where(
            offer_grant.c.redeemed_at.is_(None), offer_grant.c.over_at.is_(None)
        )
        assert tx.scalar(left) == 0


def test_whatever_happens_an_offer_is_redeemed_once_and_the_card_says_what_is_open(
    database: Database,
) -> None:
    luck = random.Random(8)
    with database.write() as tx:
        place = towns.build(tx, STAMPS)
        guests = [towns.guest(tx, place) for _ in range(3)]
        all_offers: list[Offer] = [
            made(tx, place, code=f"N{number}", until_at=NOW + (number + 2) * DAY) for number in range(3)
        ]
        rung: list[str] = []
        now = NOW
        for step in range(60):
            guest, one = luck.choice(guests), luck.choice(all_offers)
            number = f"r{step}"
            savepoint = tx.begin_nested()
            try:
                match luck.randrange(5):
                    case 0:
                        granting.give(tx, one.id, [guest.id], now=now, actor="test")
                    case 1:
                        ring(tx, place, guest, number, 100_00, one.code, now=now)
                        rung.append(number)
                    case 2:
                        granting.revoke(tx, one.id, [guest.id], now=now)
                    case 3:
                        refund(tx, place, luck.choice(rung or ["none"]), now=now)
                    case _:
                        granting.clear(tx, now=now, limit=2)
                savepoint.commit()
            except (Conflict, NotFound):
                savepoint.rollback()
            now += timedelta(minutes=luck.randrange(90))
            for each in guests:
                assert content(tx, each).offers == granting.on_card(tx, each.id)
        once = select(func.count()).where(offer_redemption.c.returned_at.is_(None))
        counted = tx.execute(once.group_by(offer_redemption.c.grant_id)).scalars().all()
        assert set(counted) == {1}


def _open(tx: Tx, place: Town, guest: Enrolment, *, now: datetime = NOW) -> list[till.OpenOffer]:
    return till.offers(tx, guest.card_code, brand_id=place.brand.id, venue_id=place.venue.id, now=now)
