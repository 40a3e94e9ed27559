"""The values that pass between the beats of Google's lane."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.db.identifiers import DeliveryId, GoogleClassId, GoogleIssuerId
from app.delivery.google_promises import ClaimedGoogle
from app.google.answers import Answer
from app.google.client import GoogleWallet
from app.worker.google_plans import Plan


@dataclass(frozen=True, slots=True)
class GoogleAccount:
    """A brand's account as the worker needs it: its client, and how fast an issuer's may ask together."""

    issuer_id: GoogleIssuerId
    wallet: GoogleWallet
    rate: float | None = 20.0  # requests a second; None: no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleReady:
    """A claimed change with its plan, and when its requests leave, by the monotonic clock."""

    claimed: ClaimedGoogle
    issuer_id: GoogleIssuerId
    plan: Plan
    prepared_at: datetime
    prepared: float
    leaves: tuple[float, ...]  # of each request
    too_late: float  # what is begun after it would not end within the lease
    message_by: float  # the same of the message, which follows
    after_class: GoogleClassId | None = None  # goes to Google in this very batch, and must be there first

    @property
    def id(self) -> DeliveryId:
        """The promise's."""
        return self.claimed.id


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleAnswered:
    """What came of one: the answers to the plan's requests, as far as they were made."""

    ready: GoogleReady
    first: Answer | None = None
    message: Answer | None = None
    untried: str = ""  # why nothing was asked

    @property
    def id(self) -> DeliveryId:
        """The promise's."""
        return self.ready.claimed.id
