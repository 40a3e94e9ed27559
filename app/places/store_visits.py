"""SQL of visits: one row per visit, one row per step that it took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, select, update

from app.db import Tx, insert
from app.db.identifiers import InstallLinkId, VisitId
from app.places.tables import visit, visit_event


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A row of ``visit``."""

    id: VisitId
    install_link_id: InstallLinkId
    device_kind: str
    language: str
    created_at: datetime
    form_mark: str | None


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
    known = select(
        visit.c.id,
        literal(kind),
        literal(at, visit_event.c.at.type),
        visit.c.install_link_id,
        visit.c.created_at,
    ).where(visit.c.id == visit_id)
    added = tx.execute(
        insert(tx, visit_event)
        .from_select(["visit_id", "kind", "at", "install_link_id", "began_at"], known)
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
