"""The values that pass between the beats of texts, and what gateways say in the words of deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.db.identifiers import DeliveryId
from app.delivery.quiet_hours import QuietHours
from app.delivery.text_promises import ClaimedText, ReceiptTold, TextOutcome, Unsendable
from app.delivery.texts import ToAsk
from app.sms.gateway import Gateway, Receipt, ReceiptState


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLogin:
    """A login as the worker needs it: its gateway, and how fast all processes together may send."""

    gateway: Gateway
    rate: float  # texts a second
    burst: int = 1
    low_balance: int | None = None  # minor units: below that the operator is told


@dataclass(frozen=True, slots=True, kw_only=True)
class TextingBrand:
    """A brand that texts: which login its guests answer to, and when they are left in peace."""

    login: str
    quiet: QuietHours = field(default_factory=QuietHours)


@dataclass(frozen=True, slots=True)
class Ended:
    """What becomes of a text that must not be sent: it ends."""

    state: Unsendable
    reason: str


@dataclass(frozen=True, slots=True)
class PutOff:
    """What becomes of a text that must not be sent now: it waits."""

    due_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReady:
    """A claimed text and when it leaves, by the monotonic clock where it says no date."""

    claimed: ClaimedText
    prepared_at: datetime
    prepared: float
    leaves: float
    too_late: float  # somebody else may hold it soon
    validity: timedelta | None = None  # how long the gateway may try
    unless_taken: Ended | PutOff | None = None  # in doubt, and not to be sent any more: merely asked for

    @property
    def id(self) -> DeliveryId:
        """The promise's."""
        return self.claimed.id


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAnswered:
    """What came of one: an outcome, or what becomes of a text that turns out never to have left."""

    ready: TextReady
    outcome: TextOutcome | None
    stopped: bool = False  # the login is, whatever the text
    told: ReceiptTold | None = None  # asking said how far it came
    unless_taken: Ended | PutOff | None = None  # without an outcome: what becomes of it
    opted_out: bool = False  # the number's holder told the gateway to stop

    @property
    def id(self) -> DeliveryId:
        """The promise's."""
        return self.ready.claimed.id


def told(login: str, receipt: Receipt, *, of: int | None = None) -> ReceiptTold | None:
    """A receipt as deliveries hear it; None where it says nothing final. ``of``: our reference."""
    if receipt.state not in (ReceiptState.DELIVERED, ReceiptState.UNDELIVERED):
        return None
    return ReceiptTold(
        login=login,
        state="delivered" if receipt.state is ReceiptState.DELIVERED else "undelivered",
        reason=receipt.reason,
        provider_id=receipt.provider_id,
        reference=receipt.reference or of,
        at=receipt.at,
        price=receipt.price.amount if receipt.price else None,
        currency=receipt.price.currency if receipt.price else None,
    )


def named(receipt: Receipt, one: ToAsk) -> Receipt:
    """The receipt of a text that was asked for, whatever it calls it."""
    return Receipt(
        state=receipt.state,
        reason=receipt.reason,
        provider_id=receipt.provider_id or one.provider_id,
        reference=one.reference,
        at=receipt.at,
        price=receipt.price,
    )
