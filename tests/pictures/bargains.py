"""Offers of the chain of the pictures: one that runs, one that is to come, one that is over."""

from __future__ import annotations

import random
from datetime import timedelta

from sqlalchemy import select

from app.accounts import brands
from app.db import Tx
from app.db.identifiers import EnrolmentId
from app.loyalty import granting, offers, till
from app.loyalty.offers import OfferDraft
from app.loyalty.tables import enrolment
from app.passes.content import LocalizedText
from tests.pictures.chain import NOW, Chain

_DAY = timedelta(days=1)
_COFFEE = OfferDraft(
    code="CAKE-15",
    name=LocalizedText("Скидка 15 % на торты", "15 % off cakes"),
    terms=LocalizedText("На любой целый торт, кроме заказных.", "On any whole cake but those made to order."),
    gives="percent",
    worth=1_500,
    minimum=500_00,
    from_at=NOW - 20 * _DAY,
    until_at=NOW + 12 * _DAY,
)
_GIFT = OfferDraft(
    code="ECLAIR",
    name=LocalizedText("Эклер в подарок", "An éclair on us"),
    terms=LocalizedText("К любому кофе.", "With any coffee."),
    gives="gift",
    gift=LocalizedText("Эклер на выбор", "An éclair of your choice"),
    from_at=NOW - 50 * _DAY,
    until_at=NOW - 5 * _DAY,
)
_POINTS = OfferDraft(
    code="WINTER",
    name=LocalizedText("200 баллов зимой", "200 points for winter"),
    gives="points",
    worth=200_00,
    from_at=NOW + 3 * _DAY,
)


def offer(chain: Chain, tx: Tx) -> None:
    """Make them, and let some guests redeem what they got."""
    brand, actor = brands.brand_by_slug(tx, "pechka"), chain.people["marketer"].actor
    cards = list(tx.execute(_CARDS.where(enrolment.c.brand_id == brand.id)))
    chance = random.Random(23)
    coffee = offers.create(tx, brand.id, _COFFEE, now=NOW - 21 * _DAY, actor=actor)
    gift = offers.create(tx, brand.id, _GIFT, now=NOW - 51 * _DAY, actor=actor)
    later = offers.create(tx, brand.id, _POINTS, now=NOW - _DAY, actor=actor)
    for made, back in ((gift, 9), (coffee, 4)):
        at = NOW - back * _DAY
        granting.give(tx, made.id, [EnrolmentId(card.id) for card in cards], now=at, actor=actor)
        for card in cards[:: 2 if made is gift else 3]:
            draft = till.ReceiptDraft(
                card=card.card_code, number=f"{made.code}-{card.id}", amount=chance.randrange(60, 310) * 1000,
                currency="RUB", at=at, offer=made.code,
            )  # fmt: skip
            till.record_receipt(tx, draft, brand_id=brand.id, venue_id=card.venue_id, now=at)
    granting.clear(tx, now=NOW)
    chain.told.update({"offer_id": later.id, "given_offer": coffee.id})


_CARDS = select(enrolment.c.id, enrolment.c.card_code, enrolment.c.venue_id).where(
    enrolment.c.ended_at.is_(None), enrolment.c.blocked_at.is_(None)
)
