"""Users: who signs in to the console, and which role they have in which brand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from app.accounts import audit, brands, checks, roles, store_invitations
from app.accounts import store_users as store
from app.accounts.brands import Brand, Language
from app.accounts.roles import Permission, Role
from app.accounts.roles_venues import checked_venues
from app.db import Tx
from app.db.identifiers import BrandId, UserId, VenueId
from app.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who signs in; the password's hash stays in the database."""

    id: UserId
    email: str
    name: str
    language: Language
    operator: bool
    created_at: datetime

    @property
    def actor(self) -> str:
        """How the audit log calls them."""
        return f"user:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A user's role in a brand; ``venues`` None: all of them."""

    brand_id: BrandId
    role: Role
    venues: frozenset[VenueId] | None

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it; which venues it is about is another question."""
        return roles.allows(self.role, permission)

    def reaches(self, venue_id: VenueId) -> bool:
        """Whether this venue, of this brand, is one of theirs."""
        return self.venues is None or venue_id in self.venues


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user in the eyes of a brand."""

    user: User
    access: Access


def create_user(
    tx: Tx,
    *,
    email: str,
    name: str,
    password_hash: str,
    language: Language,
    operator: bool,
    now: datetime,
) -> User:
    """Add a user, so far without a role in a brand; raises BadInput, Conflict where the address is taken."""
    email, name = checks.email(email), checks.name(name)
    row_id = store.insert_user(
        tx,
        values={
            "email": email, "name": name, "password_hash": password_hash, "password_changed_at": now,
            "language": language, "operator": operator, "created_at": now,
        },
    )  # fmt: skip
    if row_id is None:
        raise Conflict("email-taken", f"{email} has an account already: sign in with it")
    made = user(tx, UserId(row_id))
    _record(tx, made, None, "user.created", now, made.actor, {"operator": operator})
    return made


def user(tx: Tx, user_id: UserId) -> User:
    """The user; raises NotFound."""
    if row := store.user(tx, user_id):
        return of_row(row)
    raise NotFound("no-such-user", f"There is no user number {user_id}")


def user_by_email(tx: Tx, email: str) -> User:
    """The user with this address; raises NotFound."""
    if found := store.user_by_email(tx, email.strip().lower()):
        return of_row(found[0])
    raise NotFound("no-such-user", f"There is no user {email!r}. See: perkpass user list")


def sign_in_of(tx: Tx, email: str) -> tuple[User, str] | None:
    """The user with this address and the hash of their password."""
    found = store.user_by_email(tx, email.strip().lower())
    return (of_row(found[0]), found[1]) if found else None


def password_hash(tx: Tx, user_id: UserId) -> str | None:
    """The hash of their password."""
    return store.password_hash(tx, user_id)


def all_users(tx: Tx) -> list[User]:
    """Everybody, by address."""
    return [of_row(row) for row in store.all_users(tx)]


def named(tx: Tx, user_ids: Sequence[UserId]) -> list[User]:
    """These users, as far as they are there."""
    return [of_row(row) for row in store.users(tx, user_ids)]


def is_anybody_there(tx: Tx) -> bool:
    """Whether this installation has a user at all."""
    return store.is_anybody_there(tx)


def accesses(tx: Tx, of: User) -> list[Access]:
    """Where a user has which role; an operator owns every brand."""
    if of.operator:
        return [_owner(found.id) for found in brands.all_brands(tx)]
    return [_access(row) for row in store.accesses(tx, user_id=of.id)]


def brands_of(tx: Tx, of: User) -> list[Brand]:
    """The brands that a user has a role in, by slug."""
    found = brands.all_brands(tx)
    if of.operator:
        return found
    theirs = {row.brand_id for row in store.accesses(tx, user_id=of.id)}
    return [brand for brand in found if brand.id in theirs]


def access(tx: Tx, of: User, brand_id: BrandId) -> Access | None:
    """What a user may do in a brand; None: nothing."""
    if of.operator:
        return _owner(brand_id)
    found = store.accesses(tx, user_id=of.id, brand_id=brand_id)
    return _access(found[0]) if found else None


def people_of_brand(tx: Tx, brand_id: BrandId) -> list[Person]:
    """Who has a role in the brand, by name; operators only where they were given one."""
    given = {row.user_id: row for row in store.accesses(tx, brand_id=brand_id)}
    return [
        Person(user=of_row(row), access=_access(given[row.id])) for row in store.users_of_brand(tx, brand_id)
    ]


def given_access(tx: Tx, user_id: UserId, brand_id: BrandId) -> Access | None:
    """The role that somebody was given in the brand, an operator too."""
    found = store.accesses(tx, user_id=user_id, brand_id=brand_id)
    return _access(found[0]) if found else None


