"""The values of changes that Google is to take: what is promised, what is claimed, what came of a try."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from app.db.identifiers import BrandId, DeliveryId, GoogleBroadcastId, GoogleClassId, GoogleObjectId
from app.delivery.promises import State

GoogleKind = Literal["class", "receipt", "level", "broadcast", "campaign", "silent"]
"""Why Google is told; decides who is served first, and whether the holder may be notified."""

GOOGLE_PRIORITIES: Final[Mapping[GoogleKind, int]] = {
    "class": 20,  # an object cannot be made before its class
    "receipt": 21,
    "level": 22,
    "broadcast": 23,  # a campaign's message to a whole class: one request for many cards
    "campaign": 24,
    "silent": 25,
}
"""20 is served first; apart from those of pushes and texts, whose claims never see these rows."""

Shown = Literal["accepted", "accepted_silently", "no_holder", "held_by_quota", "failed"]
"""What people are told of a change. Google tells of no delivery, so nobody here speaks of one."""

GoogleVerdict = Literal["accepted", "next", "retry", "refused", "lost"]
"""What a try came to: ``next`` says that one step is done and another must follow at once, ``lost`` that it
is not known whether it happened."""

NOTIFIED: Final = "Notified"
"""The reason of a change that the holder was notified of, as far as Google lets us ask for that."""
SILENT: Final = "Silent"
NO_HOLDER: Final = "NoHolder"
HELD_BY_QUOTA: Final = "HeldByQuota"
UNCHANGED: Final = "Unchanged"
HANDED_TO_CARDS: Final = "HandedToCards"
"""The reason of a broadcast that each card is told of by itself: how that went is told of each of them."""
_SHOWN: Final[Mapping[str | None, Shown]] = {
    NOTIFIED: "accepted",
    SILENT: "accepted_silently",
    UNCHANGED: "accepted_silently",
    NO_HOLDER: "no_holder",
    HELD_BY_QUOTA: "held_by_quota",
}


def shown(state: State, reason: str | None) -> Shown | None:
    """What people are told of a promise in this state; None while it is under way or after it was replaced.

    Of one that is ``accepted`` the reason is one of the words of this module.
    """
    if state in ("pending", "sending", "superseded"):
        return None
    return _SHOWN.get(reason, "accepted_silently") if state == "accepted" else "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GooglePromise:
    """A change of one object or class, or a message to a class, that Google shall take."""

    brand_id: BrandId  # whose account writes it
    target: GoogleObjectId | GoogleClassId | GoogleBroadcastId  # of which of them, the kind says
    kind: GoogleKind
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedGoogle:
    """A promise that one owner holds until its lease ends."""

    id: DeliveryId
    brand_id: BrandId
    kind: GoogleKind
    object_id: GoogleObjectId | None
    class_id: GoogleClassId | None
    broadcast_id: GoogleBroadcastId | None
    attempts: int  # this one included
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleOutcome:
    """What came of the attempt at one claimed promise."""

    claimed: ClaimedGoogle
    verdict: GoogleVerdict
    reason: str
    status: int | None = None
    retry_after: timedelta | None = None
    not_before: timedelta | None = None  # nothing of this object may be tried sooner: it is in doubt
    counts: bool = True  # False: not its fault, so it wears out no patience of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleQueue:
    """A brand's changes at one moment."""

    brand_id: BrandId
    due: int
    waiting: int
    sending: int
    oldest_due_seconds: float
