"""How a card stands at Google, and what is said of it: as far as Google tells, which is not far. Pure.

Google takes a card or does not. Whether a phone showed it is never known, so nobody here says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from app.delivery.google_promises import UNCHANGED, shown
from app.reports.store_timeline_google import ChangeRow, GoogleRow
from app.reports.timeline_events import Event, Fact
from app.reports.verdicts import NO_WORKER_FOR, Cause, Verdict

_MOMENT: Final = timedelta(minutes=1)
_TAKEN: Final[dict[str, Cause]] = {
    "accepted": "google_accepted",
    "accepted_silently": "google_silent",
    "no_holder": "google_silent",
    "held_by_quota": "google_held",
}
_NOT_ADDED: Final[frozenset[Cause]] = frozenset({"never_added", "not_https"})


def how_it_stands(
    card: GoogleRow,
    changes: Sequence[ChangeRow],
    *,
    stopped: str | None,
    worker_seen_at: datetime | None,
    now: datetime,
) -> Verdict:
    """Of a card that lives; ``changes`` are its own, newest first, ``stopped`` why Google lets nobody in."""
    newest = changes[0] if changes else None
    if newest and newest.state in ("pending", "sending"):
        return _under_way(newest, stopped, worker_seen_at, now)
    if newest and shown(newest.state, newest.reason) == "failed":
        return _failed(newest.settled_at or newest.created_at, newest.reason)
    if card.inserted_at is None:
        return _failed(card.created_at, None)
    if card.removed_at:
        return Verdict(cause="google_removed", facts={"at": card.removed_at})
    if card.first_saved_at is None:
        return Verdict(cause="google_never_saved")
    # One that only looked, and found nothing to change, says nothing of the newest card.
    told = next((one for one in changes if one.state == "accepted" and one.reason != UNCHANGED), None)
    if told is None:
        return Verdict(cause="google_has")
    taken = shown(told.state, told.reason) or "accepted_silently"
    return Verdict(cause=_TAKEN[taken], facts={"at": told.settled_at or told.created_at})


def beside(apple: Verdict, google: Verdict | None, *, was_saved: bool) -> tuple[Verdict, Verdict | None]:
    """What is said first of a card, and what besides: of the wallet that it is in, or of both."""
    if google is None or apple.cause == "ended":
        return apple, None
    if apple.cause in _NOT_ADDED or (apple.cause == "removed" and was_saved):
        return google, None
    return apple, None if google.cause == "google_never_saved" else google


def events(cards: Sequence[GoogleRow], changes: Sequence[ChangeRow]) -> list[Event]:
    """What happened at Google to these cards."""
    found = []
    for card in cards:
        for at, kind in (
            (card.inserted_at, "google_made"),
            (card.first_saved_at, "google_saved"),
            (card.removed_at, "google_removed"),
        ):
            if at:
                found.append(Event(at=at, kind=kind, topic="phone"))
    for change in changes:
        if change.state == "accepted" and change.reason == UNCHANGED:
            continue
        facts: dict[str, Fact] = {"reason": change.reason, "tries": change.attempts, "why": change.kind}
        found.append(Event(at=change.created_at, kind="google_promised", topic="phone", facts=facts))
        if change.settled_at:
            said = shown(change.state, change.reason) or "superseded"
            found.append(Event(at=change.settled_at, kind=f"google_{said}", topic="phone", facts=facts))
    return found


def _under_way(
    change: ChangeRow, stopped: str | None, worker_seen_at: datetime | None, now: datetime
) -> Verdict:
    if stopped:
        return Verdict(cause="google_stopped", facts={"reason": stopped})
    overdue = (change.lease_until or change.due_at) + _MOMENT < now
    if overdue and (worker_seen_at is None or now - worker_seen_at > NO_WORKER_FOR):
        return Verdict(cause="google_worker_down", facts={"at": worker_seen_at} if worker_seen_at else {})
    if change.attempts and change.reason and change.state == "pending":
        return Verdict(cause="google_retrying", facts={"at": change.due_at, "reason": change.reason})
    return Verdict(cause="google_waits")


def _failed(at: datetime, reason: str | None) -> Verdict:
    return Verdict(cause="google_failed", facts={"at": at, "reason": reason or "?"})
