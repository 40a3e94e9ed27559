"""Visits: what became of a scan of an install link, step by step.

A visit is one guest's way from the code on the table to the card and back to the till. Its identifier is
random, says nothing about the guest, and travels signed in the page's address and form, never in a cookie.
Steps are facts, each written once; with each the room's tallies change, in the same transaction.

So that weeks can be compared, steps that take time have a time in which they count: a first receipt within
:data:`RECEIPT_WITHIN`, a second visit within :data:`AGAIN_WITHIN`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from app.db import Tx
from app.db.identifiers import InstallLinkId, VisitId
from app.errors import NotFound
from app.places import store_visits

VisitEventKind = Literal[
    "scan", "page", "in_app", "form", "code", "added", "receipt", "again", "active", "removed"
]
"""In the order in which a visit can take them: the page was asked for; a browser showed it; that browser
cannot put a card into a wallet (an app's own, or one of the few on iOS that open no pass); a form without
faults was sent; its number was proved by a code, where the brand asks for one; a phone registered the card;
its first receipt was rung up, in time; one on another day, in time; the guest is *active*: came again
and did not give the card up within that time; the last phone let go. *in_app* is a detour: a guest who was
helped goes on to the form in another browser, under the same visit.
"""

DeviceKind = Literal["iphone", "ipad", "android", "desktop", "unknown"]

RECEIPT_WITHIN = timedelta(days=7)
"""From the scan to the first receipt that counts."""
AGAIN_WITHIN = timedelta(days=30)
"""From the scan to the second visit that counts, and to the moment at which who kept the card is active."""
_EARLY = timedelta(hours=1)
"""A till's clock may be behind, and a bill may have been opened before its guest scanned."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One guest's way from a scan; ``events`` holds when each step was first taken."""

    id: VisitId
    link_id: InstallLinkId
    device_kind: DeviceKind
    language: str
    began_at: datetime
    events: dict[VisitEventKind, datetime]


def new_visit_id() -> VisitId:
    """128 random bits as 32 hexadecimal characters."""
    return VisitId(secrets.token_hex(16))


def record(
    tx: Tx,
    *,
    visit_id: VisitId,
    link_id: InstallLinkId,
    kind: VisitEventKind,
    at: datetime,
    device_kind: DeviceKind,
    language: str,
) -> bool:
    """Write a step, and the visit itself if this is its first; the same step again changes nothing.

    A visit belongs to the day in which it begins, by the clock that its venue has then. Returns whether the
    step is new; raises :class:`NotFound` for an unknown link.
    """
    zone = store_visits.zone_of_link(tx, link_id)
    if zone is None:
        raise NotFound("no-such-link", f"There is no install link number {link_id}")
    store_visits.add_visit(
        tx,
        visit_id=visit_id,
        link_id=link_id,
        device_kind=device_kind,
        language=language,
        at=at,
        day=at.astimezone(ZoneInfo(zone)).date(),
    )
    return store_visits.add_event(tx, visit_id=visit_id, kind=kind, at=at)


def record_event(tx: Tx, *, visit_id: VisitId, kind: VisitEventKind, at: datetime) -> bool:
    """Write a step of a visit that is known; an unknown visit and a step already taken change nothing.

    Returns whether the step is new.
    """
    return store_visits.add_event(tx, visit_id=visit_id, kind=kind, at=at)


def card_added(tx: Tx, visit_id: VisitId, *, at: datetime) -> None:
    """A phone holds the card that the visit led to; one that had given it up holds it again."""
    if not record_event(tx, visit_id=visit_id, kind="added", at=at) and store_visits.take_back(
        tx, visit_id, ["removed"]
    ):
        _settle_active(tx, visit_id)


def card_removed(tx: Tx, visit_id: VisitId, *, at: datetime) -> None:
    """The last phone let go of the card that the visit led to."""
    if record_event(tx, visit_id=visit_id, kind="removed", at=at):
        _settle_active(tx, visit_id)


def receipt_rung(tx: Tx, visit_id: VisitId, *, at: datetime) -> None:
    """A receipt was rung up, ``at`` by the till's clock, with the card that the visit led to.

    The first is a step if it comes in time, and so is one on another day by the clock of the visit's venue.
    """
    row = store_visits.find_visit(tx, visit_id)
    if row is None or not -_EARLY <= at - row.created_at <= AGAIN_WITHIN:
        return
    taken = store_visits.find_events(tx, visit_id)
    if "receipt" not in taken:
        if at - row.created_at <= RECEIPT_WITHIN:
            record_event(tx, visit_id=visit_id, kind="receipt", at=at)
    elif "again" not in taken:
        zone = ZoneInfo(store_visits.zone_of_link(tx, row.install_link_id) or "UTC")
        if at.astimezone(zone).date() != taken["receipt"].astimezone(zone).date():
            record_event(tx, visit_id=visit_id, kind="again", at=at)
            _settle_active(tx, visit_id)


def erase(tx: Tx, visit_id: VisitId, *, now: datetime) -> None:
    """Forget what a guest did: the visit's steps leave every count, and no more are written.

    The visit stays as an empty row, so that its form, sent again, is still known for what it was.
    """
    if store_visits.mark_erased(tx, visit_id, now=now):
        store_visits.take_back(tx, visit_id)


def steps(tx: Tx, visit_id: VisitId) -> frozenset[VisitEventKind]:
    """The steps that were taken so far; none of an unknown visit."""
    return frozenset(store_visits.find_events(tx, visit_id))  # type: ignore[arg-type]


def visit(tx: Tx, visit_id: VisitId) -> Visit:
    """The visit with its steps; raises :class:`NotFound`."""
    row = store_visits.find_visit(tx, visit_id)
    if row is None:
        raise NotFound("visit-not-found", "There is no such visit.")
    return Visit(
        row.id,
        row.install_link_id,
        row.device_kind,  # type: ignore[arg-type]  # the database allows no other
        row.language,
        row.created_at,
        store_visits.find_events(tx, visit_id),  # type: ignore[arg-type]
    )


def claim_form(tx: Tx, visit_id: VisitId, mark: str) -> bool:
    """Whether the form rendered with ``mark`` may enrol under this visit: the first that asks may.

    Whoever copies the page's address to a friend copies the visit with it. The mark is drawn anew for every
    rendering of the form, so the friend's form is told apart from the guest's own sent twice.
    """
    store_visits.mark_form(tx, visit_id, mark)
    row = store_visits.find_visit(tx, visit_id)
    return row is not None and row.form_mark == mark


def is_claimed_by(tx: Tx, visit_id: VisitId, mark: str) -> bool:
    """Whether the form rendered with ``mark`` was the one that enrolled under this visit; writes nothing."""
    row = store_visits.find_visit(tx, visit_id)
    return row is not None and row.form_mark == mark


def is_enrolled(tx: Tx, visit_id: VisitId) -> bool:
    """Whether some form has enrolled under this visit."""
    row = store_visits.find_visit(tx, visit_id)
    return row is not None and row.form_mark is not None


def _settle_active(tx: Tx, visit_id: VisitId) -> None:
    """Let *active* follow from the other steps, in whatever order these were taken or taken back."""
    store_visits.hold(tx, visit_id)
    row, taken = store_visits.find_visit(tx, visit_id), store_visits.find_events(tx, visit_id)
    if row is None or "again" not in taken:
        return
    given_up = "removed" in taken and taken["removed"] - row.created_at <= AGAIN_WITHIN
    if given_up:
        store_visits.take_back(tx, visit_id, ["active"])
    else:
        store_visits.add_event(tx, visit_id=visit_id, kind="active", at=taken["again"])
