"""Why a phone does not show what its card says: one cause, found from what is known. Pure.

Asked in the order in which a change travels, backwards from its end: what came further proves that all before
it worked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from app.delivery.promises import State
from app.passes.store_evidence import PassEvidence

Cause = Literal[
    "installed",
    "fetched",
    "one_phone_lags",
    "ended",
    "not_https",
    "never_added",
    "removed",
    "certificate_expired",
    "certificate",
    "download_failed",
    "downloading",
    "listed_not_fetched",
    "complains",
    "asks_itself",
    "unreachable",
    "not_asked_yet",
    "breaker",
    "held",
    "worker_down",
    "queue_behind",
    "retrying",
    "waits_its_turn",
    "about_to_leave",
    "on_its_way",
    "refused",
    "gone",
    "gave_up",
    "told",
    "not_contacted",
    "google_accepted",
    "google_silent",
    "google_held",
    "google_has",
    "google_never_saved",
    "google_removed",
    "google_failed",
    "google_stopped",
    "google_worker_down",
    "google_retrying",
    "google_waits",
]
"""Of Google's card where it begins so (:mod:`app.reports.google_verdicts`), else of a phone's."""
GOOD: Final[frozenset[Cause]] = frozenset(
    {"installed", "fetched", "google_accepted", "google_silent", "google_held", "google_has"}
)
SOON: Final[frozenset[Cause]] = frozenset(
    {
        "downloading",
        "waits_its_turn",
        "about_to_leave",
        "on_its_way",
        "told",
        "retrying",
        "queue_behind",
        "google_waits",
        "google_retrying",
    }
)
"""Nothing is wrong yet: wait a moment."""

_MOMENT = timedelta(minutes=1)
_PATIENCE = timedelta(minutes=2)
"""A phone that is on asks within seconds of a push."""
NO_WORKER_FOR: Final = timedelta(minutes=3)
"""Workers take work every minute; one that has not for so long is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPromise:
    """The newest push that was promised to a device."""

    state: State
    created_at: datetime
    due_at: datetime
    attempts: int
    held_since: datetime | None
    lease_until: datetime | None
    settled_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneFacts:
    """A device that holds the card."""

    push_service: str
    registered_at: datetime
    contacted_at: datetime | None
    unreachable_since: datetime | None
    push: LastPromise | None  # settled ones are kept for some weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A line of a phone's own log that names the card: a hint, anybody may have sent it."""

    at: datetime
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """A card, what its phones proved, and what they complained of."""

    version: int
    changed_at: datetime  # when it last changed
    over: bool  # ended, or issued anew since
    removed_at: datetime | None  # when the last phone let go of it
    evidence: PassEvidence | None
    phones: Sequence[PhoneFacts]
    complaints: Sequence[Complaint]  # newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the service knows of itself."""

    https: bool  # iOS takes no card from another address
    certificate_fault: str | None  # why nothing can be signed or pushed
    certificate_expired: bool
    breaker: str | None  # why no push leaves for this pass type
    worker_seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer: a cause, and the values that its sentence names."""

    cause: Cause
    facts: Mapping[str, datetime | str | int] = field(default_factory=dict)

    @property
    def tone(self) -> Literal["good", "wait", "act"]:
        """Whether all is well, or it will be, or somebody must do something."""
        return "good" if self.cause in GOOD else "wait" if self.cause in SOON else "act"


def why(card: CardFacts, service: Service, *, now: datetime) -> Verdict:
    """Why no phone shows the newest version of the card, or that one does."""
    if card.over:
        return Verdict(cause="ended")
    proof = card.evidence or PassEvidence(pass_id=None)  # type: ignore[arg-type]
    if not card.phones:
        return _without_phone(card, service)
    if (proof.installed_version or 0) >= card.version and proof.installed_at:
        return _lagging(card, Verdict(cause="installed", facts={"at": proof.installed_at}))
    if (proof.fetched_version or 0) >= card.version and proof.fetched_at:
        if line := _complaint(card, since=proof.fetched_at):
            return Verdict(cause="complains", facts={"at": line.at, "line": line.line})
        return _lagging(card, Verdict(cause="fetched", facts={"at": proof.fetched_at}))
    if service.certificate_expired:
        return Verdict(cause="certificate_expired", facts={"fault": service.certificate_fault or ""})
    if service.certificate_fault:
        return Verdict(cause="certificate", facts={"fault": service.certificate_fault})
    if (proof.listed_version or 0) >= card.version and proof.listed_at:
        return _listed(card, proof, now)
    found = [_of_phone(phone, service, now) for phone in card.phones]
    # The phone that is likeliest to show it first is the one that is asked about.
    return min(found, key=lambda one: _HOPE.index(one.tone))


_HOPE = ("good", "wait", "act")


def _without_phone(card: CardFacts, service: Service) -> Verdict:
    if card.removed_at:
        return Verdict(cause="removed", facts={"at": card.removed_at})
    return Verdict(cause="never_added" if service.https else "not_https")


def _lagging(card: CardFacts, otherwise: Verdict) -> Verdict:
    """One phone has it; another that did not ask since is what the guest may be looking at."""
    lags = [
        phone
        for phone in card.phones
        if phone.push_service == "apple"
        and phone.registered_at < card.changed_at
        and (phone.contacted_at is None or phone.contacted_at < card.changed_at)
    ]
    if not lags or len(lags) == len(card.phones):
        return otherwise
    return Verdict(cause="one_phone_lags", facts={"lagging": len(lags), "phones": len(card.phones)})


def _listed(card: CardFacts, proof: PassEvidence, now: datetime) -> Verdict:
    listed_at = proof.listed_at or now
    if line := _complaint(card, since=card.changed_at):
        return Verdict(cause="download_failed", facts={"at": line.at, "line": line.line})
    if now - listed_at < _MOMENT:
        return Verdict(cause="downloading", facts={"at": listed_at})
    return Verdict(cause="listed_not_fetched", facts={"at": listed_at, "again": proof.retags})


def _of_phone(phone: PhoneFacts, service: Service, now: datetime) -> Verdict:
    if phone.push_service != "apple":
        return Verdict(cause="asks_itself")
    push = phone.push
    if phone.unreachable_since:
        reason = (push.reason if push else None) or "Unregistered"
        return Verdict(cause="unreachable", facts={"at": phone.unreachable_since, "reason": reason})
    if push is None:
        return Verdict(cause="not_asked_yet", facts={"at": phone.registered_at})
    if push.state in ("pending", "sending"):
        return _under_way(push, service, now)
    reason = push.reason or ""
    if push.state == "refused":
        return Verdict(cause="refused", facts={"at": push.settled_at or now, "reason": reason})
    if push.state == "gone":
        return Verdict(cause="gone", facts={"at": push.settled_at or now})
    if push.state == "exhausted":
        return Verdict(cause="gave_up", facts={"tries": push.attempts, "reason": reason})
    accepted_at = push.settled_at or push.created_at
    if now - accepted_at < _PATIENCE:
        return Verdict(cause="told", facts={"at": accepted_at})
    return Verdict(cause="not_contacted", facts={"at": accepted_at})


def _under_way(push: LastPromise, service: Service, now: datetime) -> Verdict:
    """A push that has no answer yet."""
    if service.breaker:
        return Verdict(cause="breaker", facts={"reason": service.breaker})
    seen_at, overdue = service.worker_seen_at, (push.lease_until or push.due_at) + _MOMENT < now
    if overdue and (seen_at is None or now - seen_at > NO_WORKER_FOR):
        return Verdict(cause="worker_down", facts={"at": seen_at} if seen_at else {})
    if push.state == "sending":
        return Verdict(cause="on_its_way")
    if push.held_since and push.due_at > now:
        return Verdict(cause="held", facts={"at": push.due_at})
    if overdue:
        return Verdict(cause="queue_behind", facts={"at": push.due_at})
    if push.attempts and push.reason:
        return Verdict(cause="retrying", facts={"at": push.due_at, "reason": push.reason})
    if push.due_at > now:
        return Verdict(cause="waits_its_turn", facts={"at": push.due_at})
    return Verdict(cause="about_to_leave")


def _complaint(card: CardFacts, *, since: datetime) -> Complaint | None:
    return next((line for line in card.complaints if line.at >= since), None)
