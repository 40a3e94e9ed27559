"""SQL of designs: published versions and their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from app.db import Tx
from app.db.identifiers import DesignId, ProgrammeId
from app.errors import Conflict
from app.passes.layout import Design, Layout
from app.passes.tables import design, design_file, wallet_pass


@dataclass(frozen=True, slots=True)
class DesignVersion:
    """A version without its files, and how many cards are of it."""

    id: DesignId
    version: int
    template: str
    created_at: datetime
    cards: int


def versions(tx: Tx, programme_id: ProgrammeId) -> list[DesignVersion]:
    """Every version of a programme, oldest first."""
    cards = (
        select(func.count())
        .select_from(wallet_pass)
        .where(wallet_pass.c.design_id == design.c.id)
        .scalar_subquery()
    )
    rows = tx.execute(
        select(design.c.id, design.c.version, design.c.template, design.c.created_at, cards)
        .where(design.c.programme_id == programme_id)
        .order_by(design.c.version)
    )
    return [DesignVersion(*row) for row in rows]


def add(
    tx: Tx,
    *,
    programme_id: ProgrammeId,
    template: str,
    layout: Layout,
    files: Mapping[str, bytes],
    now: datetime,
) -> Design:
    """Store the programme's next version; raises Conflict where another was published in the meantime."""
    newest = tx.scalar(select(func.max(design.c.version)).where(design.c.programme_id == programme_id)) or 0
    try:
        with tx.begin_nested():
            number = tx.execute(
                insert(design)
                .values(
                    programme_id=programme_id,
                    version=newest + 1,
                    template=template,
                    layout=layout.to_json(),
                    created_at=now,
                )
                .returning(design.c.id)
            ).scalar_one()
    except IntegrityError as fault:
        raise Conflict(
            "design-published-meanwhile", "Another version was published at the same moment; publish again."
        ) from fault
    tx.execute(
        insert(design_file),
        [{"design_id": number, "path": path, "data": data} for path, data in sorted(files.items())],
    )
    return Design(
        id=DesignId(number),
        programme_id=programme_id,
        version=newest + 1,
        template=template,
        layout=layout,
        files=dict(files),
        created_at=now,
    )


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
        version=row.version,
        template=row.template,
        layout=Layout.from_json(row.layout),
        files={path: bytes(data) for path, data in files},
        created_at=row.created_at,
    )


def newest_id(tx: Tx, programme_id: ProgrammeId) -> DesignId | None:
    """The version that new cards are made with."""
    number = tx.scalar(
        select(design.c.id)
        .where(design.c.programme_id == programme_id)
        .order_by(design.c.version.desc())
        .limit(1)
    )
    return None if number is None else DesignId(number)
