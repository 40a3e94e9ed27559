"""SQL of offers on guests' cards: who has one, who redeemed it where, and what came off again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import case, or_, select, update
from sqlalchemy import insert as plain_insert

from app.db import Tx, among, insert
from app.db.identifiers import (
    BrandId,
    EnrolmentId,
    LedgerEntryId,
    MemberId,
    OfferGrantId,
    OfferId,
    ProgrammeId,
    ReceiptId,
    VenueId,
    WalletPassId,
)
from app.loyalty.offer_tables import offer, offer_grant, offer_redemption
from app.loyalty.tables import enrolment, programme

Over = Literal["expired", "ended", "revoked", "left", "united"]
_grant = offer_grant.c
_OPEN = (_grant.redeemed_at.is_(None), _grant.over_at.is_(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card that an offer may be put on."""

    id: EnrolmentId
    member_id: MemberId
    brand_id: BrandId
    programme_id: ProgrammeId
    pass_id: WalletPassId
    kind: str  # of its programme


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A row of ``offer_grant``."""

    id: OfferGrantId
    offer_id: OfferId
    member_id: MemberId
    enrolment_id: EnrolmentId
    campaign: str | None
    granted_at: datetime
    until_at: datetime | None
    redeemed_at: datetime | None
    over_at: datetime | None
    over_because: Over | None
    same_as_id: OfferGrantId | None

    @property
    def is_open(self) -> bool:
        """Whether it is on the card."""
        return self.redeemed_at is None and self.over_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A row of ``offer_redemption``."""

    id: int
    grant_id: OfferGrantId
    receipt_id: ReceiptId
    venue_id: VenueId
    entry_id: LedgerEntryId | None
    discount: int  # minor units
    actor: str
    at: datetime
    returned_at: datetime | None


_GRANT = tuple(_grant[name] for name in Grant.__dataclass_fields__)
_REDEMPTION = tuple(offer_redemption.c[name] for name in Redemption.__dataclass_fields__)


def lock_cards(tx: Tx, enrolment_ids: Sequence[int]) -> list[Card]:
    """Those of the cards that have not ended, sorted and locked: first of all locks."""
    statement = (
        select(
            enrolment.c.id,
            enrolment.c.member_id,
            enrolment.c.brand_id,
            enrolment.c.programme_id,
            enrolment.c.pass_id,
            programme.c.kind,
        )
        .join(programme, programme.c.id == enrolment.c.programme_id)
        .where(among(enrolment.c.id, sorted(enrolment_ids)), enrolment.c.ended_at.is_(None))
        .order_by(enrolment.c.id)
        .with_for_update(of=enrolment)
    )
    return [Card(**row._mapping) for row in tx.execute(statement)]


def held(tx: Tx, offer_id: int, cards: Sequence[Card]) -> list[Grant]:
    """What these guests have or had of the offer, and whatever else is on these cards."""
    of_offer = select(*_GRANT).where(
        _grant.offer_id == offer_id,
        among(_grant.member_id, [card.member_id for card in cards]),
        _grant.same_as_id.is_(None),
    )
    beside = select(*_GRANT).where(
        among(_grant.enrolment_id, [card.id for card in cards]), _grant.offer_id != offer_id, *_OPEN
    )
    return [Grant(**row._mapping) for each in (of_offer, beside) for row in tx.execute(each)]


def insert_grants(
    tx: Tx,
    offer_id: int,
    cards: Sequence[Card],
    *,
    campaign: str | None,
    until: datetime | None,
    now: datetime,
) -> set[EnrolmentId]:
    """Put it on the cards; returns on which: a guest who has it on another one meanwhile is left out."""
    if not cards:
        return set()
    rows = [
        {
            "offer_id": offer_id,
            "member_id": card.member_id,
            "enrolment_id": card.id,
            "campaign": campaign,
            "granted_at": now,
            "until_at": until,
        }
        for card in cards
    ]
    adding = insert(tx, offer_grant).values(rows).on_conflict_do_nothing().returning(_grant.enrolment_id)
    return set(tx.scalars(adding))


def open_of_cards(tx: Tx, enrolment_ids: Sequence[int]) -> list[Grant]:
    """What is on these cards, oldest first."""
    statement = select(*_GRANT).where(among(_grant.enrolment_id, enrolment_ids), *_OPEN)
    return [Grant(**row._mapping) for row in tx.execute(statement.order_by(_grant.id))]


def of_card_and_offer(tx: Tx, enrolment_id: int, offer_id: int) -> Grant | None:
    """What this card has of the offer, or had."""
    statement = select(*_GRANT).where(
        _grant.enrolment_id == enrolment_id, _grant.offer_id == offer_id, _grant.same_as_id.is_(None)
    )
    row = tx.execute(statement).first()
    return Grant(**row._mapping) if row else None


def mark_redeemed(tx: Tx, grant_id: int, *, now: datetime) -> bool:
    """False where it was redeemed before, or has left the card."""
    changed = tx.execute(update(offer_grant).where(_grant.id == grant_id, *_OPEN).values(redeemed_at=now))
    return changed.rowcount == 1


