"""SELECTs behind a member's timeline: one question each, over any room's tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from app.accounts.tables import audit_entry
from app.db import Tx
from app.db.identifiers import (
    BrandId,
    DeviceId,
    EnrolmentId,
    MemberId,
    PassTypeIdentifier,
    VenueId,
    WalletPassId,
)
from app.delivery.breaker import subject_of
from app.delivery.promises import State
from app.delivery.tables import breaker, delivery, job
from app.loyalty.guest_tables import card_act
from app.loyalty.tables import enrolment, programme
from app.passes.tables import device, device_log, registration, wallet_pass
from app.places.tables import install_link, placement, venue, visit, visit_event

MOST_PUSHES = 200
MOST_LINES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    """A card with what it is part of; of one that was merged, what it was."""

    enrolment_id: EnrolmentId
    programme: str
    kind: str
    rules: dict[str, Any]
    venue: str
    time_zone: str
    tier: str | None
    enrolled_at: datetime
    ended_at: datetime | None
    merged_into_id: EnrolmentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRow:
    """A pass that a card is or was; the one it was before it was issued anew is ``former``."""

    id: WalletPassId
    enrolment_id: EnrolmentId
    pass_type_identifier: PassTypeIdentifier
    serial_number: str
    version: int
    last_modified: datetime
    former: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneRow:
    """A device that holds a pass."""

    pass_id: WalletPassId
    device_id: DeviceId
    push_service: str
    first_registered_at: datetime
    registered_at: datetime
    contacted_at: datetime | None
    unreachable_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRow:
    """A push that was promised to a device."""

    device_id: DeviceId
    kind: str
    state: State
    created_at: datetime
    due_at: datetime
    attempts: int
    held_since: datetime | None
    lease_until: datetime | None
    settled_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRow:
    """A step of the visit that led to a card."""

    enrolment_id: EnrolmentId
    kind: str
    at: datetime
    venue_id: VenueId
    venue: str
    placement: str | None
    device_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """Something that was noted about the member."""

    at: datetime
    actor: str
    action: str


def cards(tx: Tx, member_id: MemberId) -> list[CardRow]:
    """Every card of the member, oldest first."""
    rows = tx.execute(
        select(
            enrolment.c.id.label("enrolment_id"),
            programme.c.name.label("programme"),
            programme.c.kind,
            programme.c.rules,
            venue.c.name.label("venue"),
            venue.c.time_zone,
            enrolment.c.tier,
            enrolment.c.enrolled_at,
            enrolment.c.ended_at,
            enrolment.c.merged_into_id,
        )
        .join(programme, programme.c.id == enrolment.c.programme_id)
        .join(venue, venue.c.id == enrolment.c.venue_id)
        .where(enrolment.c.member_id == member_id)
        .order_by(enrolment.c.id)
    )
    return [CardRow(**row._mapping) for row in rows]


def passes(tx: Tx, enrolment_ids: Sequence[EnrolmentId]) -> list[PassRow]:
    """What the cards are, and were before they were issued anew."""
    columns = (
        wallet_pass.c.id,
        wallet_pass.c.pass_type_identifier,
        wallet_pass.c.serial_number,
        wallet_pass.c.version,
        wallet_pass.c.last_modified,
    )
    now = (
        select(*columns, enrolment.c.id.label("enrolment_id"))
        .join(enrolment, enrolment.c.pass_id == wallet_pass.c.id)
        .where(enrolment.c.id.in_(enrolment_ids))
    )
    former = (
        select(*columns, card_act.c.enrolment_id)
        .join(card_act, card_act.c.former_pass_id == wallet_pass.c.id)
        .where(card_act.c.enrolment_id.in_(enrolment_ids))
    )
    found = [PassRow(**row._mapping, former=False) for row in tx.execute(now)]
    return found + [PassRow(**row._mapping, former=True) for row in tx.execute(former)]


def phones(tx: Tx, pass_ids: Sequence[WalletPassId]) -> list[PhoneRow]:
    """Who holds the passes, the longest first."""
    rows = tx.execute(
        select(
            registration.c.pass_id,
            device.c.id.label("device_id"),
            device.c.push_service,
            registration.c.created_at.label("first_registered_at"),
            registration.c.registered_at,
            device.c.contacted_at,
            device.c.unreachable_since,
        )
        .join(device, device.c.id == registration.c.device_id)
        .where(registration.c.pass_id.in_(pass_ids))
        .order_by(registration.c.created_at, device.c.id)
    )
    return [PhoneRow(**row._mapping) for row in rows]


def pushes(tx: Tx, device_ids: Sequence[DeviceId]) -> list[PushRow]:
    """The newest pushes to these devices, newest first; a device is one phone's cards of one pass type."""
    columns = (delivery.c[name] for name in PushRow.__dataclass_fields__)
    rows = tx.execute(
        select(*columns)
        .where(delivery.c.device_id.in_(device_ids))
        .order_by(delivery.c.id.desc())
        .limit(MOST_PUSHES)
    )
    return [PushRow(**row._mapping) for row in rows]