def grant(
    tx: Tx,
    user_id: UserId,
    brand_id: BrandId,
    role: Role,
    venues: Iterable[VenueId] = (),
    *,
    now: datetime,
    actor: str,
) -> Access:
    """Give a user a role in a brand, or another one; a manager gets exactly ``venues``.

    Raises BadInput for a manager without venues or with another brand's, Conflict where the brand would be
    left without an owner.
    """
    wanted = checked_venues(tx, brand_id, role, venues)
    whom = user(tx, user_id)
    brands.lock(tx, brand_id)
    before = given_access(tx, user_id, brand_id)
    if before and before.role == "owner" and role != "owner":
        _refuse_last_owner(tx, user_id, brand_id)
    store.put_access(tx, user_id=user_id, brand_id=brand_id, role=role, venues=list(wanted), now=now)
    after = given_access(tx, user_id, brand_id)
    assert after is not None  # noqa: S101  # written above in this very transaction
    if after != before:
        detail: dict[str, object] = {
            "role": role,
            "venues": sorted(wanted),
            "before": before.role if before else None,
        }
        _close_links_to(tx, whom, now)
        if before and before.role == "owner":
            store_invitations.withdraw(tx, now=now, brand_id=brand_id, created_by=whom.actor)
        _record(tx, whom, brand_id, "user.role_given", now, actor, detail)
    return after


def revoke(tx: Tx, user_id: UserId, brand_id: BrandId, *, now: datetime, actor: str) -> Access:
    """Take a user's role in a brand away; gives what it was. Raises NotFound, Conflict for the last owner."""
    whom = user(tx, user_id)
    brands.lock(tx, brand_id)
    before = given_access(tx, user_id, brand_id)
    if before is None:
        raise NotFound("no-such-user", "This person has no role in the brand")
    if before.role == "owner":
        _refuse_last_owner(tx, user_id, brand_id)
    store.delete_access(tx, user_id, brand_id)
    _close_links_to(tx, whom, now)
    store_invitations.withdraw(tx, now=now, brand_id=brand_id, created_by=whom.actor)
    _record(tx, whom, brand_id, "user.role_taken", now, actor, {"role": before.role})
    return before


def set_operator(tx: Tx, user_id: UserId, *, operator: bool, now: datetime, actor: str) -> User:
    """Let somebody run the installation, or no longer; raises Conflict for the last operator, NotFound."""
    there = store.operators(tx)
    whom = user(tx, user_id)
    if not operator and there == [user_id]:
        raise Conflict("last-operator", "The installation needs somebody who runs it: name another one first")
    if whom.operator != operator:
        store.update_user(tx, user_id, operator=operator)
        _close_links_to(tx, whom, now)
        if not operator:
            store_invitations.withdraw(tx, now=now, created_by=whom.actor)
        _record(tx, whom, None, "user.operator_set", now, actor, {"operator": operator})
    return user(tx, user_id)


def rename(tx: Tx, user_id: UserId, name: str, *, now: datetime, actor: str) -> User:
    """Another name; raises BadInput."""
    name, before = checks.name(name), user(tx, user_id)
    if before.name != name:
        store.update_user(tx, user_id, name=name)
        _record(tx, before, None, "user.renamed", now, actor, {})
    return user(tx, user_id)


def set_language(tx: Tx, user_id: UserId, language: Language) -> None:
    """What the console speaks to them."""
    store.update_user(tx, user_id, language=language)


def set_password(tx: Tx, user_id: UserId, password_hash: str, *, now: datetime, actor: str) -> None:
    """Another password; who calls this ends their sessions. Raises NotFound."""
    whom = user(tx, user_id)
    store.update_user(tx, user_id, password_hash=password_hash, password_changed_at=now)
    _close_links_to(tx, whom, now)
    _record(tx, whom, None, "user.password_set", now, actor, {})


def of_row(row: store.UserRow) -> User:
    """A user from their row."""
    return User(
        id=UserId(row.id),
        email=row.email,
        name=row.name,
        language="en" if row.language == "en" else "ru",
        operator=row.operator,
        created_at=row.created_at,
    )


def _close_links_to(tx: Tx, whom: User, now: datetime) -> None:
    """No link to a new password outlives what the account was when it was made."""
    store_invitations.withdraw(tx, now=now, kind="password", user_id=whom.id)


def _refuse_last_owner(tx: Tx, user_id: UserId, brand_id: BrandId) -> None:
    if store.owners(tx, brand_id) == [user_id]:
        raise Conflict("last-owner", "A brand needs an owner: make somebody else one first")


def _owner(brand_id: BrandId) -> Access:
    return Access(brand_id=brand_id, role="owner", venues=None)


def _access(row: store.AccessRow) -> Access:
    role = cast("Role", row.role)  # the database allows no other
    venues = frozenset(VenueId(each) for each in row.venues) if role == "manager" else None
    return Access(brand_id=BrandId(row.brand_id), role=role, venues=venues)


def _record(
    tx: Tx,
    whom: User,
    brand_id: BrandId | None,
    action: str,
    now: datetime,
    actor: str,
    detail: dict[str, object],
) -> None:
    audit.record(
        tx, at=now, actor=actor, brand_id=brand_id, action=action, subject=f"user {whom.id}", detail=detail
    )
