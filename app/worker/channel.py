"""What the worker asks of a channel: where a promise goes, sending it, and what an answer means for us."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.db import Tx
from app.db.identifiers import DeliveryId, DeviceId
from app.delivery.breaker import Signal
from app.delivery.promises import Claimed, Outcome, Unsent


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed promise with all that sending it takes; made while the transaction is open."""

    claimed: Claimed
    address: str  # the push token
    passes: int  # of this type on the phone
    group: int  # opaque: devices that one guest can make up share it
    prepared_at: datetime

    @property
    def id(self) -> DeliveryId:
        """The promise's."""
        return self.claimed.id


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of sending one."""

    ready: Ready
    outcome: Outcome
    signal: Signal
    gone_since: datetime | None = None  # 410: since when the address is dead

    @property
    def id(self) -> DeliveryId:
        """The promise's."""
        return self.ready.claimed.id


Report = Callable[[Sequence[Answered]], None]


class Channel(Protocol):
    """One way to a phone. ``prepare`` and ``forget`` get an open transaction; ``send`` runs without any."""

    def prepare(
        self, tx: Tx, claimed: Sequence[Claimed], *, now: datetime
    ) -> tuple[Sequence[Ready], Sequence[Unsent]]:
        """Sort claimed promises into those that can be sent and those that nobody would get."""

    async def send(self, ready: Sequence[Ready], report: Report) -> None:
        """Send them and report every one, in portions as answers come. Runs in the channel's own loop."""

    def forget(self, tx: Tx, gone: Sequence[Answered], *, now: datetime) -> set[int]:
        """Drop dead addresses; the device ids that can be reached all the same, by a newer address."""

    def set_aside(self, tx: Tx, devices: Mapping[DeviceId, datetime]) -> None:
        """Send these devices nothing until they register again; each had a bad address at its moment."""

    def take_back(self, tx: Tx, devices: Mapping[DeviceId, datetime]) -> None:
        """Those of them that were set aside with that moment are sent to again: the fault may be ours."""

    async def refresh(self) -> None:
        """Look for renewed credentials."""

    async def close(self) -> None:
        """Close connections."""


def unanswered(ready: Ready, reason: str, *, signal: Signal = "nothing") -> Answered:
    """A promise whose sending came to nothing that we know of."""
    outcome = Outcome(claimed=ready.claimed, verdict="lost", reason=reason[:200], passes=ready.passes)
    return Answered(ready, outcome, signal)
