"""SQL about install links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, column, func, select, table, update

from app.db import Tx, insert
from app.places.tables import install_link

# A table of a room above, known here by name as the foreign key is.
_programme = table("programme", column("id"), column("brand_id"))


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A row of ``install_link``, columns in the table's order."""

    id: int
    code: str
    brand_id: int
    programme_id: int
    venue_id: int
    placement_id: int | None
    staff_member_id: int | None
    created_at: datetime
    retired_at: datetime | None
    printed_at: datetime | None


def _row(found: Row[*tuple[Any, ...]] | None) -> LinkRow | None:
    return LinkRow(*found) if found else None


def insert_link(
    tx: Tx,
    *,
    code: str,
    brand_id: int,
    programme_id: int,
    venue_id: int,
    placement_id: int | None,
    staff_member_id: int | None,
    now: datetime,
) -> LinkRow | None:
    """The new row; None where the code is taken."""
    statement = (
        insert(tx, install_link)
        .values(
            code=code,
            brand_id=brand_id,
            programme_id=programme_id,
            venue_id=venue_id,
            placement_id=placement_id,
            staff_member_id=staff_member_id,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(*install_link.c)
    )
    return _row(tx.execute(statement).first())


def retire(tx: Tx, link_id: int, *, now: datetime) -> None:
    """Mark a link retired."""
    tx.execute(update(install_link).where(install_link.c.id == link_id).values(retired_at=now))


def restore(tx: Tx, link_id: int) -> None:
    """Mark a link living."""
    tx.execute(update(install_link).where(install_link.c.id == link_id).values(retired_at=None))


def note_printed(tx: Tx, link_ids: Sequence[int], *, now: datetime) -> None:
    """Keep when each was first printed."""
    tx.execute(
        update(install_link)
        .where(install_link.c.id.in_(link_ids), install_link.c.printed_at.is_(None))
        .values(printed_at=now)
    )


def link(tx: Tx, link_id: int) -> LinkRow | None:
    """By number."""
    return _row(tx.execute(select(install_link).where(install_link.c.id == link_id)).first())


def link_by_code(tx: Tx, code: str) -> LinkRow | None:
    """By code."""
    return _row(tx.execute(select(install_link).where(install_link.c.code == code)).first())


def links_of_brand(tx: Tx, brand_id: int) -> list[LinkRow]:
    """All of a brand, oldest first."""
    statement = select(install_link).where(install_link.c.brand_id == brand_id)
    return [LinkRow(*row) for row in tx.execute(statement.order_by(install_link.c.id))]


def links_of_venue(tx: Tx, venue_id: int) -> list[LinkRow]:
    """All of a venue, oldest first."""
    statement = select(install_link).where(install_link.c.venue_id == venue_id)
    return [LinkRow(*row) for row in tx.execute(statement.order_by(install_link.c.id))]


def living_by_venue(tx: Tx, venue_ids: Sequence[int]) -> dict[int, int]:
    """How many living links each venue has; without any, left out."""
    statement = (
        select(install_link.c.venue_id, func.count())
        .where(install_link.c.venue_id.in_(venue_ids), install_link.c.retired_at.is_(None))
        .group_by(install_link.c.venue_id)
    )
    return dict(tx.execute(statement).all())


def brand_of_programme(tx: Tx, programme_id: int) -> int | None:
    """The number of the brand that a programme belongs to; None where there is none such."""
    found: int | None = tx.execute(
        select(_programme.c.brand_id).where(_programme.c.id == programme_id)
    ).scalar()
    return found
