"""SQL of what a campaign asks about the guests that it is about to speak to, some hundred at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.db import Tx, among
from app.db.identifiers import EnrolmentId, MemberId, ProgrammeId, VenueId, WalletPassId
from app.loyalty.tables import enrolment, member, programme, receipt
from app.places.tables import venue

NEWEST = 60
"""Receipts of a venue that tell its hours."""


@dataclass(frozen=True, slots=True)
class Guest:
    """What merge fields are filled with."""

    member_id: MemberId
    language: str
    name: str | None
    pass_id: WalletPassId
    programme_id: ProgrammeId
    programme: str
    venue: str
    balance: int
    stamps: int
    tier: str | None  # key


def of_passes(tx: Tx, pass_ids: Sequence[WalletPassId]) -> dict[WalletPassId, Guest]:
    """Whose living cards these are."""
    rows = tx.execute(
        select(
            member.c.id,
            member.c.language,
            member.c.name,
            enrolment.c.pass_id,
            enrolment.c.programme_id,
            programme.c.name,
            venue.c.name,
            enrolment.c.balance,
            enrolment.c.stamps,
            enrolment.c.tier,
        )
        .select_from(enrolment)
        .join(member, member.c.id == enrolment.c.member_id)
        .join(programme, programme.c.id == enrolment.c.programme_id)
        .join(venue, venue.c.id == enrolment.c.venue_id)
        .where(among(enrolment.c.pass_id, pass_ids), enrolment.c.ended_at.is_(None))
    )
    return {guest.pass_id: guest for guest in (Guest(*tuple(row)) for row in rows)}


def enrolments(tx: Tx, pass_ids: Sequence[WalletPassId]) -> dict[WalletPassId, EnrolmentId]:
    """Whose living cards these are."""
    asked = select(enrolment.c.pass_id, enrolment.c.id)
    rows = tx.execute(asked.where(among(enrolment.c.pass_id, pass_ids), enrolment.c.ended_at.is_(None)))
    return {row.pass_id: row.id for row in rows}


def newest_enrolments(
    tx: Tx, member_ids: Sequence[MemberId], programme_id: ProgrammeId | None
) -> dict[MemberId, EnrolmentId]:
    """The card of each that was made last, of this programme or of any; who has none is left out."""
    if not member_ids:
        return {}
    asked = select(enrolment.c.member_id, func.max(enrolment.c.id)).where(
        among(enrolment.c.member_id, member_ids), enrolment.c.ended_at.is_(None)
    )
    if programme_id is not None:
        asked = asked.where(enrolment.c.programme_id == programme_id)
    return {row[0]: row[1] for row in tx.execute(asked.group_by(enrolment.c.member_id))}


def living(tx: Tx, member_ids: Sequence[MemberId]) -> set[MemberId]:
    """Those who were not removed, or merged into another, meanwhile."""
    asked = select(member.c.id).where(among(member.c.id, member_ids), member.c.removed_at.is_(None))
    return set(tx.scalars(asked))


def home_venues(tx: Tx, member_ids: Sequence[MemberId]) -> dict[MemberId, VenueId]:
    """Where the newest living card of each was made."""
    newest = (
        select(func.max(enrolment.c.id))
        .where(among(enrolment.c.member_id, member_ids), enrolment.c.ended_at.is_(None))
        .group_by(enrolment.c.member_id)
    )
    asked = select(enrolment.c.member_id, enrolment.c.venue_id).where(enrolment.c.id.in_(newest))
    return {row.member_id: row.venue_id for row in tx.execute(asked)}


def visits(tx: Tx, member_ids: Sequence[MemberId], *, since: datetime) -> dict[MemberId, list[datetime]]:
    """When they bought since then."""
    rows = tx.execute(
        select(enrolment.c.member_id, receipt.c.at)
        .join(receipt, receipt.c.enrolment_id == enrolment.c.id)
        .where(
            among(enrolment.c.member_id, member_ids), receipt.c.at >= since, receipt.c.refunded_at.is_(None)
        )
    )
    found: dict[MemberId, list[datetime]] = {}
    for member_id, at in rows:
        found.setdefault(member_id, []).append(at)
    return found


def venue_visits(tx: Tx, venue_ids: Collection[VenueId]) -> dict[VenueId, list[datetime]]:
    """When anybody bought there last: of the newest receipts of each."""
    found = {}
    for venue_id in sorted(venue_ids):
        newest = select(receipt.c.at).where(receipt.c.venue_id == venue_id).order_by(receipt.c.id.desc())
        found[venue_id] = list(tx.scalars(newest.limit(NEWEST)))
    return found
