"""Offers as a marketer makes them; how they come on cards, see :mod:`app.loyalty.granting`.

What an offer gives is fixed once a guest has it: it was promised.
"""

from __future__ import annotations

from datetime import datetime

from app.accounts import audit
from app.db import Tx
from app.db.identifiers import BrandId, OfferId
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import offer_terms, programmes
from app.loyalty import store_offers as store
from app.loyalty.offer_terms import Gives, Offer, OfferDraft
from app.places import venues

__all__ = [
    "Gives",
    "Offer",
    "OfferDraft",
    "create",
    "edit",
    "end",
    "offer",
    "offer_by_code",
    "offers_of_brand",
]


def create(tx: Tx, brand_id: BrandId, draft: OfferDraft, *, now: datetime, actor: str) -> Offer:
    """Add an offer that nobody has yet.

    Raises :class:`BadInput` that names the field, :class:`NotFound` for a venue or programme that is not the
    brand's, :class:`Conflict` where the brand has, or had, an offer of this code.
    """
    draft = _checked(tx, brand_id, draft, now)
    offer_id = store.insert_offer(tx, brand_id, draft, now=now)
    if offer_id is None:
        raise Conflict(
            "code-taken", f"The brand has an offer {draft.code} already: receipts name it. Take another code."
        )
    _record(tx, brand_id, "offer.created", draft.code, {"gives": draft.gives}, now, actor)
    return offer(tx, offer_id)


def edit(tx: Tx, offer_id: OfferId, draft: OfferDraft, *, now: datetime, actor: str) -> Offer:
    """Make the offer say what ``draft`` says; the code stays. Equal words change nothing.

    Raises as :func:`create` does, and :class:`Conflict` once a guest has it on a card, or it is over.
    """
    before = _locked(tx, offer_id)
    if before.ended_at is not None:
        raise Conflict("offer-ended", f"Offer {before.code} has ended: make another one.")
    if store.is_granted(tx, offer_id):
        raise Conflict(
            "offer-granted", f"Guests have {before.code} on their cards: end it, and make another one."
        )
    draft = _checked(tx, before.brand_id, draft, now)
    if draft.code != before.code:
        raise BadInput("code-fixed", f"The code {before.code} stays: make another offer.", field="code")
    if draft == before.draft:
        return before
    store.update_offer(tx, offer_id, draft)
    names = OfferDraft.__dataclass_fields__
    changed = sorted(name for name in names if getattr(draft, name) != getattr(before.draft, name))
    _record(tx, before.brand_id, "offer.changed", before.code, {"changed": changed}, now, actor)
    return offer(tx, offer_id)


def end(tx: Tx, offer_id: OfferId, *, now: datetime, actor: str) -> Offer:
    """Let nobody redeem it from now on; it leaves the cards a little later. Twice changes nothing."""
    known = _locked(tx, offer_id)
    if known.ended_at is None:
        store.end_offer(tx, offer_id, now=now)
        _record(tx, known.brand_id, "offer.ended", known.code, {}, now, actor)
    return offer(tx, offer_id)


def offer(tx: Tx, offer_id: OfferId) -> Offer:
    """By number; raises NotFound."""
    return _found(store.by_id(tx, offer_id))


def offer_by_code(tx: Tx, brand_id: BrandId, code: str) -> Offer:
    """The brand's offer of this code, in any case; raises NotFound."""
    return _found(store.by_code(tx, brand_id, code.strip().upper()))


def offers_of_brand(tx: Tx, brand_id: BrandId) -> list[Offer]:
    """All of a brand, newest first."""
    return store.of_brand(tx, brand_id)


def _checked(tx: Tx, brand_id: BrandId, draft: OfferDraft, now: datetime) -> OfferDraft:
    draft = offer_terms.checked(draft, now=now)
    if draft.programme_id is not None:
        programme = programmes.programme(tx, draft.programme_id)
        if programme.brand_id != brand_id:
            raise NotFound("no-such-programme", "The programme is not one of the brand's.")
        if not offer_terms.suits(programme.kind, draft.gives):
            raise BadInput("no-points", "This programme has stamps, not points.", field="gives")
    known = {venue.id for venue in venues.all_venues(tx, brand_id)}
    if not draft.venue_ids <= known:
        raise NotFound("no-such-venue", "A venue is not one of the brand's.")
    return draft


def _locked(tx: Tx, offer_id: OfferId) -> Offer:
    return _found(store.lock(tx, offer_id))


def _found(known: Offer | None) -> Offer:
    if known is None:
        raise NotFound("no-such-offer", "There is no such offer. See: perkpass offer list")
    return known


def _record(
    tx: Tx, brand_id: BrandId, action: str, code: str, detail: dict[str, object], now: datetime, actor: str
) -> None:
    audit.record(
        tx, at=now, actor=actor, brand_id=brand_id, action=action, subject=f"offer {code}", detail=detail
    )
