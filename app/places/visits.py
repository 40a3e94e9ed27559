"""Visits: what became of a scan of an install link, step by step.

A visit is one guest's way from the code on the table to the card. Its identifier is random, says nothing
about the guest, and travels signed in the page's address and form, never in a cookie. Steps are facts, each
written once; every count is derived from them when somebody asks.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.db import Tx
from app.db.identifiers import InstallLinkId, VisitId
from app.errors import NotFound
from app.places import store_visits

VisitEventKind = Literal["scan", "page", "in_app", "form", "added", "removed"]
"""In the order in which a visit can take them: the page was asked for; a browser showed it; that browser
cannot put a card into a wallet (an app's own, or one of the few on iOS that open no pass); a form enrolled; a
phone registered the card; the last one let go. *in_app* is a detour: a guest who was helped goes on to the
form in another browser, under the same visit.
"""

DeviceKind = Literal["iphone", "ipad", "android", "desktop", "unknown"]


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

    Returns whether the step is new.
    """
    store_visits.add_visit(
        tx, visit_id=visit_id, link_id=link_id, device_kind=device_kind, language=language, at=at
    )
    return store_visits.add_event(tx, visit_id=visit_id, kind=kind, at=at)


def record_event(tx: Tx, *, visit_id: VisitId, kind: VisitEventKind, at: datetime) -> bool:
    """Write a step of a visit that is known; an unknown visit and a step already taken change nothing.

    Returns whether the step is new.
    """
    return store_visits.add_event(tx, visit_id=visit_id, kind=kind, at=at)


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
