"""What a till does: record a receipt, redeem points or a reward, refund a receipt, look at a card.

Each verb is one transaction's work: it locks the enrolment, writes the ledger, recomputes the tier and hands
the card's new content down, with one message that tells all of it. Locks: enrolment, pass, visit, counter.
A card of another brand does not exist for a till, nor does one whose guest has left. One that is blocked is
refused, but for refunds: they only take back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import Tx
from app.db.identifiers import BrandId, VenueId
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import card_codes, checks, habits, ledger, points, store_accounts, store_ledger, wording
from app.loyalty.account import Account, CardView
from app.loyalty.idempotency import Answer, once
from app.loyalty.rules import StampRules, TieredRules, point_rules
from app.loyalty.store_accounts import AccountRow
from app.loyalty.tiers import Spend
from app.passes import issuing
from app.places import visits

__all__ = [
    "Answer",
    "CardView",
    "ReceiptDraft",
    "Recorded",
    "Redeemed",
    "Redemption",
    "Refunded",
    "card",
    "once",
    "record_receipt",
    "redeem",
    "refund_receipt",
]

MOST_POINTS = 10**12
_STEPS_FOR = visits.AGAIN_WITHIN + timedelta(days=7)
"""After that no receipt is a step of the visit that led to the card; a till may send receipts days late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptDraft:
    """What a till says of a sale."""

    card: str  # the code as scanned or typed
    number: str  # unique in the venue
    amount: int  # minor units that were paid in money; what was paid with points earns nothing
    currency: str
    at: datetime  # aware; when it was rung up, by the till's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """Points off a receipt (``points``, hundredths) or a stamp programme's reward (``reward``)."""

    card: str
    points: int | None = None
    reward: bool = False
    amount: int | None = None  # of the receipt, before points: needed where the rules limit the share
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a receipt brought."""

    number: str
    points: int  # hundredths
    stamps: int
    risen: bool  # to a higher tier
    card: CardView


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """What was taken, and what it pays."""

    points: int  # hundredths
    worth: int  # minor units to take off the receipt
    stamps: int
    reward: bool
    card: CardView


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """What a refund took back."""

    number: str
    points: int  # hundredths
    stamps: int
    card: CardView


def record_receipt(
    tx: Tx, draft: ReceiptDraft, *, brand_id: BrandId, venue_id: VenueId, now: datetime
) -> Recorded:
    """Count a sale: points or stamps by the tier held before it, then the tier it leads to.

    Raises :class:`BadInput`, :class:`NotFound` for a card that is not the brand's, :class:`Conflict` for a
    number that the venue has recorded before. Nothing was changed then.
    """
    checks.number(draft.number)
    checks.time(draft.at, now)
    account = Account.open(tx, _locked(tx, draft.card, brand_id, now), now=now)
    checks.money(draft.amount, draft.currency, account.currency)
    rules = account.rules
    point_life = point_rules(rules)
    earned, stamps = 0, 0
    if isinstance(rules, StampRules):
        stamps = rules.per_receipt
    elif isinstance(rules, TieredRules):
        earned = points.earned(draft.amount, account.standing(rules).tier.cashback, currency=draft.currency)
    else:
        earned = points.earned(draft.amount, rules.cashback, currency=draft.currency)
    receipt_id = store_ledger.insert_receipt(
        tx,
        venue_id=venue_id,
        enrolment_id=account.enrolment.id,
        number=draft.number,
        amount=draft.amount,
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
    account.has_spent(Spend(draft.at, draft.amount))
    account.accrue(
        earned,
        stamps=stamps,
        expires_at=ledger.expiry(point_life, now) if point_life else None,
        venue_id=venue_id,
        receipt_id=receipt_id,
    )
    risen = account.settle_tier()
    account.tell(points=earned, stamps=stamps, risen_to=risen, announcement=f"receipt:{receipt_id}")
    return Recorded(
        number=draft.number, points=earned, stamps=stamps, risen=risen is not None, card=account.view()
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
        taken, worth = redemption.points, _worth(redemption.points, account)
        _refuse_too_many(account, redemption, taken, worth)
    else:
        stamps = _reward_stamps(account)
    entry_id = account.take(taken, stamps=stamps, kind="redemption", venue_id=venue_id)
    account.tell(
        points=-taken, stamps=-stamps, rewarded=redemption.reward, announcement=f"redemption:{entry_id}"
    )
    return Redeemed(points=taken, worth=worth, stamps=stamps, reward=redemption.reward, card=account.view())


def refund_receipt(tx: Tx, number: str, *, brand_id: BrandId, venue_id: VenueId, now: datetime) -> Refunded:
    """Undo a receipt as a whole: take back what it earned and did not expire, as far as it is still there.

    Nothing is edited: a compensating entry is added. The receipt's own points go first, then those that
    expire first; the balance never becomes negative. The spend no longer counts towards the tier.
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
    accrual = store_ledger.accrual_of(tx, known.id)
    if accrual:
        moved = store_ledger.moved_entries(tx, known.id)
        due = accrual.points - store_ledger.expired_of_entries(tx, [accrual.id, *moved])
        taken = min(due, account.enrolment.balance)
        stamps = min(accrual.stamps, account.enrolment.stamps)
        account.take(
            taken,
            kind="receipt_refund",
            stamps=stamps,
            venue_id=venue_id,
            receipt_id=known.id,
            reverses_id=accrual.id,
            first_of=moved[-1] if moved else accrual.id,
        )
    account.settle_tier()
    account.tell(points=-taken, stamps=-stamps, refund=True, announcement=f"refund:{known.id}")
    return Refunded(number=number, points=taken, stamps=stamps, card=account.view())


