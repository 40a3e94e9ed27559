"""Sessions: that somebody signed in on a device. The token is kept as its SHA-256, shown to nobody."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.accounts import audit, users
from app.accounts import store_sessions as store
from app.accounts.users import User
from app.db import Tx
from app.db.identifiers import UserId, UserSessionId
from app.errors import NotFound

IDLE: Final = timedelta(days=7)
"""Without a page asked for, the session is over."""
LIFETIME: Final = timedelta(days=30)
"""However busy it was."""
_SEEN_IS_NOTED_EVERY: Final = timedelta(minutes=5)
_LONGEST_USER_AGENT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody signed in at ``created_at`` and was last seen within minutes of ``seen_at``."""

    id: UserSessionId
    user_id: UserId
    user_agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime

    def lives(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return now < self.expires_at and now < self.seen_at + IDLE

    def seen_is_due(self, now: datetime) -> bool:
        """Whether :func:`note_seen` would tell anything new."""
        return now >= self.seen_at + _SEEN_IS_NOTED_EVERY


def begin(tx: Tx, user: User, *, user_agent: str, now: datetime) -> tuple[Session, str]:
    """Somebody has signed in; gives the session and the token for their cookie, 256 random bits."""
    token = secrets.token_urlsafe(32)
    store.forget_expired(tx, now)
    row = store.insert_session(
        tx, user_id=user.id, token_hash=_hash(token), user_agent=user_agent[:_LONGEST_USER_AGENT], now=now,
        expires_at=now + LIFETIME,
    )  # fmt: skip
    audit.record(
        tx,
        at=now,
        actor=user.actor,
        brand_id=None,
        action="user.signed_in",
        subject=f"user {user.id}",
        detail={},
    )
    return _session(row), token


def of_token(tx: Tx, token: str, *, now: datetime) -> tuple[Session, User] | None:
    """The living session with this token and whose it is. Looked up by hash: the time tells nothing."""
    found = store.by_hash(tx, _hash(token))
    if found is None:
        return None
    session = _session(found[0])
    return (session, users.of_row(found[1])) if session.lives(now) else None


def note_seen(tx: Tx, session: Session, *, now: datetime) -> None:
    """Put off the session's end."""
    store.note_seen(tx, session.id, now)


def of_user(tx: Tx, user_id: UserId, *, now: datetime) -> list[Session]:
    """The living ones, the latest first."""
    return [found for row in store.of_user(tx, user_id) if (found := _session(row)).lives(now)]


def end(tx: Tx, user: User, session_id: UserSessionId, *, now: datetime) -> None:
    """End one session of this user; raises NotFound."""
    if not store.end(tx, user.id, only=session_id):
        raise NotFound("no-such-session", "This device is signed out already")
    _record_end(tx, user, 1, now, user.actor)


def end_all(tx: Tx, user: User, *, but: UserSessionId | None = None, now: datetime, actor: str) -> int:
    """End every session of a user, or all but one; gives how many."""
    ended = store.end(tx, user.id, but=but)
    if ended:
        _record_end(tx, user, ended, now, actor)
    return ended


def _record_end(tx: Tx, user: User, count: int, now: datetime, actor: str) -> None:
    audit.record(
        tx, at=now, actor=actor, brand_id=None, action="user.signed_out", subject=f"user {user.id}",
        detail={"sessions": count},
    )  # fmt: skip


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _session(row: store.SessionRow) -> Session:
    return Session(
        id=UserSessionId(row.id),
        user_id=UserId(row.user_id),
        user_agent=row.user_agent,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )
