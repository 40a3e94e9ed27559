"""SQL about users and what they may do where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy import insert as plain_insert

from app.accounts.tables import user_access, user_account, user_venue
from app.db import Tx, insert
from app.db.given import among

_user = user_account.c
USER_COLUMNS = (_user.id, _user.email, _user.name, _user.language, _user.operator, _user.created_at)


@dataclass(frozen=True, slots=True)
class UserRow:
    """A row of ``user_account`` without the hash."""

    id: int
    email: str
    name: str
    language: str
    operator: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccessRow:
    """A row of ``user_access`` with the venues that belong to it."""

    user_id: int
    brand_id: int
    role: str
    venues: frozenset[int]


def insert_user(tx: Tx, *, values: Mapping[str, Any]) -> int | None:
    """The new row's number; None where the address is taken."""
    statement = insert(tx, user_account).values(**values).on_conflict_do_nothing(index_elements=["email"])
    found = tx.execute(statement.returning(_user.id)).scalar()
    return int(found) if found is not None else None


def update_user(tx: Tx, user_id: int, **values: object) -> None:
    """Set columns of a user."""
    tx.execute(update(user_account).where(_user.id == user_id).values(**values))


def user(tx: Tx, user_id: int) -> UserRow | None:
    """By number."""
    row = tx.execute(select(*USER_COLUMNS).where(_user.id == user_id)).first()
    return UserRow(*row) if row else None


def user_by_email(tx: Tx, email: str) -> tuple[UserRow, str] | None:
    """By address, with the password's hash."""
    row = tx.execute(select(*USER_COLUMNS, _user.password_hash).where(_user.email == email)).first()
    return (UserRow(*row[:-1]), row[-1]) if row else None


def password_hash(tx: Tx, user_id: int) -> str | None:
    """Of this user."""
    return tx.execute(select(_user.password_hash).where(_user.id == user_id)).scalar()


def all_users(tx: Tx) -> list[UserRow]:
    """Everybody, by address."""
    return [UserRow(*row) for row in tx.execute(select(*USER_COLUMNS).order_by(_user.email))]


def users(tx: Tx, user_ids: Sequence[int]) -> list[UserRow]:
    """By their numbers."""
    return [UserRow(*row) for row in tx.execute(select(*USER_COLUMNS).where(among(_user.id, user_ids)))]


def is_anybody_there(tx: Tx) -> bool:
    """Whether there is a user at all."""
    return bool(tx.execute(select(exists(select(_user.id)))).scalar_one())


def operators(tx: Tx) -> list[int]:
    """The operators, locked until the transaction ends."""
    statement = select(_user.id).where(_user.operator).order_by(_user.id).with_for_update()
    return list(tx.execute(statement).scalars())


def users_of_brand(tx: Tx, brand_id: int) -> list[UserRow]:
    """Who has a role in the brand, by name."""
    statement = select(*USER_COLUMNS).join(user_access, user_access.c.user_id == _user.id)
    statement = statement.where(user_access.c.brand_id == brand_id).order_by(func.lower(_user.name), _user.id)
    return [UserRow(*row) for row in tx.execute(statement)]


def accesses(tx: Tx, *, user_id: int | None = None, brand_id: int | None = None) -> list[AccessRow]:
    """Of a user, of a brand, or of both."""
    which = select(user_access.c.user_id, user_access.c.brand_id, user_access.c.role)
    places = select(user_venue.c.user_id, user_venue.c.brand_id, user_venue.c.venue_id)
    if user_id is not None:
        which = which.where(user_access.c.user_id == user_id)
        places = places.where(user_venue.c.user_id == user_id)
    if brand_id is not None:
        which = which.where(user_access.c.brand_id == brand_id)
        places = places.where(user_venue.c.brand_id == brand_id)
    venues: dict[tuple[int, int], set[int]] = {}
    for whose, where, venue in tx.execute(places):
        venues.setdefault((whose, where), set()).add(venue)
    return [
        AccessRow(whose, where, role, frozenset(venues.get((whose, where), ())))
        for whose, where, role in tx.execute(which.order_by(user_access.c.brand_id, user_access.c.user_id))
    ]


def put_access(
    tx: Tx, *, user_id: int, brand_id: int, role: str, venues: Sequence[int], now: datetime
) -> None:
    """Give a user this role and exactly these venues in a brand."""
    statement = insert(tx, user_access).values(user_id=user_id, brand_id=brand_id, role=role, created_at=now)
    tx.execute(statement.on_conflict_do_update(index_elements=["user_id", "brand_id"], set_={"role": role}))
    _clear_venues(tx, user_id, brand_id)
    if venues:
        rows = [
            {"user_id": user_id, "brand_id": brand_id, "venue_id": venue} for venue in sorted(set(venues))
        ]
        tx.execute(plain_insert(user_venue), rows)


def delete_access(tx: Tx, user_id: int, brand_id: int) -> bool:
    """Take a user's role in a brand away; False where there was none."""
    _clear_venues(tx, user_id, brand_id)
    found = tx.execute(
        delete(user_access).where(user_access.c.user_id == user_id, user_access.c.brand_id == brand_id)
    )
    return found.rowcount == 1


def owners(tx: Tx, brand_id: int) -> list[int]:
    """Who owns the brand."""
    statement = select(user_access.c.user_id).where(
        user_access.c.brand_id == brand_id, user_access.c.role == "owner"
    )
    return list(tx.execute(statement).scalars())


def _clear_venues(tx: Tx, user_id: int, brand_id: int) -> None:
    tx.execute(delete(user_venue).where(user_venue.c.user_id == user_id, user_venue.c.brand_id == brand_id))
