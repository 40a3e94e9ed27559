"""Offers on guests' cards: given, shown, taken off again when their time is over.

Locks: the offer, enrolments, passes. A verb that shows something on cards belongs at a transaction's end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from app.accounts import audit
from app.db import Tx
from app.db.identifiers import EnrolmentId, OfferId, VenueId, WalletPassId
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import offer_terms, store_enrolments, store_grants, store_offers
from app.loyalty.offer_terms import Offer, Reason
from app.loyalty.store_grants import Card, Grant
from app.passes import issuing
from app.passes.content import MOST_OFFERS, CardOffer, PassContent
from app.passes.issuing import MOST_CHANGES, Revision

LONGEST_CAMPAIGN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A card that has the offer now; ``fresh`` where it had not before this call."""

    enrolment_id: EnrolmentId
    pass_id: WalletPassId
    offer: CardOffer
    fresh: bool

    def shown(self, content: PassContent) -> PassContent:
        """The card with the offer on it: for the revision that announces it, or one of its own. Pure."""
        return offer_terms.with_offer(content, self.offer)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOffer:
    """An offer on a card, as a till meets it."""

    offer: Offer
    until: datetime | None
    refused: Reason | None  # why it cannot be redeemed at this till now; None where it can


def grant(
    tx: Tx,
    offer_id: OfferId,
    enrolment_ids: Sequence[EnrolmentId],
    *,
    campaign: str | None,
    until: datetime | None,
    now: datetime,
) -> list[Granted]:
    """Give the offer to these cards, at most 200; returns those that have it now, sorted.

    Nothing is shown yet: the caller hands ``shown`` down in the one revision that also announces it. A guest
    gets an offer once: asked again, a card that has it is returned as it is; one that has redeemed it, or
    whose guest has it on another card, is not. Nor is one that has ended, of another brand or programme,
    without points where it gives points, or with no room for more. ``until``: the first moment at which it is
    over, at the latest the offer's own. Raises :class:`BadInput`, :class:`NotFound`, and :class:`Conflict`
    where it is over.
    """
    if len(enrolment_ids) > MOST_CHANGES:
        raise BadInput("too-many-changes", f"A transaction changes at most {MOST_CHANGES} cards.")
    if campaign is not None and not 1 <= len(campaign) <= LONGEST_CAMPAIGN:
        raise BadInput("bad-campaign", f"A name has 1 to {LONGEST_CAMPAIGN} characters.", field="campaign")
    known = store_offers.lock(tx, offer_id, shared=True)
    if known is None:
        raise NotFound("no-such-offer", "There is no such offer. See: perkpass offer list")
    if known.is_over(now):
        raise Conflict("offer-over", f"Offer {known.code} is over.")
    until = offer_terms.earliest(until, known.draft.until_at)
    if until is not None and until <= now:
        raise BadInput("ends-too-early", "The last day lies in the past.", field="until")
    cards = [card for card in store_grants.lock_cards(tx, enrolment_ids) if _fits(card, known)]
    earlier = store_grants.held(tx, offer_id, cards)
    had = {each.member_id: each for each in earlier if each.offer_id == offer_id}
    beside = [each.enrolment_id for each in earlier if each.offer_id != offer_id]
    chosen: dict[int, Card] = {}
    for card in cards:
        if card.member_id not in had and beside.count(card.id) < MOST_OFFERS:
            chosen.setdefault(card.member_id, card)
    fresh = store_grants.insert_grants(
        tx, offer_id, list(chosen.values()), campaign=campaign, until=until, now=now
    )
    granted = []
    for card in cards:
        old = had.get(card.member_id)
        if card.id in fresh:
            granted.append(_granted(card, known, until, fresh=True))
        elif old is not None and old.enrolment_id == card.id and old.is_open and not _late(old, now):
            granted.append(_granted(card, known, old.until_at, fresh=False))
    return granted


def give(
    tx: Tx,
    offer_id: OfferId,
    enrolment_ids: Sequence[EnrolmentId],
    *,
    until: datetime | None = None,
    now: datetime,
    actor: str,
) -> list[Granted]:
    """:func:`grant` by hand: the cards show it silently, and nobody is told."""
    granted = grant(tx, offer_id, enrolment_ids, campaign=None, until=until, now=now)
    known = store_offers.by_ids(tx, [offer_id])[offer_id]
    if fresh := [each for each in granted if each.fresh]:
        audit.record(
            tx,
            at=now,
            actor=actor,
            brand_id=known.brand_id,
            action="offer.granted",
            subject=f"offer {known.code}",
            detail={"cards": len(fresh)},
        )
    issuing.revise(tx, [Revision(each.pass_id, each.shown) for each in granted], kind="silent", now=now)
    return granted


