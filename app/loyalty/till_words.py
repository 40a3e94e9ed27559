"""What a till says of a sale, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.loyalty.account import CardView
from app.loyalty.offer_terms import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptDraft:
    """What a till says of a sale."""

    card: str  # the code as scanned or typed
    number: str  # unique in the venue
    amount: int  # minor units that were paid in money; what was paid with points earns nothing
    currency: str
    at: datetime  # aware; when it was rung up, by the till's clock
    offer: str | None = None  # the code of one that it redeems; the amount is the one before it


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """Points off a receipt (``points``, hundredths) or a stamp programme's reward (``reward``)."""

    card: str
    points: int | None = None
    reward: bool = False
    amount: int | None = None  # of the receipt, before points: needed where the rules limit the share
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRedeemed:
    """What an offer does to the receipt that redeemed it."""

    offer: Offer
    discount: int  # minor units to take off the receipt
    paid: int  # what is left of it, in minor units: it earns points and counts towards the tier
    points: int  # hundredths that the offer brought


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferReturned:
    """What became of the offer of a receipt that was refunded."""

    offer: Offer
    given_back: bool  # the guest may redeem it again; else its time is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a receipt brought."""

    number: str
    points: int  # hundredths
    stamps: int
    risen: bool  # to a higher tier
    card: CardView
    offer: OfferRedeemed | None = None


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
    offer: OfferReturned | None = None
