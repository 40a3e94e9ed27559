"""Invitations: one-time links by which somebody becomes a user, gets a role, or chooses a new password.

Nothing here sends mail: who invites is shown the link once and passes it on. The token in it is 256 random
bits, kept as its SHA-256.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, cast

from app.accounts import audit, checks, users
from app.accounts import store_invitations as store
from app.accounts.roles import ROLES, Role
from app.accounts.roles_venues import checked_venues
from app.accounts.users import User
from app.db import Tx
from app.db.identifiers import BrandId, InvitationId, UserId, VenueId
from app.errors import Conflict, NotFound

Kind = Literal["operator", "brand", "password"]
LIFETIME: Final = timedelta(days=3)
"""Of a link that invites somebody: passed on today, opened after the weekend."""
SHORT_LIFETIME: Final = timedelta(days=1)
"""Of a link that opens more: a first owner's, and one to a new password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a link is for."""

    id: InvitationId
    kind: Kind
    brand_id: BrandId | None
    user_id: UserId | None  # whose password
    role: Role | None
    venues: Sequence[VenueId]
    name: str
    created_at: datetime
    expires_at: datetime
    created_by: str
    used_at: datetime | None
    withdrawn_at: datetime | None

    def invites(self, now: datetime) -> bool:
        """Whether it can still be used."""
        return self.used_at is None and self.withdrawn_at is None and now < self.expires_at


def invite_operator(tx: Tx, *, now: datetime, actor: str, name: str = "") -> tuple[Invitation, str]:
    """A link for whoever is to run the installation; gives the invitation and its token."""
    return _make(tx, kind="operator", name=name, now=now, actor=actor, lifetime=SHORT_LIFETIME)


def invite_first(tx: Tx, *, now: datetime, actor: str) -> str | None:
    """The token of a link for the first user; None where somebody is there already.

    Each process that starts on an empty installation shows one; the first that is used ends the others, so
    that an old log holds nothing that opens.
    """
    if users.is_anybody_there(tx):
        return None
    return invite_operator(tx, now=now, actor=actor)[1]


def invite(
    tx: Tx,
    brand_id: BrandId,
    role: Role,
    *,
    venues: Iterable[VenueId] = (),
    name: str = "",
    now: datetime,
    actor: str,
) -> tuple[Invitation, str]:
    """A link to a role in a brand; gives it and its token. Raises BadInput as users.grant does."""
    wanted = checked_venues(tx, brand_id, role, venues)
    return _make(
        tx, kind="brand", brand_id=brand_id, role=role, venues=sorted(wanted), name=name, now=now,
        actor=actor, lifetime=LIFETIME,
    )  # fmt: skip


def invite_to_new_password(
    tx: Tx, user_id: UserId, *, brand_id: BrandId | None = None, now: datetime, actor: str
) -> tuple[Invitation, str]:
    """A link to another password for somebody who forgot theirs; earlier ones end. Raises NotFound."""
    whose = users.user(tx, user_id)
    store.withdraw(tx, now=now, kind="password", user_id=user_id)
    return _make(
        tx, kind="password", user_id=user_id, brand_id=brand_id, name=whose.name, now=now, actor=actor,
        lifetime=SHORT_LIFETIME,
    )  # fmt: skip


def of_token(tx: Tx, token: str, *, now: datetime) -> Invitation:
    """What the link is for; raises NotFound where it leads nowhere any more."""
    row = store.by_hash(tx, _hash(token))
    if row is None or not (found := _invitation(row)).invites(now) or not _maker_may(tx, found):
        raise _gone()
    return found


def open_of_brand(tx: Tx, brand_id: BrandId, *, now: datetime) -> list[Invitation]:
    """Who was invited and has not come yet, the newest first."""
    return [_invitation(row) for row in store.open_of_brand(tx, brand_id, now)]


def may_reset(tx: Tx, who: User, whose: User) -> bool:
    """A new password opens all that somebody may do: only who owns all of it hands one out."""
    if who.id == whose.id:
        return False
    if who.operator:
        return True
    owned = {access.brand_id for access in users.accesses(tx, who) if access.role == "owner"}
    return not whose.operator and all(each.brand_id in owned for each in users.accesses(tx, whose))


def open_to_password(tx: Tx, user_id: UserId, *, now: datetime) -> list[Invitation]:
    """Links to a new password of this user that still open, whoever made them; the newest first."""
    return [_invitation(row) for row in store.open_to_password(tx, user_id, now)]


def withdraw_password_link(tx: Tx, user_id: UserId, *, brand_id: BrandId, now: datetime, actor: str) -> None:
    """End what is open to a user's new password; raises NotFound where nothing is."""
    if not store.withdraw(tx, now=now, kind="password", user_id=user_id):
        raise _gone()
    audit.record(
        tx, at=now, actor=actor, brand_id=brand_id, action="invitation.withdrawn", subject=f"user {user_id}",
        detail={"kind": "password"},
    )  # fmt: skip


def withdraw(tx: Tx, brand_id: BrandId, invitation_id: InvitationId, *, now: datetime, actor: str) -> None:
    """End a brand's invitation; raises NotFound where there is none that is open."""
    if not store.withdraw(tx, now=now, id=invitation_id, brand_id=brand_id, kind="brand"):
        raise _gone()
    audit.record(
        tx, at=now, actor=actor, brand_id=brand_id, action="invitation.withdrawn",
        subject=f"invitation {invitation_id}", detail={},
    )  # fmt: skip


def accept(tx: Tx, invitation: Invitation, by: User, *, now: datetime) -> User:
    """Somebody uses the link; gives them as they are then. Raises NotFound where another was faster.

    A link to a role makes nobody less: who has a higher one keeps it, a manager keeps their venues. It is
    worth what its maker may still give away.
    """
    if not invitation.invites(now) or not store.use(tx, invitation.id, now) or not _maker_may(tx, invitation):
        raise _gone()
    audit.record(
        tx, at=now, actor=by.actor, brand_id=invitation.brand_id, action="invitation.used",
        subject=f"invitation {invitation.id}", detail={"invited_by": invitation.created_by},
    )  # fmt: skip
    if invitation.kind == "operator":
        if len(users.all_users(tx)) == 1:  # the first, just made
            store.withdraw(tx, now=now, kind="operator")
        return users.set_operator(tx, by.id, operator=True, now=now, actor=invitation.created_by)
    if invitation.kind == "brand":
        brand_id, role = cast("BrandId", invitation.brand_id), cast("Role", invitation.role)
        before = users.given_access(tx, by.id, brand_id)
        if before is not None and before.role == "owner":
            raise Conflict("owner-already", "You own this brand already: the link is for somebody else")
        if before is not None and ROLES.index(before.role) < ROLES.index(role):
            raise Conflict("more-already", "You may do more in this brand than the link gives")
        where = {*invitation.venues, *(before.venues or () if before is not None else ())}
        users.grant(tx, by.id, brand_id, role, where, now=now, actor=invitation.created_by)
    return users.user(tx, by.id)


def _maker_may(tx: Tx, invitation: Invitation) -> bool:
    """Whether who made the link could still make it; the command line always can."""
    kind, _colon, number = invitation.created_by.partition(":")
    if kind != "user":
        return True
    found = users.named(tx, [UserId(int(number))])
    if not found:
        return False
    if invitation.kind == "password":
        return may_reset(tx, found[0], users.user(tx, cast("UserId", invitation.user_id)))
    if invitation.kind == "operator":
        return found[0].operator
    access = users.access(tx, found[0], cast("BrandId", invitation.brand_id))
    return access is not None and access.may("user.edit")


def _make(
    tx: Tx,
    *,
    kind: Kind,
    name: str,
    now: datetime,
    actor: str,
    lifetime: timedelta,
    brand_id: BrandId | None = None,
    user_id: UserId | None = None,
    role: Role | None = None,
    venues: Sequence[int] = (),
) -> tuple[Invitation, str]:
    token = secrets.token_urlsafe(32)
    row = store.insert_invitation(
        tx,
        values={
            "kind": kind, "brand_id": brand_id, "user_id": user_id, "role": role, "venues": list(venues),
            "name": checks.name(name) if name.strip() else "", "token_hash": _hash(token), "created_at": now,
            "created_by": actor, "expires_at": now + lifetime,
        },
    )  # fmt: skip
    audit.record(
        tx, at=now, actor=actor, brand_id=brand_id, action="invitation.made", subject=f"invitation {row.id}",
        detail={"kind": kind, "role": role, "user": user_id},
    )  # fmt: skip
    return _invitation(row), token


def _gone() -> NotFound:
    return NotFound("no-such-invitation", "This link was used, has expired or was withdrawn: ask for another")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _invitation(row: store.InvitationRow) -> Invitation:
    return Invitation(
        id=InvitationId(row.id),
        kind=cast("Kind", row.kind),  # the database allows no others
        brand_id=BrandId(row.brand_id) if row.brand_id is not None else None,
        user_id=UserId(row.user_id) if row.user_id is not None else None,
        role=cast("Role | None", row.role),
        venues=tuple(VenueId(each) for each in row.venues),
        name=row.name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        created_by=row.created_by,
        used_at=row.used_at,
        withdrawn_at=row.withdrawn_at,
    )