def card(tx: Tx, card_code: str, *, brand_id: BrandId, now: datetime) -> CardView:
    """What a cashier may know of a card; writes nothing.

    Raises :class:`NotFound`, and :class:`Conflict` for one that is blocked.
    """
    code = card_codes.understood(card_code)
    row = store_accounts.of_card(tx, code, now=now) if code else None
    return Account(tx, _usable(row, brand_id), now).view()


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


def _worth(wanted: int, account: Account) -> int:
    """Minor units that so many points pay; raises where the programme has none, or no coin is that small."""
    if point_rules(account.rules) is None:
        raise BadInput("no-points", "This programme has stamps, not points.", field="points")
    if not 1 <= wanted <= MOST_POINTS:
        raise BadInput("bad-points", "Points are hundredths, at least 1.", field="points")
    currency = account.currency
    paid = points.worth(wanted, currency=currency)
    if paid is None:
        raise BadInput(
            "points-not-payable",
            f"{wanted} hundredths of a point are no whole amount of {currency}.",
            field="points",
        )
    return paid


def _refuse_too_many(account: Account, redemption: Redemption, wanted: int, paid: int) -> None:
    """Raise where the rules, the receipt or the balance allow fewer than ``wanted``, which pay ``paid``."""
    currency = account.currency
    if redemption.amount is not None:
        checks.money(redemption.amount, redemption.currency, currency)
    rules = point_rules(account.rules)
    share = rules.maximum_share if rules else None
    if share is not None:
        if redemption.amount is None:
            raise BadInput(
                "amount-needed",
                "This programme limits which part of a receipt points may pay: send amount and currency.",
                field="amount",
            )
        most = points.most_payable(redemption.amount, share, currency=currency)
        if wanted > most:
            raise Conflict(
                "share-exceeded",
                f"At most {wording.number(most, 'en')} points may pay for this receipt.",
            )
    if redemption.amount is not None and paid > redemption.amount:
        raise Conflict("more-than-due", "That is more than the receipt's amount.")
    if wanted > account.enrolment.balance:
        have = wording.number(account.enrolment.balance, "en")
        raise Conflict("not-enough-points", f"There are {have} points on this card.")


def _reward_stamps(account: Account) -> int:
    rules = account.rules
    if not isinstance(rules, StampRules):
        raise BadInput("no-reward", "This programme has points, not rewards.", field="reward")
    if account.enrolment.stamps < rules.for_reward:
        missing = rules.for_reward - account.enrolment.stamps
        raise Conflict("not-enough-stamps", f"{wording.counted(missing, 'en')} are missing for the reward.")
    return rules.for_reward
