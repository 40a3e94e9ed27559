"""SQL about invitations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, select, update

from app.accounts.tables import invitation
from app.db import Tx

_columns = invitation.c
_SHOWN = (
    _columns.id,
    _columns.kind,
    _columns.brand_id,
    _columns.user_id,
    _columns.role,
    _columns.venues,
    _columns.name,
    _columns.created_at,
    _columns.created_by,
    _columns.expires_at,
    _columns.used_at,
    _columns.withdrawn_at,
)


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """A row of ``invitation`` without the hash."""

    id: int
    kind: str
    brand_id: int | None
    user_id: int | None
    role: str | None
    venues: list[int]
    name: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    used_at: datetime | None
    withdrawn_at: datetime | None


def _row(found: Row[*tuple[Any, ...]]) -> InvitationRow:
    return InvitationRow(*found)


def insert_invitation(tx: Tx, *, values: Mapping[str, Any]) -> InvitationRow:
    """The new row."""
    return _row(tx.execute(insert(invitation).values(**values).returning(*_SHOWN)).one())


def by_hash(tx: Tx, token_hash: str) -> InvitationRow | None:
    """By the SHA-256 of its token."""
    row = tx.execute(select(*_SHOWN).where(_columns.token_hash == token_hash)).first()
    return _row(row) if row else None


def open_of_brand(tx: Tx, brand_id: int, now: datetime) -> list[InvitationRow]:
    """Those that still invite, the newest first."""
    statement = select(*_SHOWN).where(
        _columns.brand_id == brand_id, _columns.kind == "brand", _is_open(), _columns.expires_at > now
    )
    return [_row(row) for row in tx.execute(statement.order_by(_columns.id.desc()))]


def open_to_password(tx: Tx, user_id: int, now: datetime) -> list[InvitationRow]:
    """Those that still open, to this user's new password; the newest first."""
    statement = select(*_SHOWN).where(
        _columns.user_id == user_id, _columns.kind == "password", _is_open(), _columns.expires_at > now
    )
    return [_row(row) for row in tx.execute(statement.order_by(_columns.id.desc()))]


def use(tx: Tx, invitation_id: int, now: datetime) -> bool:
    """Mark it used; False where it was used or withdrawn before: one statement decides."""
    statement = update(invitation).where(_columns.id == invitation_id, _is_open())
    return tx.execute(statement.values(used_at=now)).rowcount == 1


def withdraw(tx: Tx, *, now: datetime, **which: object) -> int:
    """End the open ones whose columns say ``which``; gives how many."""
    statement = update(invitation).where(_is_open())
    for name, value in which.items():
        statement = statement.where(_columns[name] == value)
    return tx.execute(statement.values(withdrawn_at=now)).rowcount


def _is_open() -> ColumnElement[bool]:
    return _columns.used_at.is_(None) & _columns.withdrawn_at.is_(None)
