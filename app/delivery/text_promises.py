"""The values of texts: what is promised to whom, what is claimed, what came of a try, what was told later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from app.db.identifiers import BrandId, DeliveryId, MemberId

TextKind = Literal["code", "service", "advertising"]
"""Why somebody is texted; decides who is served first, and whether consent and quiet hours are asked for."""

TextState = Literal[
    "pending",
    "sending",
    "accepted",
    "superseded",
    "gone",
    "refused",
    "exhausted",
    "delivered",
    "undelivered",
]
TextVerdict = Literal["accepted", "retry", "refused", "unknown"]
"""What a try came to: ``retry`` says that nothing was taken, ``unknown`` that it may have left."""

Unsendable = Literal["gone", "superseded", "exhausted"]

TEXT_PRIORITIES: Final[Mapping[TextKind, int]] = {"code": 10, "service": 11, "advertising": 12}
"""10 is served first: a guest waits for a code with the phone in hand."""

UNKNOWN: Final = "Unknown"
"""The reason of a text that may have left, and is not sent again."""
TOO_LATE: Final = "TooLate"
REPLACED: Final = "Replaced"
CONSENT_WITHDRAWN: Final = "ConsentWithdrawn"
QUIET_HOURS: Final = "QuietHours"
LOGIN_STOPPED: Final = "LoginStopped"

TEXT_EDGES: Final[Mapping[TextState, frozenset[TextState]]] = {
    "pending": frozenset({"sending", "accepted", "delivered", "undelivered"}),
    "sending": frozenset(
        {
            "pending",
            "accepted",
            "superseded",
            "gone",
            "refused",
            "exhausted",
            "delivered",
            "undelivered",
        }
    ),
    "accepted": frozenset({"delivered", "undelivered"}),
    "undelivered": frozenset({"delivered"}),
    "exhausted": frozenset({"accepted", "delivered", "undelivered"}),
    "delivered": frozenset(),
    "superseded": frozenset(),
    "gone": frozenset(),
    "refused": frozenset(),
}
"""The second drawing of docs/delivery-states.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDraft:
    """A text to promise. ``price`` is what all its parts are expected to cost, in minor units."""

    brand_id: BrandId
    member_id: MemberId | None
    login: str
    kind: TextKind
    number: str = field(repr=False)  # E.164
    text: str = field(repr=False)
    sender: str | None
    encoding: Literal["gsm7", "ucs2"]
    parts: int
    price: int | None
    currency: str | None
    due_at: datetime
    not_after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedText:
    """A text that one owner holds until its lease ends."""

    id: DeliveryId
    login: str
    kind: TextKind
    brand_id: BrandId
    member_id: MemberId | None
    reference: int  # ours, the same for every try
    number: str = field(repr=False)
    text: str = field(repr=False)
    sender: str | None
    not_after: datetime | None
    attempts: int  # this one included
    in_doubt_since: datetime | None  # an earlier try, which ended then, may have left: ask before sending
    provider_id: str | None
    due_at: datetime

    @property
    def in_doubt(self) -> bool:
        """Whether an earlier try may have left."""
        return self.in_doubt_since is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOutcome:
    """What came of the attempt at one claimed text, in the gateway's own words."""

    claimed: ClaimedText
    verdict: TextVerdict
    reason: str
    status: int | None = None
    provider_id: str | None = None
    parts: int | None = None  # that the gateway took; of one that is refused: those before the refused one
    price: int | None = None  # minor units of ``currency``, the gateway's own
    currency: str | None = None
    retry_after: timedelta | None = None
    asked_only: bool = False  # nothing was sent: what was in doubt before is so since then
    counts: bool = True  # False: not this text's fault (a stopped login), so it wears out no patience of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptTold:
    """What a gateway told of a text it took, named by its own identifier, by our reference or by both."""

    login: str
    state: Literal["delivered", "undelivered"]
    reason: str
    provider_id: str | None = None
    reference: int | None = None
    at: datetime | None = None
    price: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAsk:
    """A text that a gateway took, and told nothing about since or not what it cost."""

    id: DeliveryId
    reference: int
    number: str = field(repr=False)
    provider_id: str | None
    accepted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRow:
    """A text as support sees it."""

    id: DeliveryId
    brand_id: BrandId
    member_id: MemberId | None
    login: str
    kind: TextKind
    state: TextState
    reason: str | None
    number: str = field(repr=False)
    text: str | None = field(repr=False)  # forgotten once a code is over
    sender: str | None
    reference: int
    provider_id: str | None
    encoding: str
    parts: int
    price: int | None
    currency: str | None
    price_told: bool  # by the gateway: else it is what we expect
    in_doubt: bool
    attempts: int
    created_at: datetime
    due_at: datetime
    not_after: datetime | None
    accepted_at: datetime | None
    settled_at: datetime | None
    receipt_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What texts of one kind cost, or will: those under way, taken, perhaps taken, or taken in part."""

    kind: TextKind
    currency: str | None  # None: without a known price
    texts: int
    parts: int
    amount: int  # minor units


@dataclass(frozen=True, slots=True, kw_only=True)
class TextQueue:
    """The texts of one login at one moment."""

    login: str
    due: int
    waiting: int  # due later: a retry, quiet hours
    sending: int
    in_doubt: int
    oldest_due_seconds: float
