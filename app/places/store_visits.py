"""SQL of visits: one row per visit, one row per step that it took, and counts derived from those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Select, and_, func, literal, select, update

from app.db import Tx, insert
from app.db.identifiers import BrandId, InstallLinkId, VisitId
from app.places.tables import install_link, venue, visit, visit_event

GROUPS: Mapping[str, Column[Any]] = {
    "venue": install_link.c.venue_id,
    "link": install_link.c.id,
    "placement": install_link.c.placement_id,
    "staff_member": install_link.c.staff_member_id,
}
"""What visits can be counted by, and the column that says it."""


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A row of ``visit``."""

    id: VisitId
    install_link_id: InstallLinkId
    device_kind: str
    language: str
    created_at: datetime
    form_mark: str | None


@dataclass(frozen=True, slots=True)
class CountRow:
    """How many visits of one group took one step."""

    group_id: int
    kind: str
    visits: int


def add_visit(
    tx: Tx, *, visit_id: VisitId, link_id: InstallLinkId, device_kind: str, language: str, at: datetime
) -> None:
    """Write the visit unless it is there."""
    tx.execute(
        insert(tx, visit)
        .values(
            id=visit_id, install_link_id=link_id, device_kind=device_kind, language=language, created_at=at
        )
        .on_conflict_do_nothing()
    )


def add_event(tx: Tx, *, visit_id: VisitId, kind: str, at: datetime) -> bool:
    """Write the step unless it is there or the visit is not; says whether it was written."""
    known = select(visit.c.id, literal(kind), literal(at, visit_event.c.at.type)).where(
        visit.c.id == visit_id
    )
    added = tx.execute(
        insert(tx, visit_event)
        .from_select(["visit_id", "kind", "at"], known)
        .on_conflict_do_nothing()
        .returning(visit_event.c.visit_id)
    )
    return added.first() is not None


def find_visit(tx: Tx, visit_id: VisitId) -> VisitRow | None:
    """The visit, or None."""
    row = tx.execute(
        select(
            visit.c.id,
            visit.c.install_link_id,
            visit.c.device_kind,
            visit.c.language,
            visit.c.created_at,
            visit.c.form_mark,
        ).where(visit.c.id == visit_id)
    ).first()
    return VisitRow(*row) if row else None


def find_events(tx: Tx, visit_id: VisitId) -> dict[str, datetime]:
    """The steps of a visit, by kind."""
    rows = tx.execute(select(visit_event.c.kind, visit_event.c.at).where(visit_event.c.visit_id == visit_id))
    return {row.kind: row.at for row in rows}


def mark_form(tx: Tx, visit_id: VisitId, mark: str) -> None:
    """Keep ``mark`` unless the visit has one; waits for a transaction that is about to set it."""
    tx.execute(
        update(visit).where(visit.c.id == visit_id, visit.c.form_mark.is_(None)).values(form_mark=mark)
    )


def counts_query(brand_id: BrandId, *, by: str, since: datetime, until: datetime) -> Select[Any]:
    """Steps of the visits that began in [since, until), per group and kind; without a group, left out.

    Goes brand → venues → links → visits by date → their steps, each by its index.
    """
    group = GROUPS[by]
    return (
        select(group, visit_event.c.kind, func.count())
        .select_from(venue)
        .join(install_link, install_link.c.venue_id == venue.c.id)
        .join(
            visit,
            and_(
                visit.c.install_link_id == install_link.c.id,
                visit.c.created_at >= since,
                visit.c.created_at < until,
            ),
        )
        .join(visit_event, visit_event.c.visit_id == visit.c.id)
        .where(venue.c.brand_id == brand_id, group.is_not(None))
        .group_by(group, visit_event.c.kind)
        .order_by(group)
    )


def counts(tx: Tx, brand_id: BrandId, *, by: str, since: datetime, until: datetime) -> list[CountRow]:
    """What :func:`counts_query` finds."""
    found = tx.execute(counts_query(brand_id, by=by, since=since, until=until))
    return [CountRow(*row) for row in found]