def insert_redemption(
    tx: Tx,
    *,
    grant_id: int,
    receipt_id: int,
    venue_id: int,
    entry_id: int | None,
    discount: int,
    actor: str,
    now: datetime,
) -> None:
    """Append it; the database refuses a second one of a grant."""
    tx.execute(
        plain_insert(offer_redemption).values(
            grant_id=grant_id,
            receipt_id=receipt_id,
            venue_id=venue_id,
            entry_id=entry_id,
            discount=discount,
            actor=actor,
            at=now,
        )
    )


def redemption_of_receipt(tx: Tx, receipt_id: int) -> tuple[Redemption, Grant] | None:
    """What a receipt redeemed, and of whom."""
    row = tx.execute(select(*_REDEMPTION).where(offer_redemption.c.receipt_id == receipt_id)).first()
    if row is None:
        return None
    grant = tx.execute(select(*_GRANT).where(_grant.id == row.grant_id)).one()
    return Redemption(**row._mapping), Grant(**grant._mapping)


def give_back(tx: Tx, redemption: Redemption, *, now: datetime) -> None:
    """The guest has it on the card again."""
    tx.execute(update(offer_redemption).where(offer_redemption.c.id == redemption.id).values(returned_at=now))
    tx.execute(update(offer_grant).where(_grant.id == redemption.grant_id).values(redeemed_at=None))


def due(tx: Tx, *, now: datetime, limit: int) -> list[Grant]:
    """Offers that have to leave their cards: their time is over, or somebody ended them."""
    late = (
        select(*_GRANT)
        .where(_grant.until_at <= now, *_OPEN)
        .order_by(_grant.until_at, _grant.id)
        .limit(limit)
    )
    found = [Grant(**row._mapping) for row in tx.execute(late)]
    if len(found) < limit:
        ended = (
            select(*_GRANT)
            .join(offer, offer.c.id == _grant.offer_id)
            .where(offer.c.ended_at.is_not(None), *_OPEN)
            .where(or_(_grant.until_at.is_(None), _grant.until_at > now))
            .order_by(_grant.offer_id, _grant.id)
            .limit(limit - len(found))
        )
        found += [Grant(**row._mapping) for row in tx.execute(ended)]
    return found


def set_over(tx: Tx, grant_ids: Sequence[int], because: Over | None, *, now: datetime) -> list[Grant]:
    """Take these off their cards, those that are still on one; returns them.

    Without a reason it is what time did: ``expired`` where their own is over, else ``ended``.
    """
    why = because or case((_grant.until_at <= now, "expired"), else_="ended")
    statement = (
        update(offer_grant)
        .where(among(_grant.id, grant_ids), *_OPEN)
        .values(over_at=now, over_because=why)
        .returning(*_GRANT)
    )
    return [Grant(**row._mapping) for row in tx.execute(statement)]


def open_of_offer(tx: Tx, offer_id: int, enrolment_ids: Sequence[int]) -> list[Grant]:
    """Which of these cards have the offer."""
    statement = select(*_GRANT).where(
        _grant.offer_id == offer_id, among(_grant.enrolment_id, enrolment_ids), *_OPEN
    )
    return [Grant(**row._mapping) for row in tx.execute(statement)]


def of_cards(tx: Tx, enrolment_ids: Sequence[int]) -> list[Grant]:
    """All that these cards ever had, oldest first."""
    statement = select(*_GRANT).where(among(_grant.enrolment_id, enrolment_ids)).order_by(_grant.id)
    return [Grant(**row._mapping) for row in tx.execute(statement)]


def of_member(tx: Tx, member_id: int) -> list[Grant]:
    """All that a guest ever had, on any card, oldest first."""
    statement = select(*_GRANT).where(_grant.member_id == member_id).order_by(_grant.id)
    return [Grant(**row._mapping) for row in tx.execute(statement)]


def redemptions(tx: Tx, grant_ids: Sequence[int]) -> list[Redemption]:
    """Where these were redeemed, oldest first."""
    statement = select(*_REDEMPTION).where(among(offer_redemption.c.grant_id, grant_ids))
    return [Redemption(**row._mapping) for row in tx.execute(statement.order_by(offer_redemption.c.id))]


def hand_over(tx: Tx, *, out_of: EnrolmentId, into: EnrolmentId) -> None:
    """What one card had is the other's, of the same guest."""
    tx.execute(update(offer_grant).where(_grant.enrolment_id == out_of).values(enrolment_id=into))


def hand_over_all(tx: Tx, *, out_of: MemberId, into: MemberId) -> None:
    """What one member had is the other's; what both had was told apart before."""
    tx.execute(update(offer_grant).where(_grant.member_id == out_of).values(member_id=into))


def set_same(tx: Tx, grant: Grant, kept: Grant, *, now: datetime) -> None:
    """The guest has it twice: the other one is kept, this one leaves the card."""
    over = {"over_at": now, "over_because": "united"} if grant.is_open else {}
    tx.execute(update(offer_grant).where(_grant.id == grant.id).values(same_as_id=kept.id, **over))


def end_of_cards(tx: Tx, enrolment_ids: Sequence[int], *, now: datetime) -> None:
    """The guest has left: what was open on these cards is over."""
    tx.execute(
        update(offer_grant)
        .where(among(_grant.enrolment_id, enrolment_ids), *_OPEN)
        .values(over_at=now, over_because="left")
    )
