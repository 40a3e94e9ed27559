"""Redeeming an offer with a receipt, and giving it back with the refund: steps of the till's transaction.

The card is locked. A grant is taken by one update that finds it untaken, and the database keeps one
redemption of it: whoever comes second is refused. A refunded receipt gives the offer back while its time
lasts; after that it stays redeemed, and the till is told so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.db import Tx
from app.db.identifiers import BrandId, EnrolmentId, LedgerEntryId, OfferGrantId, ReceiptId, VenueId
from app.errors import Conflict, NotFound
from app.loyalty import offer_terms, store_grants, store_offers
from app.loyalty.offer_terms import Offer, Reason
from app.passes.content import CardOffer

REFUSALS: dict[Reason, tuple[str, str]] = {
    "over": ("offer-over", "This offer is over."),
    "not-yet": ("offer-not-yet", "This offer does not hold yet."),
    "elsewhere": ("offer-elsewhere", "This offer is not for this venue."),
    "below-minimum": ("offer-below-minimum", "The receipt is too small for this offer."),
}
"""By reason the problem's code and what a cashier is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An offer that this receipt redeems."""

    grant_id: OfferGrantId
    offer: Offer
    discount: int  # minor units to take off the receipt

    @property
    def points(self) -> int:
        """Hundredths that it brings."""
        return self.offer.draft.worth if self.offer.draft.gives == "points" else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What became of the offer of a refunded receipt."""

    offer: Offer
    entry_id: LedgerEntryId | None  # of the points that it had brought
    shown: CardOffer | None  # what the card says of it again; None where its time is over


def take(
    tx: Tx,
    enrolment_id: EnrolmentId,
    code: str,
    *,
    brand_id: BrandId,
    venue_id: VenueId,
    amount: int,
    now: datetime,
) -> Taken:
    """Take the offer for a receipt of ``amount`` (minor units, before it).

    Raises :class:`NotFound` where the card has no such offer, :class:`Conflict` where it cannot be redeemed
    here and now; the caller rolls back then.
    """
    known = store_offers.by_code(tx, brand_id, code.strip().upper())
    grant = store_grants.of_card_and_offer(tx, enrolment_id, known.id) if known else None
    if known is None or grant is None:
        raise NotFound("no-such-offer", "This card has no offer of that code.")
    if grant.redeemed_at is not None:
        raise _redeemed()
    reason = offer_terms.refused(known, until=grant.until_at, venue_id=venue_id, amount=amount, now=now)
    if grant.over_at is not None:
        reason = "over"
    if reason is not None:
        raise Conflict(*REFUSALS[reason])
    if not store_grants.mark_redeemed(tx, grant.id, now=now):
        raise _redeemed()
    return Taken(grant_id=grant.id, offer=known, discount=offer_terms.discount(known.draft, amount))


def note(
    tx: Tx,
    taken: Taken,
    receipt_id: ReceiptId,
    *,
    venue_id: VenueId,
    entry_id: LedgerEntryId | None,
    actor: str,
    now: datetime,
) -> None:
    """Write down which receipt redeemed it, and the entry of the points that it brought."""
    store_grants.insert_redemption(
        tx,
        grant_id=taken.grant_id,
        receipt_id=receipt_id,
        venue_id=venue_id,
        entry_id=entry_id,
        discount=taken.discount,
        actor=actor,
        now=now,
    )


def give_back(tx: Tx, receipt_id: ReceiptId, *, now: datetime) -> Returned | None:
    """Undo what a refunded receipt redeemed, while the offer lasts; None where it redeemed nothing."""
    found = store_grants.redemption_of_receipt(tx, receipt_id)
    if found is None:
        return None
    redemption, grant = found
    known = store_offers.by_ids(tx, [grant.offer_id])[grant.offer_id]
    lasts = not known.is_over(now) and (grant.until_at is None or grant.until_at > now)
    if not lasts or grant.same_as_id is not None:
        return Returned(offer=known, entry_id=redemption.entry_id, shown=None)
    store_grants.give_back(tx, redemption, now=now)
    shown = offer_terms.on_card(known, grant.until_at)
    return Returned(offer=known, entry_id=redemption.entry_id, shown=shown)


def _redeemed() -> Conflict:
    return Conflict("offer-redeemed", "This offer was redeemed before: a guest may do so once.")
