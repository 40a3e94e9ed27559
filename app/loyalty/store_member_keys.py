"""SQL of what members are found by; written in the transaction that names them, renames or forgets them."""

from __future__ import annotations

from sqlalchemy import delete, select

from app.db import Tx, insert
from app.loyalty.guest_tables import member_key
from app.loyalty.search_keys import keys
from app.loyalty.tables import member


def add(tx: Tx, member_id: int, brand_id: int, name: str | None, phone: str | None = None) -> None:
    """Of a member who is new."""
    rows = [{"member_id": member_id, "brand_id": brand_id, "key": key} for key in sorted(keys(name, phone))]
    if rows:
        tx.execute(insert(tx, member_key), rows)


def renew(tx: Tx, member_id: int) -> None:
    """As the member is called and reached now; nothing is left of one who was forgotten."""
    tx.execute(delete(member_key).where(member_key.c.member_id == member_id))
    columns = member.c.brand_id, member.c.name, member.c.phone
    row = tx.execute(select(*columns).where(member.c.id == member_id, member.c.removed_at.is_(None))).first()
    if row:
        add(tx, member_id, row.brand_id, row.name, row.phone)
