"""SQL about brands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, column, exists, select, table, update

from app.accounts.tables import brand as brand_table
from app.db import Tx, insert

# Tables of rooms above, known here by name as their foreign keys are.
_enrolment = table("enrolment", column("brand_id"))
_venue = table("venue", column("id"), column("brand_id"), column("closed_at"))
_BY_ID = select(brand_table).where(brand_table.c.id == bindparam("of_id"))


@dataclass(frozen=True, slots=True)
class BrandRow:
    """A row of ``brand``, columns in the table's order."""

    id: int
    slug: str
    name: str
    texts: dict[str, dict[str, str]]
    time_zone: str
    currency: str
    language: str
    pass_type_identifier: str
    team_identifier: str
    credentials: str
    asks_phone: str
    created_at: datetime


def _row(found: Row[*tuple[Any, ...]] | None) -> BrandRow | None:
    return BrandRow(*found) if found else None


def insert_brand(tx: Tx, *, values: Mapping[str, object], now: datetime) -> int | None:
    """The new row's id; None where the slug is taken."""
    statement = (
        insert(tx, brand_table)
        .values(**values, created_at=now)
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(brand_table.c.id)
    )
    found: int | None = tx.execute(statement).scalar()
    return found


def update_brand(tx: Tx, brand_id: int, *, values: Mapping[str, object]) -> None:
    """Overwrite the given columns."""
    tx.execute(update(brand_table).where(brand_table.c.id == brand_id).values(**values))


def brand(tx: Tx, brand_id: int) -> BrandRow | None:
    """By number."""
    return _row(tx.execute(_BY_ID, {"of_id": brand_id}).first())


def brand_by_slug(tx: Tx, slug: str) -> BrandRow | None:
    """By slug."""
    return _row(tx.execute(select(brand_table).where(brand_table.c.slug == slug)).first())


def brands_of_pass_type(tx: Tx, pass_type_identifier: str) -> list[BrandRow]:
    """All that share a pass type identifier, oldest first."""
    statement = select(brand_table).where(brand_table.c.pass_type_identifier == pass_type_identifier)
    return [BrandRow(*row) for row in tx.execute(statement.order_by(brand_table.c.id))]


def all_brands(tx: Tx) -> list[BrandRow]:
    """All, by slug."""
    return [BrandRow(*row) for row in tx.execute(select(brand_table).order_by(brand_table.c.slug))]


def lock(tx: Tx, brand_id: int) -> None:
    """Lock the row to the end of the transaction; SQLite's writers are alone anyway."""
    tx.execute(select(brand_table.c.id).where(brand_table.c.id == brand_id).with_for_update())


def has_cards(tx: Tx, brand_id: int) -> bool:
    """Whether any guest ever enrolled in a programme of this brand."""
    statement = select(exists().where(_enrolment.c.brand_id == brand_id))
    return bool(tx.execute(statement).scalar())


def brand_of_venue(tx: Tx, venue_id: int) -> int | None:
    """The number of the brand that a venue belongs to; None where there is no such venue."""
    found: int | None = tx.execute(select(_venue.c.brand_id).where(_venue.c.id == venue_id)).scalar()
    return found


def is_venue_closed(tx: Tx, venue_id: int) -> bool:
    """Whether the venue was closed for good."""
    statement = select(exists().where(_venue.c.id == venue_id, _venue.c.closed_at.is_not(None)))
    return bool(tx.execute(statement).scalar())
