"""Offers: made and refused in clear words, given once a guest, shown silently, gone when they are over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db import Database, Tx
from app.db.identifiers import ProgrammeId, VenueId
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import granting, offer_terms, offers
from app.loyalty.enrolment import Enrolment
from app.loyalty.offer_tables import offer_grant
from app.loyalty.offers import Offer, OfferDraft
from app.passes import issuing
from app.passes.content import LocalizedText, PassContent
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, NOW, STAMPS, Town

COFFEE = OfferDraft(
    code="COFFEE-10",
    name=LocalizedText("Скидка 10 %", "10 % off"),
    terms=LocalizedText("На всё меню", "The whole menu"),
    gives="percent",
    worth=1_000,
    from_at=NOW - timedelta(days=1),
    until_at=NOW + timedelta(days=10),
)
DAY = timedelta(days=1)


def made(tx: Tx, place: Town, **other: Any) -> Offer:
    return offers.create(tx, place.brand.id, replace(COFFEE, **other), now=NOW, actor="test")


def given(tx: Tx, offer: Offer, *guests: Enrolment, **more: Any) -> list[granting.Granted]:
    ids = [guest.id for guest in guests]
    return granting.give(tx, offer.id, ids, now=NOW, actor="test", **more)


def content(tx: Tx, guest: Enrolment) -> PassContent:
    return issuing.wallet_pass(tx, guest.pass_id).content


def codes(tx: Tx, guest: Enrolment) -> list[str]:
    return [each.code for each in content(tx, guest).offers]


@pytest.mark.once
@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"code": "кофе"}, "code"),
        ({"code": "-A"}, "code"),
        ({"code": "A" * 25}, "code"),
        ({"name": LocalizedText("Скидка", " ")}, "name_en"),
        ({"name": LocalizedText("Скидка " * 9, "Off")}, "name_ru"),
        ({"terms": LocalizedText("Только утром", "")}, "terms_en"),
        ({"gives": "everything"}, "gives"),
        ({"worth": 0}, "worth"),
        ({"worth": 10_001}, "worth"),
        ({"gives": "amount", "worth": -5}, "worth"),
        ({"gives": "gift", "gift": LocalizedText("Кофе", "")}, "gift_en"),
        ({"minimum": -1}, "minimum"),
        ({"until_at": NOW}, "until"),
        ({"from_at": NOW + 20 * DAY}, "until"),
    ],
)
def test_nonsense_is_refused_and_names_its_field(other: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        offer_terms.checked(replace(COFFEE, **other), now=NOW)
    assert refused.value.field == field


@pytest.mark.once
def test_a_discount_is_rounded_down_and_never_above_the_receipt() -> None:
    def off(amount: int, **other: Any) -> int:
        return offer_terms.discount(replace(COFFEE, **other), amount)

    assert [off(amount) for amount in (1, 9, 10, 999, 10**12)] == [0, 0, 1, 99, 10**11]
    assert off(777, worth=10_000) == 777
    assert (off(500, gives="amount", worth=300), off(200, gives="amount", worth=300)) == (300, 200)
    assert (off(500, gives="gift", worth=0), off(500, gives="points", worth=300)) == (0, 0)


def test_an_offer_is_made_changed_and_ended(database: Database) -> None:
    with database.write() as tx:
        place, stamps = towns.build(tx, BONUS), towns.build(tx, STAMPS, slug="bun")
        one = made(tx, place, code=" coffee-10 ", venue_ids=frozenset({place.venue.id}))
        assert one.code == "COFFEE-10"
        assert offers.offer_by_code(tx, place.brand.id, "coffee-10") == one
        with pytest.raises(Conflict, match="another code"):
            made(tx, place)
        for other in ({"venue_ids": frozenset({stamps.venue.id})}, {"programme_id": stamps.programme.id}):
            with pytest.raises(NotFound):
                made(tx, place, code="OTHER", **other)
        with pytest.raises(BadInput, match="stamps"):
            made(tx, stamps, gives="points", programme_id=stamps.programme.id)
        better = replace(one.draft, worth=1_500, venue_ids=frozenset[VenueId]())
        changed = offers.edit(tx, one.id, better, now=NOW, actor="test")
        assert (changed.draft, offers.offers_of_brand(tx, place.brand.id)) == (better, [changed])
        with pytest.raises(BadInput, match="stays"):
            offers.edit(tx, one.id, replace(better, code="NEW"), now=NOW, actor="test")
        given(tx, one, towns.guest(tx, place))
        with pytest.raises(Conflict, match="on their cards"):
            offers.edit(tx, one.id, COFFEE, now=NOW, actor="test")
        ended = offers.end(tx, one.id, now=NOW, actor="test")
        assert offers.end(tx, one.id, now=NOW + DAY, actor="test") == ended
        with pytest.raises(Conflict, match="over"):
            given(tx, one, towns.guest(tx, place))
        with pytest.raises(NotFound):
            offers.offer(tx, type(one.id)(one.id + 1))


def test_a_guest_gets_an_offer_once_and_the_card_shows_it_silently(database: Database) -> None:
    with database.write() as tx:
        place, bun = towns.build(tx, BONUS), towns.build(tx, STAMPS, slug="bun")
        anna, boris, other = towns.guest(tx, place), towns.guest(tx, place), towns.guest(tx, bun)
        one = made(tx, place)
        first = granting.grant(tx, one.id, [anna.id, other.id], campaign="Autumn", until=None, now=NOW)
        assert [(each.enrolment_id, each.fresh) for each in first] == [(anna.id, True)]
        assert codes(tx, anna) == []  # who gives it shows it, in the revision that announces it
        again = given(tx, one, anna, boris, until=NOW + DAY)
        assert [(each.enrolment_id, each.fresh) for each in again] == [(anna.id, False), (boris.id, True)]
        assert [content(tx, each).offers[0].until for each in (anna, boris)] == [COFFEE.until_at, NOW + DAY]
        assert [each.announcement for each in content(tx, anna).messages] == [f"welcome:{anna.card_code}"]
        before = issuing.wallet_pass(tx, anna.pass_id).version
        given(tx, one, anna)
        assert issuing.wallet_pass(tx, anna.pass_id).version == before
        assert tx.scalar(select(func.count()).select_from(offer_grant)) == 2
        assert tx.scalars(select(offer_grant.c.campaign).order_by(offer_grant.c.id)).all() == ["Autumn", None]
        points = made(tx, bun, code="POINTS", gives="points", worth=100_00)
        assert given(tx, points, other) == []  # a stamp card has no place for points
        with pytest.raises(BadInput, match="200"):
            given(tx, one, *[anna] * 201)
        with pytest.raises(BadInput):
            given(tx, one, anna, until=NOW)


def test_offers_leave_the_card_when_they_are_over(database: Database) -> None:
    with database.write() as tx:
        place = towns.build(tx, BONUS)
        anna, boris = towns.guest(tx, place), towns.guest(tx, place)
        short, long = made(tx, place, until_at=NOW + DAY), made(tx, place, code="LONG", until_at=None)
        twice = made(tx, place, code="TWICE", until_at=NOW + 2 * DAY)
        for one in (long, twice, short):
            given(tx, one, anna, boris)
        assert codes(tx, anna) == ["COFFEE-10", "TWICE", "LONG"]
        assert granting.clear(tx, now=NOW + DAY - timedelta(microseconds=1)) == 0
        before = issuing.wallet_pass(tx, anna.pass_id).version
        assert granting.clear(tx, now=NOW + DAY, limit=1) == 1
        assert granting.clear(tx, now=NOW + 2 * DAY) == 3
        assert (codes(tx, anna), codes(tx, boris)) == (["LONG"], ["LONG"])
        assert issuing.wallet_pass(tx, anna.pass_id).version <= before + 2
        assert granting.revoke(tx, long.id, [anna.id], now=NOW) == 1
        assert granting.revoke(tx, long.id, [anna.id], now=NOW) == 0
        offers.end(tx, long.id, now=NOW, actor="test")
        assert granting.clear(tx, now=NOW) == 1
        assert (codes(tx, anna), codes(tx, boris)) == ([], [])
        ways = select(offer_grant.c.over_because, func.count()).group_by(offer_grant.c.over_because)
        assert {row[0]: row[1] for row in tx.execute(ways)} == {"expired": 4, "revoked": 1, "ended": 1}
        assert granting.clear(tx, now=NOW + 9 * DAY) == 0


def test_a_card_has_room_for_ten_offers(database: Database) -> None:
    with database.write() as tx:
        place = towns.build(tx, BONUS)
        anna = towns.guest(tx, place)
        for number in range(10):
            assert given(tx, made(tx, place, code=f"N{number}"), anna)
        assert (
            given(tx, made(tx, place, code="N10", programme_id=ProgrammeId(place.programme.id)), anna) == []
        )
        assert codes(tx, anna) == [f"N{number}" for number in range(10)]
        open_here = granting.open_of(tx, anna.id, place.venue.id, now=NOW)
        assert [each.offer.code for each in open_here] == codes(tx, anna)
