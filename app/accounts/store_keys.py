"""SQL about point-of-sale keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from app.accounts.tables import point_of_sale_key
from app.db import Tx, insert

_columns = point_of_sale_key.c
_SHOWN = (
    _columns.id,
    _columns.brand_id,
    _columns.venue_id,
    _columns.name,
    _columns.created_at,
    _columns.expires_at,
    _columns.last_used_at,
)

_BY_HASH = select(*_SHOWN).where(_columns.secret_hash == bindparam("hash"))


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A row of ``point_of_sale_key`` without the hash."""

    id: int
    brand_id: int
    venue_id: int
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


def _row(found: Row[*tuple[Any, ...]] | None) -> KeyRow | None:
    return KeyRow(*found) if found else None


def insert_key(
    tx: Tx, *, brand_id: int, venue_id: int, name: str, secret_hash: str, now: datetime
) -> KeyRow | None:
    """The new row; None where the venue has a living key of that name."""
    statement = (
        insert(tx, point_of_sale_key)
        .values(brand_id=brand_id, venue_id=venue_id, name=name, secret_hash=secret_hash, created_at=now)
        .on_conflict_do_nothing(
            index_elements=["venue_id", "name"], index_where=_columns.expires_at.is_(None)
        )
        .returning(*_SHOWN)
    )
    return _row(tx.execute(statement).first())


def end(tx: Tx, key_id: int, *, at: datetime, only_if_endless: bool) -> bool:
    """Set the end of a key; False where it has one and ``only_if_endless``."""
    statement = update(point_of_sale_key).where(_columns.id == key_id).values(expires_at=at)
    if only_if_endless:
        statement = statement.where(_columns.expires_at.is_(None))
    return tx.execute(statement).rowcount == 1


def living_name(tx: Tx, venue_id: int, name: str) -> int | None:
    """Which key of the venue has that name and no end; None where none has."""
    found: int | None = tx.execute(
        select(_columns.id)
        .where(_columns.venue_id == venue_id)
        .where(_columns.name == name)
        .where(_columns.expires_at.is_(None))
    ).scalar()
    return found


def restore(tx: Tx, key_id: int) -> None:
    """Take the end of a key away."""
    tx.execute(update(point_of_sale_key).where(_columns.id == key_id).values(expires_at=None))


def note_use(tx: Tx, key_id: int, *, now: datetime, unless_since: datetime) -> None:
    """Remember the use; of several at once the first writes."""
    tx.execute(
        update(point_of_sale_key)
        .where(_columns.id == key_id)
        .where(_columns.last_used_at.is_(None) | (_columns.last_used_at <= unless_since))
        .values(last_used_at=now)
    )


def key(tx: Tx, key_id: int) -> KeyRow | None:
    """By number."""
    return _row(tx.execute(select(*_SHOWN).where(_columns.id == key_id)).first())


def key_by_hash(tx: Tx, secret_hash: str) -> KeyRow | None:
    """By the SHA-256 of its secret."""
    return _row(tx.execute(_BY_HASH, {"hash": secret_hash}).first())


def keys_of_brand(tx: Tx, brand_id: int) -> list[KeyRow]:
    """All of a brand, by venue, oldest first."""
    statement = select(*_SHOWN).where(_columns.brand_id == brand_id)
    return [KeyRow(*row) for row in tx.execute(statement.order_by(_columns.venue_id, _columns.id))]