def complaints(tx: Tx, serial_numbers: Sequence[str], *, since: datetime) -> list[tuple[datetime, str]]:
    """Lines of phones' logs that name one of these, newest first; of a log that is bounded."""
    if not serial_numbers:
        return []
    named = or_(*(device_log.c.line.contains(serial, autoescape=True) for serial in serial_numbers))
    rows = tx.execute(
        select(device_log.c.at, device_log.c.line)
        .where(device_log.c.at >= since, named)
        .order_by(device_log.c.at.desc(), device_log.c.id.desc())
        .limit(MOST_LINES)
    )
    return [(row.at, row.line) for row in rows]


def visits(tx: Tx, enrolment_ids: Sequence[EnrolmentId]) -> list[VisitRow]:
    """The way from the code on the table to each card."""
    rows = tx.execute(
        select(
            enrolment.c.id.label("enrolment_id"),
            visit_event.c.kind,
            visit_event.c.at,
            venue.c.id.label("venue_id"),
            venue.c.name.label("venue"),
            placement.c.name.label("placement"),
            visit.c.device_kind,
        )
        .join(visit_event, visit_event.c.visit_id == enrolment.c.visit_id)
        .join(visit, visit.c.id == enrolment.c.visit_id)
        .join(install_link, install_link.c.id == visit.c.install_link_id)
        .join(venue, venue.c.id == install_link.c.venue_id)
        .outerjoin(placement, placement.c.id == install_link.c.placement_id)
        .where(enrolment.c.id.in_(enrolment_ids))
        .order_by(visit_event.c.at)
    )
    return [VisitRow(**row._mapping) for row in rows]


def audited(tx: Tx, brand_id: BrandId, member_id: MemberId) -> list[AuditRow]:
    """What the audit log says of the member beside what is done by hand, oldest first."""
    actions = ("number.proved", "member.merged", "member.removed", "member.exported", "card.link-revoked")
    rows = tx.execute(
        select(audit_entry.c.at, audit_entry.c.actor, audit_entry.c.action)
        .where(
            audit_entry.c.subject == f"member {member_id}",
            audit_entry.c.brand_id == brand_id,
            audit_entry.c.action.in_(actions),
        )
        .order_by(audit_entry.c.id)
    )
    return [AuditRow(**row._mapping) for row in rows]


def venue_names(tx: Tx, venue_ids: Sequence[VenueId]) -> dict[VenueId, str]:
    """By number."""
    rows = tx.execute(select(venue.c.id, venue.c.name).where(venue.c.id.in_(venue_ids)))
    return {row.id: row.name for row in rows}


def breaker_reason(tx: Tx, pass_type_identifier: PassTypeIdentifier) -> str | None:
    """Why no push leaves for this pass type; None while they do."""
    statement = select(breaker.c.reason).where(breaker.c.subject == subject_of(pass_type_identifier))
    reason: str | None = tx.scalar(statement)
    return reason


def worker_seen_at(tx: Tx) -> datetime | None:
    """The newest slot of work that some worker took: it was there then, or a little later."""
    seen_at: datetime | None = tx.scalar(select(func.max(job.c.slot, type_=job.c.slot.type)))
    return seen_at
