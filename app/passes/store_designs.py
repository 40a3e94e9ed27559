"""SQL of designs: published versions and their files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.db import Tx, among
from app.db.identifiers import DesignId, ProgrammeId
from app.errors import Conflict
from app.passes.layout import Design, Layout
from app.passes.stamp_strips import is_drawn
from app.passes.tables import design, design_file, wallet_pass
from app.passes.template import Template


@dataclass(frozen=True, slots=True)
class DesignVersion:
    """A version without its files, and how many living cards are of it."""

    id: DesignId
    version: int
    template: str
    created_at: datetime
    cards: int
    withdrawn_at: datetime | None  # taken back: no new cards are made with it


def versions(tx: Tx, programme_id: ProgrammeId) -> list[DesignVersion]:
    """Every version of a programme, oldest first."""
    cards = (
        select(func.count())
        .select_from(wallet_pass)
        .where(wallet_pass.c.design_id == design.c.id, wallet_pass.c.voided_at.is_(None))
        .scalar_subquery()
    )
    rows = tx.execute(
        select(
            design.c.id,
            design.c.version,
            design.c.template,
            design.c.created_at,
            cards,
            design.c.withdrawn_at,
        )
        .where(design.c.programme_id == programme_id, design.c.version.is_not(None))
        .order_by(design.c.version)
    )
    return [DesignVersion(*row) for row in rows]


def add(
    tx: Tx,
    *,
    programme_id: ProgrammeId,
    source: Template,
    layout: Layout,
    files: Mapping[str, bytes],
    now: datetime,
) -> Design:
    """Store the programme's next version; raises Conflict where another was published in the meantime."""
    newest = tx.scalar(select(func.max(design.c.version)).where(design.c.programme_id == programme_id)) or 0
    try:
        with tx.begin_nested():
            return _insert(tx, programme_id, newest + 1, source, layout, files, now)
    except IntegrityError as fault:
        raise Conflict(
            "design-published-meanwhile", "Another version was published at the same moment; publish again."
        ) from fault


def add_for_tests(
    tx: Tx,
    *,
    programme_id: ProgrammeId,
    source: Template,
    layout: Layout,
    files: Mapping[str, bytes],
    now: datetime,
) -> Design:
    """Store what test cards look like: it has no number, and is no version that guests' cards are of."""
    return _insert(tx, programme_id, None, source, layout, files, now)


def remove_for_tests(tx: Tx, design_id: DesignId) -> None:
    """Forget one of those that no card is of any more."""
    tx.execute(delete(design_file).where(design_file.c.design_id == design_id))
    tx.execute(delete(design).where(design.c.id == design_id, design.c.version.is_(None)))


def _insert(
    tx: Tx,
    programme_id: ProgrammeId,
    version: int | None,
    source: Template,
    layout: Layout,
    files: Mapping[str, bytes],
    now: datetime,
) -> Design:
    number = tx.execute(
        insert(design)
        .values(
            programme_id=programme_id,
            version=version,
            template=source.name,
            source=source.to_json(),
            layout=layout.to_json(),
            created_at=now,
        )
        .returning(design.c.id)
    ).scalar_one()
    tx.execute(
        insert(design_file),
        [{"design_id": number, "path": path, "data": data} for path, data in sorted(files.items())],
    )
    return Design(
        id=DesignId(number),
        programme_id=programme_id,
        version=version or 0,
        template=source.name,
        layout=layout,
        files=dict(files),
        created_at=now,
    )


def source(tx: Tx, design_id: DesignId) -> Template | None:
    """What a version was made from; the strips that were drawn for it are no part of that."""
    row = tx.execute(select(design.c.template, design.c.source).where(design.c.id == design_id)).one_or_none()
    if row is None:
        return None
    files = tx.execute(
        select(design_file.c.path, design_file.c.data).where(design_file.c.design_id == design_id)
    )
    return Template.from_json(
        row.template, row.source, {path: bytes(data) for path, data in files if not is_drawn(path)}
    )


def withdraw(tx: Tx, design_id: DesignId, *, now: datetime | None) -> None:
    """New cards are made with it no more; ``None``: they are again."""
    tx.execute(update(design).where(design.c.id == design_id).values(withdrawn_at=now))


def by_id(tx: Tx, design_id: DesignId) -> Design | None:
    """One version with its files."""
    row = tx.execute(select(design).where(design.c.id == design_id)).one_or_none()
    if row is None:
        return None
    files = tx.execute(
        select(design_file.c.path, design_file.c.data).where(design_file.c.design_id == design_id)
    )
    return Design(
        id=DesignId(row.id),
        programme_id=ProgrammeId(row.programme_id),
        version=row.version or 0,
        template=row.template,
        layout=Layout.from_json(row.layout),
        files={path: bytes(data) for path, data in files},
        created_at=row.created_at,
    )


def drawn(tx: Tx, programme_ids: Collection[ProgrammeId]) -> frozenset[ProgrammeId]:
    """Which of these programmes have a version that new cards are made with."""
    found = tx.scalars(
        select(design.c.programme_id)
        .where(
            among(design.c.programme_id, sorted(programme_ids)),
            design.c.version.is_not(None),
            design.c.withdrawn_at.is_(None),
        )
        .distinct()
    )
    return frozenset(ProgrammeId(number) for number in found)


def newest_id(tx: Tx, programme_id: ProgrammeId) -> DesignId | None:
    """The version that new cards are made with."""
    number = tx.scalar(
        select(design.c.id)
        .where(
            design.c.programme_id == programme_id,
            design.c.version.is_not(None),
            design.c.withdrawn_at.is_(None),
        )
        .order_by(design.c.version.desc())
        .limit(1)
    )
    return None if number is None else DesignId(number)
