"""SQL about staff members."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from app.accounts.tables import staff_member as staff_table
from app.db import Tx, insert


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A row of ``staff_member``, columns in the table's order."""

    id: int
    brand_id: int
    venue_id: int | None
    name: str
    created_at: datetime
    left_at: datetime | None
    monthly_target: int | None


def _row(found: Row[*tuple[Any, ...]] | None) -> StaffRow | None:
    return StaffRow(*found) if found else None


def insert_staff_member(
    tx: Tx, *, brand_id: int, venue_id: int | None, name: str, monthly_target: int | None, now: datetime
) -> StaffRow | None:
    """The new row; None where the brand has that name."""
    statement = (
        insert(tx, staff_table)
        .values(
            brand_id=brand_id, venue_id=venue_id, name=name, monthly_target=monthly_target, created_at=now
        )
        .on_conflict_do_nothing(index_elements=["brand_id", "name"])
        .returning(*staff_table.c)
    )
    return _row(tx.execute(statement).first())


def set_venue(tx: Tx, staff_member_id: int, venue_id: int | None) -> None:
    """Change where someone works."""
    tx.execute(update(staff_table).where(staff_table.c.id == staff_member_id).values(venue_id=venue_id))


def set_target(tx: Tx, staff_member_id: int, monthly_target: int | None) -> None:
    """Change someone's plan."""
    tx.execute(
        update(staff_table).where(staff_table.c.id == staff_member_id).values(monthly_target=monthly_target)
    )


def set_left(tx: Tx, staff_member_id: int, at: datetime | None) -> None:
    """Note when someone left; None: not at all."""
    tx.execute(update(staff_table).where(staff_table.c.id == staff_member_id).values(left_at=at))


def staff_member(tx: Tx, staff_member_id: int) -> StaffRow | None:
    """By number."""
    return _row(tx.execute(select(staff_table).where(staff_table.c.id == staff_member_id)).first())


def staff_member_by_name(tx: Tx, brand_id: int, name: str) -> StaffRow | None:
    """By name within a brand."""
    statement = select(staff_table).where(staff_table.c.brand_id == brand_id, staff_table.c.name == name)
    return _row(tx.execute(statement).first())


def staff_of_brand(tx: Tx, brand_id: int) -> list[StaffRow]:
    """All of a brand, by name."""
    statement = select(staff_table).where(staff_table.c.brand_id == brand_id)
    return [StaffRow(*row) for row in tx.execute(statement.order_by(staff_table.c.name))]
