"""SQL of how guests are reached: what their numbers, phones and Google's holders say at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, or_, select, union_all

from app.db import Tx, among
from app.db.identifiers import BrandId, MemberId
from app.loyalty.tables import enrolment, member
from app.passes.google_tables import google_object
from app.passes.tables import device, holder_change, pass_evidence, registration
from app.places.tables import visit_event


@dataclass(frozen=True, slots=True)
class Living:
    """A member who was not removed."""

    member_id: MemberId
    brand_id: BrandId
    phone: str | None  # E.164, proved or not


@dataclass(frozen=True, slots=True)
class Phone:
    """A device that is registered for one of a member's cards."""

    member_id: MemberId
    reached: bool  # the card lives, and so does the push token
    apple: bool
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class AtGoogle:
    """One of a member's cards at Google."""

    member_id: MemberId
    held: bool  # the card lives, and somebody has it
    saved: bool  # somebody had it once


def living(tx: Tx, member_ids: Sequence[MemberId]) -> list[Living]:
    """Those of them who are left, in order of id."""
    columns = member.c.id, member.c.brand_id, member.c.phone
    left = select(*columns).where(among(member.c.id, member_ids), member.c.removed_at.is_(None))
    return [Living(*row) for row in tx.execute(left.order_by(member.c.id))]


def phones(tx: Tx, member_ids: Sequence[MemberId]) -> list[Phone]:
    """Of these members, with those whose push token is dead or whose card has ended."""
    rows = tx.execute(
        select(
            enrolment.c.member_id,
            enrolment.c.ended_at,
            device.c.unreachable_since,
            device.c.push_service,
            func.coalesce(device.c.contacted_at, device.c.registered_at, type_=device.c.contacted_at.type),
        )
        .join(registration, registration.c.pass_id == enrolment.c.pass_id)
        .join(device, device.c.id == registration.c.device_id)
        .where(among(enrolment.c.member_id, member_ids))
    )
    return [
        Phone(member_id, ended is None and dead is None, service == "apple", heard)
        for member_id, ended, dead, service, heard in rows
    ]


def at_google(tx: Tx, member_ids: Sequence[MemberId]) -> list[AtGoogle]:
    """These members' cards there."""
    rows = tx.execute(
        select(
            enrolment.c.member_id,
            enrolment.c.ended_at,
            google_object.c.has_users,
            google_object.c.removed_at,
            google_object.c.first_saved_at,
        )
        .join(google_object, google_object.c.pass_id == enrolment.c.pass_id)
        .where(among(enrolment.c.member_id, member_ids))
    )
    return [
        AtGoogle(member_id, bool(users) and ended is None and removed is None, saved is not None)
        for member_id, ended, users, removed, saved in rows
    ]


def shown(tx: Tx, member_ids: Sequence[MemberId]) -> set[MemberId]:
    """Whose card a phone asked about, or was seen to be added on its page: it was in a wallet."""
    asked = (
        select(enrolment.c.member_id)
        .join(pass_evidence, pass_evidence.c.pass_id == enrolment.c.pass_id)
        .where(
            among(enrolment.c.member_id, member_ids),
            or_(pass_evidence.c.listed_at.is_not(None), pass_evidence.c.installed_at.is_not(None)),
        )
    )
    added = (
        select(enrolment.c.member_id)
        .join(visit_event, visit_event.c.visit_id == enrolment.c.visit_id)
        .where(among(enrolment.c.member_id, member_ids), visit_event.c.kind == "added")
    )
    return {*tx.scalars(asked), *tx.scalars(added)}


def take_changes(tx: Tx, limit: int) -> tuple[int, list[MemberId]]:
    """Delete so many notes of changed holders, the oldest first: how many, and whose cards they are about."""
    oldest = select(holder_change.c.id).order_by(holder_change.c.id).limit(limit)
    taken = tx.execute(
        delete(holder_change)
        .where(holder_change.c.id.in_(oldest))
        .returning(holder_change.c.pass_id, holder_change.c.device_id)
    ).all()
    if not taken:
        return 0, []
    of_passes = select(enrolment.c.member_id).where(
        among(enrolment.c.pass_id, [row.pass_id for row in taken if row.pass_id])
    )
    of_devices = (
        select(enrolment.c.member_id)
        .join(registration, registration.c.pass_id == enrolment.c.pass_id)
        .where(among(registration.c.device_id, [row.device_id for row in taken if row.device_id]))
    )
    return len(taken), [*tx.scalars(of_passes), *tx.scalars(of_devices)]


def changes(tx: Tx, brand_id: int, limit: int) -> list[MemberId]:
    """Whose holders' changes wait, the oldest first; a member may be there several times."""
    waiting = _waiting().where(enrolment.c.brand_id == brand_id).subquery("waiting")
    return list(tx.scalars(select(waiting.c.member_id).order_by(waiting.c.id).limit(limit)))


def count_changes(tx: Tx, brand_id: int) -> int:
    """How many of a brand wait."""
    waiting = _waiting().where(enrolment.c.brand_id == brand_id).subquery("waiting")
    return int(tx.scalar(select(func.count()).select_from(waiting)) or 0)


def changes_of(tx: Tx, member_ids: Sequence[MemberId]) -> list[MemberId]:
    """Those of them whose holders' changes wait."""
    return [row.member_id for row in tx.execute(_waiting().where(among(enrolment.c.member_id, member_ids)))]


def _waiting() -> Select[tuple[MemberId, int]]:
    """Members and notes, few as these are: of the pass itself, or of a device that is registered for it."""
    noted = union_all(
        select(holder_change.c.id, holder_change.c.pass_id).where(holder_change.c.pass_id.is_not(None)),
        select(holder_change.c.id, registration.c.pass_id).where(
            registration.c.device_id == holder_change.c.device_id
        ),
    ).subquery("noted")
    return select(enrolment.c.member_id, noted.c.id).join(noted, noted.c.pass_id == enrolment.c.pass_id)