def revoke(tx: Tx, offer_id: OfferId, enrolment_ids: Sequence[EnrolmentId], *, now: datetime) -> int:
    """Take the offer silently off these cards (at most 200) that still have it; returns off how many."""
    if len(enrolment_ids) > MOST_CHANGES:
        raise BadInput("too-many-changes", f"A transaction changes at most {MOST_CHANGES} cards.")
    cards = store_grants.lock_cards(tx, enrolment_ids)
    there = store_grants.open_of_offer(tx, offer_id, [card.id for card in cards])
    over = store_grants.set_over(tx, [each.id for each in there], "revoked", now=now)
    _take_off(tx, over, {card.id: card.pass_id for card in cards}, now)
    return len(over)


def clear(tx: Tx, *, now: datetime, limit: int = MOST_CHANGES) -> int:
    """Take offers that are over off at most ``limit`` (≤ 200) cards, silently; returns off how many.

    Cards that a till works on at this moment are left to the next time.
    """
    due = store_grants.due(tx, now=now, limit=min(limit, MOST_CHANGES))
    locked = {one.id: one for one in store_enrolments.lock_many(tx, [each.enrolment_id for each in due])}
    mine = [each.id for each in due if each.enrolment_id in locked]
    over = store_grants.set_over(tx, mine, None, now=now)
    _take_off(tx, over, {one.id: one.pass_id for one in locked.values()}, now)
    return len(over)


def open_of(tx: Tx, enrolment_id: EnrolmentId, venue_id: VenueId, *, now: datetime) -> list[OpenOffer]:
    """What the card offers, and whether it can be redeemed at this venue now; that which ends first first."""
    grants = {each.offer_id: each for each in store_grants.open_of_cards(tx, [enrolment_id])}
    found = store_offers.by_ids(tx, list(grants))
    told = [
        OpenOffer(
            offer=one,
            until=grants[one.id].until_at,
            refused=offer_terms.refused(
                one, until=grants[one.id].until_at, venue_id=venue_id, amount=None, now=now
            ),
        )
        for one in found.values()
    ]
    living = [each for each in told if each.refused != "over"]
    return sorted(living, key=lambda each: offer_terms.place(each.until, each.offer.code))


def on_card(tx: Tx, enrolment_id: EnrolmentId) -> tuple[CardOffer, ...]:
    """What the card says of its offers."""
    grants = store_grants.open_of_cards(tx, [enrolment_id])
    found = store_offers.by_ids(tx, [each.offer_id for each in grants])
    return offer_terms.in_order(offer_terms.on_card(found[each.offer_id], each.until_at) for each in grants)


def _take_off(tx: Tx, over: Sequence[Grant], passes: dict[EnrolmentId, WalletPassId], now: datetime) -> None:
    """One revision a card, however many of its offers are over."""
    codes = {
        one.id: one.code for one in store_offers.by_ids(tx, sorted({each.offer_id for each in over})).values()
    }
    gone: dict[WalletPassId, list[str]] = {}
    for each in over:
        gone.setdefault(passes[each.enrolment_id], []).append(codes[each.offer_id])
    revisions = [Revision(pass_id, _without(found)) for pass_id, found in gone.items()]
    issuing.revise(tx, revisions, kind="silent", now=now)


def _without(codes: Sequence[str]) -> Callable[[PassContent], PassContent]:
    return partial(_content_without, codes=tuple(codes))


def _content_without(content: PassContent, codes: tuple[str, ...]) -> PassContent:
    for code in codes:
        content = offer_terms.without_offer(content, code)
    return content


def _granted(card: Card, known: Offer, until: datetime | None, *, fresh: bool) -> Granted:
    shown = offer_terms.on_card(known, until)
    return Granted(enrolment_id=card.id, pass_id=card.pass_id, offer=shown, fresh=fresh)


def _fits(card: Card, known: Offer) -> bool:
    """Whether the offer is for such cards; a stamp card has nowhere to put points."""
    of_programme = known.draft.programme_id in (None, card.programme_id)
    return (
        card.brand_id == known.brand_id and of_programme and offer_terms.suits(card.kind, known.draft.gives)
    )


def _late(grant: Grant, now: datetime) -> bool:
    return grant.until_at is not None and grant.until_at <= now
