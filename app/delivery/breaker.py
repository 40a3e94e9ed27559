"""When to stop pushing for a pass type: our host, certificate or topic is wrong, not the phones.

An open breaker is a row that every worker sees. Nothing is deleted and nothing is refused while it is open:
promises wait, a few of them are sent as a probe once a minute, and the first good answer closes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from app.db import Tx
from app.db.identifiers import PassTypeIdentifier
from app.delivery import store_breakers
from app.delivery.promises import Claimed
from app.delivery.store_breakers import Breaker

Signal = Literal["proof", "bad_token", "wrong_topic", "fatal", "nothing"]
"""What an answer says about us: that host and certificate are right (accepted, 410); that this push token is
unknown or of another topic (one phone's fault, unless many say so); that we are not let in; or nothing."""

PROBE_AFTER: Final = timedelta(minutes=1)
PROBE_SIZE: Final = 5
"""Several, so that one phone's bad token does not keep a breaker open."""
FEWEST: Final = 20
"""So many answers must be known before bad tokens are held against us."""
SHARE: Final = 0.5
WINDOW: Final = timedelta(minutes=10)
_MOST_KEPT: Final = 1000
_PREFIX: Final = "apple:"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as far as the breaker cares."""

    claimed: Claimed
    signal: Signal
    reason: str


@dataclass(frozen=True, slots=True)
class Opening:
    """Why a breaker opens, and the promises that were refused before we knew."""

    reason: str
    doubted: tuple[Claimed, ...]


class Watch:
    """What one worker lately heard about each pass type; decides when a breaker opens. No database."""

    def __init__(self) -> None:
        self._heard: dict[PassTypeIdentifier, deque[tuple[datetime, Answer]]] = {}

    def hear(
        self, pass_type_identifier: PassTypeIdentifier, answers: Sequence[Answer], now: datetime
    ) -> Opening | None:
        """Take in answers for one pass type; an :class:`Opening` where they are reason to stop.

        A push token of another topic stops everything only where nothing proves that host, certificate and
        topic are right: a guest could register such a token on purpose. What was heard is then forgotten.
        """
        heard = self._heard.setdefault(pass_type_identifier, deque(maxlen=_MOST_KEPT))
        while heard and heard[0][0] < now - WINDOW:
            heard.popleft()
        earlier = [answer.claimed for _, answer in heard if answer.signal in ("bad_token", "wrong_topic")]
        heard.extend((now, answer) for answer in answers if answer.signal != "nothing")
        reason = _reason([answer for _, answer in heard])
        if reason is None:
            return None
        heard.clear()
        return Opening(reason, tuple(earlier))


def _reason(heard: Sequence[Answer]) -> str | None:
    for answer in heard:
        if answer.signal == "fatal":
            return answer.reason
    wrong = [answer for answer in heard if answer.signal == "wrong_topic"]
    if wrong and not any(answer.signal == "proof" for answer in heard):
        return wrong[0].reason
    bad = [answer for answer in heard if answer.signal in ("bad_token", "wrong_topic")]
    if len(heard) >= FEWEST and len(bad) >= SHARE * len(heard):
        return f"{bad[0].reason}: {len(bad)} of {len(heard)} answers"
    return None


def subject_of(pass_type_identifier: PassTypeIdentifier) -> str:
    """The key of the breaker of a pass type."""
    return _PREFIX + pass_type_identifier


def pass_type_of(subject: str) -> PassTypeIdentifier:
    """The pass type of a breaker's key."""
    return PassTypeIdentifier(subject.removeprefix(_PREFIX))


def all_open(tx: Tx) -> list[Breaker]:
    """Every open breaker."""
    return store_breakers.all_open(tx)


def trip(tx: Tx, pass_type_identifier: PassTypeIdentifier, *, reason: str, now: datetime) -> bool:
    """Open the breaker; True where it was closed until now (then somebody must be told)."""
    row = Breaker(subject_of(pass_type_identifier), now, now + PROBE_AFTER, reason)
    return store_breakers.add(tx, row)


def take_probe(tx: Tx, pass_type_identifier: PassTypeIdentifier, *, now: datetime) -> bool:
    """True where a probe is due and is ours; no other worker gets it for a minute."""
    subject = subject_of(pass_type_identifier)
    return store_breakers.postpone(tx, subject, now=now, probe_at=now + PROBE_AFTER)


def close(tx: Tx, pass_type_identifier: PassTypeIdentifier) -> bool:
    """Close the breaker after a probe got through; True where it was open."""
    return store_breakers.remove(tx, subject_of(pass_type_identifier))
