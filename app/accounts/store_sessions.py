"""SQL about sessions of users."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from app.accounts.store_users import USER_COLUMNS, UserRow
from app.accounts.tables import user_account, user_session
from app.db import Tx

_columns = user_session.c
_SHOWN = (
    _columns.id,
    _columns.user_id,
    _columns.user_agent,
    _columns.created_at,
    _columns.seen_at,
    _columns.expires_at,
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A row of ``user_session`` without the hash."""

    id: int
    user_id: int
    user_agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def insert_session(
    tx: Tx, *, user_id: int, token_hash: str, user_agent: str, now: datetime, expires_at: datetime
) -> SessionRow:
    """The new row."""
    statement = insert(user_session).values(
        user_id=user_id, token_hash=token_hash, user_agent=user_agent, created_at=now, seen_at=now,
        expires_at=expires_at,
    )  # fmt: skip
    return SessionRow(*tx.execute(statement.returning(*_SHOWN)).one())


def by_hash(tx: Tx, token_hash: str) -> tuple[SessionRow, UserRow] | None:
    """The session and whose it is."""
    statement = select(*_SHOWN, *USER_COLUMNS).join(user_account, user_account.c.id == _columns.user_id)
    row = tx.execute(statement.where(_columns.token_hash == token_hash)).first()
    return (SessionRow(*row[: len(_SHOWN)]), UserRow(*row[len(_SHOWN) :])) if row else None


def note_seen(tx: Tx, session_id: int, now: datetime) -> None:
    """Remember that somebody was there."""
    tx.execute(update(user_session).where(_columns.id == session_id).values(seen_at=now))


def of_user(tx: Tx, user_id: int) -> list[SessionRow]:
    """The newest first."""
    statement = select(*_SHOWN).where(_columns.user_id == user_id)
    return [SessionRow(*row) for row in tx.execute(statement.order_by(_columns.seen_at.desc(), _columns.id))]


def end(tx: Tx, user_id: int, *, only: int | None = None, but: int | None = None) -> int:
    """Forget sessions of a user: this one, all but one, or all; gives how many."""
    statement = delete(user_session).where(_columns.user_id == user_id)
    if only is not None:
        statement = statement.where(_columns.id == only)
    if but is not None:
        statement = statement.where(_columns.id != but)
    return tx.execute(statement).rowcount


def forget_expired(tx: Tx, now: datetime) -> None:
    """Forget what is over."""
    tx.execute(delete(user_session).where(_columns.expires_at <= now))
