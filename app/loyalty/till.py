"""What a till does: record a receipt, redeem points or a reward, refund a receipt, look at a card.

Each verb is one transaction's work: it locks the enrolment, writes the ledger, recomputes the tier and hands
the card's new content down, with one message that tells all of it. Locks: enrolment, pass, visit, counter.
A card of another brand does not exist for a till, nor does one whose guest has left. One that is blocked is
refused, but for refunds: they only take back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from app.db import Tx
from app.db.identifiers import BrandId, VenueId
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import (
    card_codes,
    checks,
    granting,
    habits,
    ledger,
    offer_redeeming,
    offer_terms,
    points,
    redemption_limits,
    store_accounts,
    store_ledger,
)
from app.loyalty.account import Account, CardView
from app.loyalty.granting import OpenOffer
from app.loyalty.idempotency import Answer, once
from app.loyalty.rules import StampRules, TieredRules, point_rules
from app.loyalty.store_accounts import AccountRow
from app.loyalty.tiers import Spend
from app.loyalty.till_words import (
    OfferRedeemed,
    OfferReturned,
    ReceiptDraft,
    Recorded,
    Redeemed,
    Redemption,
    Refunded,
)
from app.passes import issuing
from app.places import visits

__all__ = [
    "Answer",
    "CardView",
    "OfferRedeemed",
    "OfferReturned",
    "OpenOffer",
    "ReceiptDraft",
    "Recorded",
    "Redeemed",
    "Redemption",
    "Refunded",
    "card",
    "offers",
    "once",
    "record_receipt",
    "redeem",
    "refund_receipt",
]

_STEPS_FOR = visits.AGAIN_WITHIN + timedelta(days=7)
"""After that no receipt is a step of the visit that led to the card; a till may send receipts days late."""


def record_receipt(
    tx: Tx,
    draft: ReceiptDraft,
    *,
    brand_id: BrandId,
    venue_id: VenueId,
    now: datetime,
    actor: str = "till",
) -> Recorded:
    """Count a sale: points or stamps by the tier held before it, then the tier it leads to.

    What an offer takes off was not paid: it earns nothing. Raises :class:`BadInput`, :class:`NotFound` for a
    card that is not the brand's or has no such offer, :class:`Conflict` for a number that the venue has
    recorded before and for an offer that cannot be redeemed here and now. Nothing was changed then.
    """
    checks.number(draft.number)
    checks.time(draft.at, now)
    account = Account.open(tx, _locked(tx, draft.card, brand_id, now), now=now)
    checks.money(draft.amount, draft.currency, account.currency)
    rules, paid, offer = account.rules, draft.amount, None
    if draft.offer is not None:
        offer = offer_redeeming.take(
            tx,
            account.enrolment.id,
            draft.offer,
            brand_id=brand_id,
            venue_id=venue_id,
            amount=draft.amount,
            now=now,
        )
        paid -= offer.discount
    point_life = point_rules(rules)
    earned, stamps = 0, 0
    if isinstance(rules, StampRules):
        stamps = rules.per_receipt
    elif isinstance(rules, TieredRules):
        earned = points.earned(paid, account.standing(rules).tier.cashback, currency=draft.currency)
    else:
        earned = points.earned(paid, rules.cashback, currency=draft.currency)
    receipt_id = store_ledger.insert_receipt(
        tx,
        venue_id=venue_id,
        enrolment_id=account.enrolment.id,
        number=draft.number,
        amount=paid,
        currency=draft.currency,
        at=draft.at,
        now=now,
    )
    if receipt_id is None:
        raise Conflict(
            "receipt-recorded",
            f"Receipt {draft.number} of this venue was recorded before. To repeat a call, repeat its"
            " Idempotency-Key; a new sale needs a new number.",
        )
    habits.changed(tx, brand_id, account.enrolment.member_id)
    if account.enrolment.visit_id and now - account.enrolment.enrolled_at <= _STEPS_FOR:
        # A phone that lets go of the card holds its pass when it writes a step of the visit.
        issuing.hold(tx, account.enrolment.pass_id)
        visits.receipt_rung(tx, account.enrolment.visit_id, at=draft.at)
    account.has_spent(Spend(draft.at, paid))
    expires_at = ledger.expiry(point_life, now) if point_life else None
    account.accrue(earned, stamps=stamps, expires_at=expires_at, venue_id=venue_id, receipt_id=receipt_id)
    told = None
    if offer is not None:
        entry_id = None
        if offer.points:
            entry_id = account.accrue(
                offer.points,
                stamps=0,
                expires_at=expires_at,
                venue_id=venue_id,
                receipt_id=receipt_id,
                kind="offer",
            )
        offer_redeeming.note(
            tx, offer, receipt_id, venue_id=venue_id, entry_id=entry_id, actor=actor, now=now
        )
        account.also(partial(offer_terms.without_offer, code=offer.offer.code))
        told = OfferRedeemed(offer=offer.offer, discount=offer.discount, paid=paid, points=offer.points)
    risen = account.settle_tier()
    account.tell(
        points=earned + (told.points if told else 0),
        stamps=stamps,
        risen_to=risen,
        announcement=f"receipt:{receipt_id}",
    )
    return Recorded(
        number=draft.number,
        points=earned,
        stamps=stamps,
        risen=risen is not None,
        card=account.view(),
        offer=told,
    )


def redeem(
    tx: Tx, redemption: Redemption, *, brand_id: BrandId, venue_id: VenueId, now: datetime
) -> Redeemed:
    """Take points (those that expire first) or the stamps of one reward.

    Raises :class:`BadInput`, :class:`NotFound` for a card that is not the brand's, :class:`Conflict` where
    there is not enough on it or the rules allow less. Nothing was changed then.
    """
    if (redemption.points is None) == (not redemption.reward):
        raise BadInput("one-of-two", "Ask either for points or for the reward.", field="points")
    account = Account.open(tx, _locked(tx, redemption.card, brand_id, now), now=now)
    taken, worth, stamps = 0, 0, 0
    if redemption.points is not None:
        taken, worth = redemption.points, redemption_limits.worth(redemption.points, account)
        redemption_limits.refuse_too_many(account, redemption, taken, worth)
    else:
        stamps = redemption_limits.reward_stamps(account)
    entry_id = account.take(taken, stamps=stamps, kind="redemption", venue_id=venue_id)
    account.tell(
        points=-taken, stamps=-stamps, rewarded=redemption.reward, announcement=f"redemption:{entry_id}"
    )
    return Redeemed(points=taken, worth=worth, stamps=stamps, reward=redemption.reward, card=account.view())


def refund_receipt(tx: Tx, number: str, *, brand_id: BrandId, venue_id: VenueId, now: datetime) -> Refunded:
    """Undo a receipt as a whole: take back what it earned and did not expire, as far as it is still there.

    Nothing is edited: a compensating entry is added. The receipt's own points go first, then those that
    expire first; the balance never becomes negative. The spend no longer counts towards the tier. The offer
    that it redeemed is the guest's again, while its time lasts.
    Raises :class:`NotFound` for a receipt that this venue did not record and, as every call does, for a card
    whose guest has left: the money goes back over the counter, there is nobody to take points from.
    :class:`Conflict` the second time. Nothing was changed then.
    """
    checks.number(number)
    known = store_ledger.receipt_by_number(tx, venue_id, number)
    if known is None:
        raise NotFound("no-such-receipt", "This venue has recorded no receipt of that number.")
    row = _ours(store_accounts.lock(tx, known.enrolment_id, now=now), brand_id)
    if not store_ledger.mark_refunded(tx, known.id, now=now):
        raise Conflict("receipt-refunded", f"Receipt {number} was refunded before.")
    habits.changed(tx, brand_id, row.enrolment.member_id)
    account = Account.open(tx, row, now=now)
    taken, stamps = 0, 0
    brought = store_ledger.brought_by(tx, known.id)
    if brought:
        own = [each.id for each in brought] + store_ledger.moved_entries(tx, known.id)
        due = sum(each.points for each in brought) - store_ledger.expired_of_entries(tx, own)
        taken = min(due, account.enrolment.balance)
        stamps = min(sum(each.stamps for each in brought), account.enrolment.stamps)
        account.take(
            taken,
            kind="receipt_refund",
            stamps=stamps,
            venue_id=venue_id,
            receipt_id=known.id,
            reverses_id=brought[0].id,
            first_of=own,
        )
    returned = offer_redeeming.give_back(tx, known.id, now=now)
    if returned is not None and returned.shown is not None:
        account.also(partial(offer_terms.with_offer, offer=returned.shown))
    account.settle_tier()
    account.tell(points=-taken, stamps=-stamps, refund=True, announcement=f"refund:{known.id}")
    offer = None
    if returned is not None:
        offer = OfferReturned(offer=returned.offer, given_back=returned.shown is not None)
    return Refunded(number=number, points=taken, stamps=stamps, card=account.view(), offer=offer)


def card(tx: Tx, card_code: str, *, brand_id: BrandId, now: datetime) -> CardView:
    """What a cashier may know of a card; writes nothing.

    Raises :class:`NotFound`, and :class:`Conflict` for one that is blocked.
    """
    code = card_codes.understood(card_code)
    row = store_accounts.of_card(tx, code, now=now) if code else None
    return Account(tx, _usable(row, brand_id), now).view()


def offers(tx: Tx, card_code: str, *, brand_id: BrandId, venue_id: VenueId, now: datetime) -> list[OpenOffer]:
    """What the card offers, and whether this venue's till may redeem it now; raises as :func:`card` does."""
    code = card_codes.understood(card_code)
    row = _usable(store_accounts.of_card(tx, code, now=now) if code else None, brand_id)
    return granting.open_of(tx, row.enrolment.id, venue_id, now=now)


def _locked(tx: Tx, card_code: str, brand_id: BrandId, now: datetime) -> AccountRow:
    code = card_codes.understood(card_code)
    return _usable(store_accounts.lock_card(tx, code, now=now) if code else None, brand_id)


def _usable(row: AccountRow | None, brand_id: BrandId) -> AccountRow:
    """A card that somebody of the brand has blocked is refused, in words for the cashier."""
    ours = _ours(row, brand_id)
    if ours.enrolment.blocked_at is not None:
        raise Conflict("card-blocked", "This card is blocked. Ask a manager before you do anything with it.")
    return ours


def _ours(row: AccountRow | None, brand_id: BrandId) -> AccountRow:
    if row is None or row.enrolment.brand_id != brand_id or row.enrolment.ended_at is not None:
        raise NotFound("no-such-card", "There is no such card. Check the code, or scan it again.")
    return row
