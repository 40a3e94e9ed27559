"""SQL about venues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from app.db import Tx, insert
from app.places.tables import venue as venue_table


@dataclass(frozen=True, slots=True)
class VenueRow:
    """A row of ``venue``, columns in the table's order."""

    id: int
    brand_id: int
    slug: str
    name: str
    address: str
    latitude: float | None
    longitude: float | None
    time_zone: str
    relevant_text_ru: str | None
    relevant_text_en: str | None
    created_at: datetime
    closed_at: datetime | None


def _row(found: Row[*tuple[Any, ...]] | None) -> VenueRow | None:
    return VenueRow(*found) if found else None


def insert_venue(tx: Tx, *, values: Mapping[str, object], now: datetime) -> VenueRow | None:
    """The new row; None where the brand has the slug."""
    statement = (
        insert(tx, venue_table)
        .values(**values, created_at=now)
        .on_conflict_do_nothing(index_elements=["brand_id", "slug"])
        .returning(*venue_table.c)
    )
    return _row(tx.execute(statement).first())


def update_venue(tx: Tx, venue_id: int, *, values: Mapping[str, object]) -> None:
    """Overwrite the given columns."""
    tx.execute(update(venue_table).where(venue_table.c.id == venue_id).values(**values))


def venue(tx: Tx, venue_id: int) -> VenueRow | None:
    """By number."""
    return _row(tx.execute(select(venue_table).where(venue_table.c.id == venue_id)).first())


def venue_by_slug(tx: Tx, brand_id: int, slug: str) -> VenueRow | None:
    """By slug within a brand."""
    statement = select(venue_table).where(venue_table.c.brand_id == brand_id, venue_table.c.slug == slug)
    return _row(tx.execute(statement).first())


def venues(tx: Tx, brand_id: int) -> list[VenueRow]:
    """All of a brand, by slug."""
    statement = select(venue_table).where(venue_table.c.brand_id == brand_id)
    return [VenueRow(*row) for row in tx.execute(statement.order_by(venue_table.c.slug))]
