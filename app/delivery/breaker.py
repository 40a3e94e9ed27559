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

Signal = Literal["proof", "bad_token", "wrong_topic", "fatal", "other", "nothing"]
"""What an answer says about us: that host and certificate are right (accepted, 410); that this push token is
unknown or of another topic (one phone's fault, unless many guests' say so); that we are not let in; nothing
about us (429, 503); or that there was no answer."""

PROBE_AFTER: Final = timedelta(minutes=1)
PROBE_SIZE: Final = 5
"""Several, so that one phone's bad token does not keep a breaker open."""
LOOK_AGAIN_AFTER: Final = timedelta(seconds=1)
"""Where nothing was due to probe with: whatever becomes due next is the probe."""
FEWEST: Final = 20
"""So many guests must have answers before bad tokens are held against us."""
SHARE: Final = 0.5
"""Of these guests so many have a bad token: then something is wrong with us, whoever else was reached."""
WINDOW: Final = timedelta(minutes=10)
EXPLAINED_FOR: Final = timedelta(hours=1)
"""After a probe got through bad tokens are the phones' own: a brand waits a minute of an hour at most."""
_MOST_KEPT: Final = 1000
_PREFIX: Final = "apple:"
_OF_GUESTS: Final = " guests"  # so ends the reason where bad tokens of many opened the breaker
_BAD: Final = ("bad_token", "wrong_topic")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as far as the breaker cares."""

    claimed: Claimed
    signal: Signal
    reason: str
    group: int  # opaque: devices that one guest can make up share it
    asked_at: datetime  # the device's address is the one that was known then


@dataclass(frozen=True, slots=True)
class Opening:
    """Why a breaker opens, and the bad tokens whose promises were refused before we knew."""

    reason: str
    doubted: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the answers are reason for."""

    opening: Opening | None = None
    faulty: tuple[Answer, ...] = ()  # their push tokens are bad, and we are proved right


@dataclass(slots=True)
class _Heard:
    """An answer, when it came, and whether its device was called faulty already."""

    at: datetime
    answer: Answer
    judged: bool = False


class Watch:
    """What one worker lately heard about each pass type; decides when a breaker opens. No database."""

    def __init__(self) -> None:
        self._heard: dict[PassTypeIdentifier, deque[_Heard]] = {}
        self._explained_until: dict[PassTypeIdentifier, datetime] = {}

    def closed(self, pass_type_identifier: PassTypeIdentifier, reason: str, now: datetime) -> None:
        """A probe got through, ours or another worker's: for a while bad tokens need no other explanation.

        Only where they were the ``reason`` of the breaker: a renewed certificate explains no bad token.
        """
        if reason.endswith(_OF_GUESTS):
            self._explained_until[pass_type_identifier] = now + EXPLAINED_FOR

    def hear(
        self, pass_type_identifier: PassTypeIdentifier, answers: Sequence[Answer], now: datetime
    ) -> Judgement:
        """Take in answers for one pass type, and judge by what was heard within :data:`WINDOW`.

        Bad push tokens of a few guests are their devices' own fault once something proves that host,
        certificate and topic are right: a guest can register such tokens on purpose. Those of half of the
        guests are held against us all the same, until a breaker that was open for it was closed by a probe.
        Proof must be this worker's: another one may run with another host. What opens a breaker is forgotten.
        """
        heard = self._heard.setdefault(pass_type_identifier, deque(maxlen=_MOST_KEPT))
        while heard and heard[0].at < now - WINDOW:
            heard.popleft()
        earlier = tuple(known.answer for known in heard if known.answer.signal in _BAD)
        heard.extend(_Heard(now, answer) for answer in answers if answer.signal != "nothing")
        reason = self._suspicion(pass_type_identifier, [known.answer for known in heard], now)
        if reason is not None:
            heard.clear()
            return Judgement(Opening(reason, earlier))
        if not any(known.answer.signal == "proof" for known in heard):
            return Judgement()
        faulty = [known for known in heard if known.answer.signal in _BAD and not known.judged]
        for known in faulty:
            known.judged = True
        return Judgement(faulty=tuple(known.answer for known in faulty))

    def _suspicion(
        self, pass_type_identifier: PassTypeIdentifier, heard: Sequence[Answer], now: datetime
    ) -> str | None:
        """Why we may be wrong. Guests are counted, not the devices they name."""
        if fatal := _first(heard, "fatal"):
            return fatal.reason
        proved = _first(heard, "proof") is not None
        if proved and now < self._explained_until.get(pass_type_identifier, now):
            return None
        if not proved and (foreign := _first(heard, "wrong_topic")):
            return foreign.reason
        everyone = {answer.group for answer in heard}
        bad = [answer for answer in heard if answer.signal in _BAD]
        hurt = {answer.group for answer in bad}
        if len(everyone) >= FEWEST and len(hurt) >= SHARE * len(everyone):
            return f"{bad[0].reason}: {len(hurt)} of {len(everyone)}{_OF_GUESTS}"
        return None


def _first(heard: Sequence[Answer], signal: Signal) -> Answer | None:
    return next((answer for answer in heard if answer.signal == signal), None)


def subject_of(pass_type_identifier: PassTypeIdentifier) -> str:
    """The key of the breaker of a pass type."""
    return _PREFIX + pass_type_identifier


def pass_type_of(subject: str) -> PassTypeIdentifier:
    """The pass type of a breaker's key."""
    return PassTypeIdentifier(subject.removeprefix(_PREFIX))


def all_open(tx: Tx) -> list[Breaker]:
    """Every open breaker of a pass type; those of logins are :mod:`app.delivery.stopped`'s."""
    return [row for row in store_breakers.all_open(tx) if row.subject.startswith(_PREFIX)]


def trip(tx: Tx, pass_type_identifier: PassTypeIdentifier, *, reason: str, now: datetime) -> bool:
    """Open the breaker; True where it was closed until now (then somebody must be told)."""
    row = Breaker(subject_of(pass_type_identifier), now, now + PROBE_AFTER, reason)
    return store_breakers.add(tx, row)


def take_probe(tx: Tx, pass_type_identifier: PassTypeIdentifier, *, now: datetime) -> bool:
    """True where a probe is due and is ours; no other worker gets it for a minute."""
    subject = subject_of(pass_type_identifier)
    return store_breakers.postpone(tx, subject, now=now, probe_at=now + PROBE_AFTER)


def give_back_probe(tx: Tx, pass_type_identifier: PassTypeIdentifier, *, now: datetime) -> None:
    """Nothing was there to probe with: a probe taken in this transaction is due again in a moment."""
    taken_until = now + PROBE_AFTER
    store_breakers.postpone(
        tx, subject_of(pass_type_identifier), now=taken_until, probe_at=now + LOOK_AGAIN_AFTER
    )


def close(tx: Tx, pass_type_identifier: PassTypeIdentifier) -> bool:
    """Close the breaker after a probe got through; True where it was open."""
    return store_breakers.remove(tx, subject_of(pass_type_identifier))


def probe_now(tx: Tx, pass_type_identifier: PassTypeIdentifier, *, now: datetime) -> None:
    """Have a breaker that is open probed at once: somebody mended what it was opened for."""
    store_breakers.hasten(tx, subject_of(pass_type_identifier), probe_at=now)
