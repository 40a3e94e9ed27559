"""The values of the room: what is claimed, what came of a try, how a promise may move from state to state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from app.db.identifiers import DeliveryId, DeviceId, PassTypeIdentifier
from app.delivery.budget import Patience

Kind = Literal["receipt", "campaign", "silent"]
"""Why a phone is pushed; decides its priority and how much of the phone's patience it may use."""

State = Literal["pending", "sending", "accepted", "superseded", "gone", "refused", "exhausted"]
Verdict = Literal["accepted", "retry", "gone", "refused", "lost"]
"""What a try came to: the provider's answer in one word, or ``lost`` where none came."""

PRIORITIES: Final[Mapping[Kind, int]] = {"receipt": 0, "campaign": 1, "silent": 2}
"""0 is served first."""

EDGES: Final[Mapping[State, frozenset[State]]] = {
    "pending": frozenset({"sending"}),
    "sending": frozenset({"pending", "accepted", "superseded", "gone", "refused", "exhausted"}),
    "accepted": frozenset(),
    "superseded": frozenset(),
    "gone": frozenset(),
    "refused": frozenset(),
    "exhausted": frozenset(),
}
"""The drawing of docs/delivery-states.md."""


class Tried(Protocol):
    """A promise that somebody holds."""

    @property
    def id(self) -> DeliveryId:
        """The promise's."""

    @property
    def attempts(self) -> int:
        """This one included."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A promise that one owner holds until its lease ends."""

    id: DeliveryId
    device_id: DeviceId
    pass_type_identifier: PassTypeIdentifier
    kind: Kind
    attempts: int  # this one included
    due_at: datetime
    patience: Patience | None  # None: this phone was never pushed


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim brought."""

    claimed: tuple[Claimed, ...]
    held: int  # put back, because the phone's budget is used up or its last push is too fresh


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of the attempt at one claimed promise."""

    claimed: Claimed
    verdict: Verdict
    status: int | None = None  # the provider's status code
    reason: str | None = None  # the provider's own word
    provider_id: str | None = None  # apns-id
    retry_after: timedelta | None = None
    counts: bool = (
        True  # False: not the promise's fault (an open breaker), so it wears out no patience of ours
    )
    passes: int = 1  # of this type on the phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A claimed promise that ends without an attempt, because there is nobody to send it to."""

    claimed: Claimed
    state: Literal["gone", "superseded"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """The queue at one moment, for gauges and readiness."""

    due: int  # pending and due
    waiting: int  # pending, due later: a retry, a trailing push
    held: int  # pending, held back by the phone's budget
    sending: int
    oldest_due_seconds: float  # how late the oldest due one is; 0 where none is
    open_breakers: tuple[str, ...]  # subjects, "apple:pass.example"
