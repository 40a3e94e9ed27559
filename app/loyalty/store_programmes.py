"""SQL about programmes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from app.db import Tx, insert
from app.loyalty.tables import programme as programme_table

_BY_ID = select(programme_table).where(programme_table.c.id == bindparam("of_id"))


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """A row of ``programme``."""

    id: int
    brand_id: int
    slug: str
    kind: str
    name: str
    rules: dict[str, Any]
    created_at: datetime


def insert_programme(
    tx: Tx, *, brand_id: int, slug: str, kind: str, name: str, rules: dict[str, Any], now: datetime
) -> int | None:
    """The new row's id; None where the brand has a programme of this slug."""
    found: int | None = tx.execute(
        insert(tx, programme_table)
        .values(brand_id=brand_id, slug=slug, kind=kind, name=name, rules=rules, created_at=now)
        .on_conflict_do_nothing(index_elements=["brand_id", "slug"])
        .returning(programme_table.c.id)
    ).scalar()
    return found


def update_programme(tx: Tx, programme_id: int, *, name: str, rules: dict[str, Any]) -> None:
    """Overwrite what may change."""
    tx.execute(
        update(programme_table).where(programme_table.c.id == programme_id).values(name=name, rules=rules)
    )


def programme(tx: Tx, programme_id: int) -> ProgrammeRow | None:
    """By number."""
    row = tx.execute(_BY_ID, {"of_id": programme_id}).first()
    return ProgrammeRow(*row) if row else None


def programme_by_slug(tx: Tx, brand_id: int, slug: str) -> ProgrammeRow | None:
    """By brand and slug."""
    row = tx.execute(
        select(programme_table).where(programme_table.c.brand_id == brand_id, programme_table.c.slug == slug)
    ).first()
    return ProgrammeRow(*row) if row else None


def programmes_of_brand(tx: Tx, brand_id: int) -> list[ProgrammeRow]:
    """All of a brand, oldest first."""
    rows = tx.execute(
        select(programme_table).where(programme_table.c.brand_id == brand_id).order_by(programme_table.c.id)
    )
    return [ProgrammeRow(*row) for row in rows]
