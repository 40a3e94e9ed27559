"""What ends with a venue, and with a staff member's time: this module alone knows.

A closed venue has no living install link and no working point-of-sale key: nobody enrols there and no till
rings. Its guests keep their cards, which other venues of the brand serve, and its history stays. Nothing new
is made for it either: :func:`app.places.links.create_link` and :func:`app.accounts.keys.create_key` refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.accounts import audit, keys, staff
from app.accounts.keys import PointOfSaleKey
from app.accounts.staff import StaffMember
from app.db import Tx
from app.db.identifiers import StaffMemberId, VenueId
from app.places import links, venues
from app.places import store_venues as store
from app.places.links import InstallLink
from app.places.venues import Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A closed venue, and what ended with it just now."""

    venue: Venue
    links: list[InstallLink]
    keys: list[PointOfSaleKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A staff member who has left, and which links ended with that just now."""

    staff_member: StaffMember
    links: list[InstallLink]


def close_venue(tx: Tx, venue_id: VenueId, *, now: datetime, actor: str) -> Closing:
    """Close a venue for good, with its links and keys, each audited.

    Closing it again keeps the first moment, and ends only what lives on in spite of it. Raises NotFound.
    """
    before = venues.venue(tx, venue_id)
    if before.closed_at is None:
        store.update_venue(tx, venue_id, values={"closed_at": now})
        audit.record(
            tx,
            at=now,
            actor=actor,
            brand_id=before.brand_id,
            action="venue.closed",
            subject=f"venue {before.slug}",
            detail={},
        )
    return Closing(
        venue=venues.venue(tx, venue_id),
        links=[
            links.retire_link(tx, link.id, now=now, actor=actor)
            for link in links.links_of_brand(tx, before.brand_id)
            if link.venue_id == venue_id and link.retired_at is None
        ],
        keys=[
            keys.revoke_key(tx, key.id, now=now, actor=actor)
            for key in keys.keys_of_brand(tx, before.brand_id)
            if key.venue_id == venue_id and key.works(now)
        ],
    )


def end_employment(tx: Tx, staff_member_id: StaffMemberId, *, now: datetime, actor: str) -> Leaving:
    """A staff member leaves: their install links, in whatever venue, invite nobody any more.

    Twice keeps the first moment. Raises NotFound.
    """
    member = staff.leave(tx, staff_member_id, now=now, actor=actor)
    return Leaving(
        staff_member=member,
        links=[
            links.retire_link(tx, link.id, now=now, actor=actor)
            for link in links.links_of_brand(tx, member.brand_id)
            if link.staff_member_id == staff_member_id and link.retired_at is None
        ],
    )


def reopen_venue(tx: Tx, venue_id: VenueId, *, now: datetime, actor: str) -> Venue:
    """Take back that a venue was closed, with the links and keys that ended at that very moment.

    Keys come back only as long as :func:`app.accounts.keys.restore_key` lets them. An open venue stays as it
    is. Raises NotFound.
    """
    before = venues.venue(tx, venue_id)
    if before.closed_at is None:
        return before
    store.update_venue(tx, venue_id, values={"closed_at": None})
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=before.brand_id,
        action="venue.reopened",
        subject=f"venue {before.slug}",
        detail={},
    )
    for link in links.links_of_venue(tx, venue_id):
        if link.retired_at == before.closed_at:
            links.restore_link(tx, link.id, now=now, actor=actor)
    if before.closed_at >= now - keys.REVOCATION_MAY_BE_TAKEN_BACK:
        for key in keys.keys_of_brand(tx, before.brand_id):
            if key.venue_id == venue_id and key.expires_at == before.closed_at:
                keys.restore_key(tx, key.id, now=now, actor=actor)
    return venues.venue(tx, venue_id)


def resume_employment(tx: Tx, staff_member_id: StaffMemberId, *, now: datetime, actor: str) -> StaffMember:
    """Take back that a staff member left, with the links that were retired at that very moment.

    Who never left stays as they are; links of venues that are closed by now stay retired. Raises NotFound.
    """
    before = staff.staff_member(tx, staff_member_id)
    member = staff.come_back(tx, staff_member_id, now=now, actor=actor)
    closed = {venue.id for venue in venues.all_venues(tx, member.brand_id) if venue.closed_at is not None}
    for link in links.links_of_brand(tx, member.brand_id):
        theirs = link.staff_member_id == staff_member_id and link.venue_id not in closed
        if theirs and link.retired_at is not None and link.retired_at == before.left_at:
            links.restore_link(tx, link.id, now=now, actor=actor)
    return member
