"""SQL of visits: one row per visit, one row per step that it took, and what that adds to the tallies.

An event and its change are written, and taken back, in one transaction: tallies with the changes that are not
folded yet are what the events count to, at every moment and for every reader.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Row, delete, literal, select, update

from app.db import Tx, insert
from app.db.identifiers import InstallLinkId, VisitId
from app.places.tables import install_link, venue, visit, visit_change, visit_event


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A row of ``visit``."""

    id: VisitId
    install_link_id: InstallLinkId
    device_kind: str
    language: str
    created_at: datetime
    day: date
    form_mark: str | None
    erased_at: datetime | None


_VISIT = tuple(visit.c[name] for name in VisitRow.__dataclass_fields__)


def zone_of_link(tx: Tx, link_id: InstallLinkId) -> str | None:
    """The time zone of the link's venue; None where there is no such link."""
    found: str | None = tx.execute(
        select(venue.c.time_zone)
        .join(install_link, install_link.c.venue_id == venue.c.id)
        .where(install_link.c.id == link_id)
    ).scalar()
    return found


def add_visit(
    tx: Tx,
    *,
    visit_id: VisitId,
    link_id: InstallLinkId,
    device_kind: str,
    language: str,
    at: datetime,
    day: date,
) -> None:
    """Write the visit unless it is there."""
    tx.execute(
        insert(tx, visit)
        .values(
            id=visit_id,
            install_link_id=link_id,
            device_kind=device_kind,
            language=language,
            created_at=at,
            day=day,
        )
        .on_conflict_do_nothing()
    )


def add_event(tx: Tx, *, visit_id: VisitId, kind: str, at: datetime) -> bool:
    """Write the step unless it is there or the visit is not, or was erased; says whether it was written."""
    known = (
        select(
            visit.c.id,
            literal(kind),
            literal(at, visit_event.c.at.type),
            visit.c.install_link_id,
            visit.c.day,
        )
        .where(visit.c.id == visit_id, visit.c.erased_at.is_(None))
        # Waits for who is erasing the visit, and for nobody else: the foreign key takes this very lock.
        .with_for_update(read=True, key_share=True)
    )
    added = tx.execute(
        insert(tx, visit_event)
        .from_select(["visit_id", "kind", "at", "install_link_id", "day"], known)
        .on_conflict_do_nothing()
        .returning(visit_event.c.install_link_id, visit_event.c.day)
    ).first()
    if added is not None:
        _add_changes(tx, [(added.install_link_id, added.day, kind)], 1)
    return added is not None


def take_back(tx: Tx, visit_id: VisitId, kinds: Collection[str] | None = None) -> bool:
    """Delete the visit's steps of these kinds, or all of them; says whether there were any."""
    statement = delete(visit_event).where(visit_event.c.visit_id == visit_id)
    if kinds is not None:
        statement = statement.where(visit_event.c.kind.in_(sorted(kinds)))
    gone = tx.execute(
        statement.returning(visit_event.c.install_link_id, visit_event.c.day, visit_event.c.kind)
    ).all()
    _add_changes(tx, gone, -1)
    return bool(gone)


def mark_erased(tx: Tx, visit_id: VisitId, *, now: datetime) -> bool:
    """Let no more steps be written, and blank what is known of the guest's phone; False where that was done.

    Waits for steps that are being written.
    """
    lock = select(visit.c.id).where(visit.c.id == visit_id, visit.c.erased_at.is_(None)).with_for_update()
    if tx.execute(lock).first() is None:
        return False
    blank = {"erased_at": now, "device_kind": "unknown", "language": ""}
    tx.execute(update(visit).where(visit.c.id == visit_id).values(**blank))
    return True


def find_visit(tx: Tx, visit_id: VisitId) -> VisitRow | None:
    """The visit, or None."""
    row = tx.execute(select(*_VISIT).where(visit.c.id == visit_id)).first()
    return VisitRow(*row) if row else None


def hold(tx: Tx, visit_id: VisitId) -> None:
    """Wait for who is deciding about this visit's steps; writing one more needs no such lock."""
    tx.execute(select(visit.c.id).where(visit.c.id == visit_id).with_for_update(key_share=True))


def find_events(tx: Tx, visit_id: VisitId) -> dict[str, datetime]:
    """The steps of a visit, by kind."""
    rows = tx.execute(select(visit_event.c.kind, visit_event.c.at).where(visit_event.c.visit_id == visit_id))
    return {row.kind: row.at for row in rows}


def mark_form(tx: Tx, visit_id: VisitId, mark: str) -> None:
    """Keep ``mark`` unless the visit has one; waits for a transaction that is about to set it."""
    tx.execute(
        update(visit).where(visit.c.id == visit_id, visit.c.form_mark.is_(None)).values(form_mark=mark)
    )


def _add_changes(tx: Tx, steps: Sequence[Row[int, date, str] | tuple[int, date, str]], change: int) -> None:
    """One row a step, never an update: guests of one venue would wait for each other."""
    if steps:
        rows = [
            {"install_link_id": link_id, "day": day, "kind": kind, "change": change}
            for link_id, day, kind in steps
        ]
        tx.execute(visit_change.insert(), rows)
