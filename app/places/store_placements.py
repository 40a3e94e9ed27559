"""SQL about placements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select

from app.db import Tx, insert
from app.places.tables import placement as placement_table
from app.places.tables import venue as venue_table


@dataclass(frozen=True, slots=True)
class PlacementRow:
    """A row of ``placement`` with the brand of its venue."""

    id: int
    venue_id: int
    kind: str
    name: str
    created_at: datetime
    brand_id: int


def _select() -> Select[*tuple[Any, ...]]:
    return select(*placement_table.c, venue_table.c.brand_id).join(
        venue_table, venue_table.c.id == placement_table.c.venue_id
    )


def _row(found: Row[*tuple[Any, ...]] | None) -> PlacementRow | None:
    return PlacementRow(*found) if found else None


def insert_placement(tx: Tx, *, venue_id: int, kind: str, name: str, now: datetime) -> int | None:
    """The new row's id; None where the venue has one of that kind and name."""
    statement = (
        insert(tx, placement_table)
        .values(venue_id=venue_id, kind=kind, name=name, created_at=now)
        .on_conflict_do_nothing(index_elements=["venue_id", "kind", "name"])
        .returning(placement_table.c.id)
    )
    number: int | None = tx.execute(statement).scalar()
    return number


def placement(tx: Tx, placement_id: int) -> PlacementRow | None:
    """By number."""
    return _row(tx.execute(_select().where(placement_table.c.id == placement_id)).first())


def find(tx: Tx, venue_id: int, kind: str, name: str) -> PlacementRow | None:
    """By what tells it apart in its venue."""
    statement = _select().where(
        placement_table.c.venue_id == venue_id,
        placement_table.c.kind == kind,
        placement_table.c.name == name,
    )
    return _row(tx.execute(statement).first())


def placements_of_brand(tx: Tx, brand_id: int) -> list[PlacementRow]:
    """All of a brand's venues."""
    statement = _select().where(venue_table.c.brand_id == brand_id)
    ordered = statement.order_by(venue_table.c.slug, placement_table.c.kind, placement_table.c.name)
    return [PlacementRow(*row) for row in tx.execute(ordered)]


def placements_of_venue(tx: Tx, venue_id: int) -> list[PlacementRow]:
    """All of one venue."""
    statement = _select().where(placement_table.c.venue_id == venue_id)
    ordered = statement.order_by(placement_table.c.kind, placement_table.c.name)
    return [PlacementRow(*row) for row in tx.execute(ordered)]
