"""The port of the room: what is handed to a gateway, and what comes back, whichever gateway it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from app.errors import PerkpassError
from app.outward import NotInTime, OutcomeUnknown, Unreachable
from app.sms.encoding import Measured

__all__ = [
    "Answer",
    "Balance",
    "Callback",
    "Gateway",
    "Inbound",
    "Listener",
    "NotInTime",
    "NotOurs",
    "OutcomeUnknown",
    "Outgoing",
    "Price",
    "Receipt",
    "ReceiptState",
    "Unreachable",
    "Verdict",
]

_MOST_PARTS: Final = 255
"""Of one text, says its header: 3GPP TS 23.040, 9.2.3.24.1."""


def _keep_writable(told: object, *names: str) -> None:
    """A gateway's words without what no database takes in a text: NUL, and halves of surrogate pairs."""
    for name in names:
        if said := getattr(told, name):
            clean = said.replace("\0", "").encode("utf-8", "replace").decode()
            if clean != said:
                object.__setattr__(told, name, clean)


class Verdict(StrEnum):
    """What an answer to sending means, in one word."""

    ACCEPTED = "accepted"
    RETRY = "retry"  # nothing was taken: it may be sent again
    REFUSED = "refused"  # this text never
    STOPPED = "stopped"  # nothing of this login: password, money, a blocked address; tell the operator


class ReceiptState(StrEnum):
    """How far the gateway says a text came."""

    WAITING = "waiting"  # accepted, on its way
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNKNOWN_TEXT = "unknown_text"  # the gateway has never heard of it: it was not sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A text to be sent. ``reference`` is ours, 1 to 2**31 - 1, the same for every try at this text."""

    reference: int
    number: str  # E.164
    text: str
    sender: str | None = None
    validity: timedelta | None = None  # the gateway gives up then, where it can
    leave_by: float = math.inf  # of time.monotonic(): what has not left then does not leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Money for a whole text, in minor units of ``currency``."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A gateway's answer to sending, with its own words."""

    verdict: Verdict
    reason: str  # the gateway's own code or word
    status: int | None = None  # HTTP status or SMPP command_status
    provider_id: str | None = None
    parts: int | None = None  # as the gateway counts them; of a refused text those that it took all the same
    price: Price | None = None
    retry_after: timedelta | None = None
    opted_out: bool = False  # refused, because the number's holder told the gateway to stop

    def __post_init__(self) -> None:
        _keep_writable(self, "reason", "provider_id")
        if self.parts is not None and not 0 < self.parts <= _MOST_PARTS:
            object.__setattr__(self, "parts", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a gateway tells of a text it took; names it by ``provider_id``, ``reference`` or both."""

    state: ReceiptState
    reason: str  # the gateway's own code or word
    provider_id: str | None = None
    reference: int | None = None
    at: datetime | None = None  # when it happened, where the gateway says so
    price: Price | None = None

    def __post_init__(self) -> None:
        _keep_writable(self, "reason", "provider_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A text that a guest sent us."""

    number: str  # E.164, as far as the gateway says it so
    text: str
    provider_id: str | None = None

    def __post_init__(self) -> None:
        _keep_writable(self, "number", "text", "provider_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What is left on the account."""

    amount: int  # minor units
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A request that a gateway (or somebody else) sent to our address."""

    method: str
    url: str  # as the gateway knows it: the public one, with its query
    headers: Mapping[str, str]  # names in lower case
    form: Mapping[str, str]  # of query and body


class NotOurs(PerkpassError):
    """A callback that does not come from the gateway."""


class Listener(Protocol):
    """Who is told what a gateway sends over the connection it keeps."""

    def __call__(self, heard: Sequence[Receipt | Inbound]) -> None:
        """Called from the gateway's loop; must not block."""


class Gateway(Protocol):
    """One login at one gateway. Everything asynchronous runs in one event loop."""

    @property
    def can_ask(self) -> bool:
        """Whether :meth:`status` finds a text by our reference alone, so that a doubt can be settled."""

    def measure(self, text: str) -> Measured:
        """Encoding and parts as this gateway sends it."""

    async def send(self, outgoing: Outgoing) -> Answer:
        """Hand one text over; raises :class:`Unreachable` or :class:`OutcomeUnknown`."""

    async def status(self, *, reference: int, number: str, provider_id: str | None) -> Receipt | None:
        """How far a text came; None where this gateway cannot be asked so. Raises :class:`Unreachable`."""

    async def balance(self) -> Balance | None:
        """What is left; None where the gateway does not say. Raises :class:`Unreachable`."""

    def hear(self, callback: Callback) -> Sequence[Receipt | Inbound]:
        """What a callback says; raises :class:`NotOurs` where its proof is not the gateway's."""

    def confirmation(self) -> tuple[str, str]:
        """Body and media type that the gateway expects of an answered callback."""

    async def listen(self, tell: Listener) -> None:
        """Stay connected and tell what the gateway sends by itself (SMPP); else return at once."""

    async def close(self) -> None:
        """Close connections."""
