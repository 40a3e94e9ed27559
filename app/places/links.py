"""Install links: what a QR code says. One per venue, placement or staff member, and per programme."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.accounts import audit, staff
from app.db import Tx
from app.db.identifiers import BrandId, InstallLinkId, PlacementId, ProgrammeId, StaffMemberId, VenueId
from app.errors import BadInput, Conflict, NotFound
from app.places import placements, venues
from app.places import store_links as store

# No vowels, so that chance spells no word; no 0/o, 1/l/i, so that eyes do not misread. 27⁸ ≈ 2.8·10¹¹.
ALPHABET = "23456789bcdfghjkmnpqrstvwxz"
CODE_LENGTH = 8
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallLink:
    """``code`` is the last part of ``{public url}/i/{code}``; a retired link still tells where to go."""

    id: InstallLinkId
    code: str
    brand_id: BrandId
    programme_id: ProgrammeId
    venue_id: VenueId
    placement_id: PlacementId | None
    staff_member_id: StaffMemberId | None
    created_at: datetime
    retired_at: datetime | None
    printed_at: datetime | None  # when a print of it was first drawn for a manager


def create_link(
    tx: Tx,
    *,
    programme_id: ProgrammeId,
    venue_id: VenueId,
    placement_id: PlacementId | None = None,
    staff_member_id: StaffMemberId | None = None,
    now: datetime,
    actor: str,
) -> InstallLink:
    """Make a link; everything it names must belong to one brand, and the placement to the venue.

    Raises BadInput for what does not belong together, Conflict for a closed venue or a staff member who
    left, NotFound.
    """
    if placement_id is not None and staff_member_id is not None:
        raise BadInput(
            "two-sources",
            "A link belongs to a placement or to a staff member, not to both",
            field="placement_id",
        )
    venue = venues.venue(tx, venue_id)
    if venue.closed_at is not None:
        raise Conflict("venue-closed", f"Venue {venue.slug!r} is closed: no new links")
    if store.brand_of_programme(tx, programme_id) != venue.brand_id:
        raise BadInput("other-brand", "The programme is not one of the venue's brand", field="programme_id")
    if placement_id is not None and placements.placement(tx, placement_id).venue_id != venue_id:
        raise BadInput("other-venue", "The placement is not in this venue", field="placement_id")
    if staff_member_id is not None:
        _refuse_staff(staff.staff_member(tx, staff_member_id), venue)
    row = _insert(tx, venue, programme_id, placement_id, staff_member_id, now)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=venue.brand_id,
        action="link.created",
        subject=f"link {row.code}",
        detail={"venue": venue.slug, "placement": placement_id, "staff_member": staff_member_id},
    )
    return _link(row)


def retire_link(tx: Tx, link_id: InstallLinkId, *, now: datetime, actor: str) -> InstallLink:
    """End a link: its page tells a friendly story instead of a form. Twice is once. Raises NotFound."""
    before = link(tx, link_id)
    if before.retired_at is not None:
        return before
    store.retire(tx, link_id, now=now)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=before.brand_id,
        action="link.retired",
        subject=f"link {before.code}",
        detail={},
    )
    return link(tx, link_id)


def restore_link(tx: Tx, link_id: InstallLinkId, *, now: datetime, actor: str) -> InstallLink:
    """Take back that a link was retired; a living one stays as it is.

    Raises Conflict for a closed venue or a staff member who left, NotFound.
    """
    before = link(tx, link_id)
    if before.retired_at is None:
        return before
    venue = venues.venue(tx, before.venue_id)
    if venue.closed_at is not None:
        raise Conflict("venue-closed", f"Venue {venue.slug!r} is closed: its links stay retired")
    if before.staff_member_id is not None:
        _refuse_staff(staff.staff_member(tx, before.staff_member_id), venue)
    store.restore(tx, link_id)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=before.brand_id,
        action="link.restored",
        subject=f"link {before.code}",
        detail={},
    )
    return link(tx, link_id)


def note_printed(tx: Tx, found: Sequence[InstallLink], *, now: datetime) -> None:
    """Remember that prints of these links were drawn; the first time counts."""
    fresh = [each.id for each in found if each.printed_at is None]
    if fresh:
        store.note_printed(tx, fresh, now=now)


def link(tx: Tx, link_id: InstallLinkId) -> InstallLink:
    """The link; raises NotFound."""
    if row := store.link(tx, link_id):
        return _link(row)
    raise NotFound("no-such-link", f"There is no install link number {link_id}")


def link_by_code(tx: Tx, code: str) -> InstallLink:
    """The link with this code, retired ones too, in whatever case it was typed; raises NotFound."""
    wanted = code.strip().lower()
    # PostgreSQL's text cannot even be compared with a NUL character.
    if wanted.isalnum() and (row := store.link_by_code(tx, wanted)):
        return _link(row)
    raise NotFound("no-such-link", "There is no install link with this code")


def links_of_brand(tx: Tx, brand_id: BrandId) -> list[InstallLink]:
    """Every link of a brand, oldest first, retired ones too."""
    return [_link(row) for row in store.links_of_brand(tx, brand_id)]


def links_of_venue(tx: Tx, venue_id: VenueId) -> list[InstallLink]:
    """Every link of a venue, oldest first, retired ones too."""
    return [_link(row) for row in store.links_of_venue(tx, venue_id)]


def living_by_venue(tx: Tx, venue_ids: Sequence[VenueId]) -> dict[VenueId, int]:
    """How many living links each of these venues has; one that has none is left out."""
    return {VenueId(number): count for number, count in store.living_by_venue(tx, venue_ids).items()}


def new_code() -> str:
    """A random code; the unique index decides whether it is free."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def _refuse_staff(member: staff.StaffMember, venue: venues.Venue) -> None:
    if member.brand_id != venue.brand_id:
        raise BadInput(
            "other-brand", "The staff member is not one of the venue's brand", field="staff_member_id"
        )
    if member.venue_id not in (None, venue.id):
        raise BadInput("other-venue", "The staff member works in another venue", field="staff_member_id")
    if member.left_at is not None:
        raise Conflict("staff-member-left", f"{member.name} does not work here any more: no new links")


def _insert(
    tx: Tx,
    venue: venues.Venue,
    programme_id: ProgrammeId,
    placement_id: PlacementId | None,
    staff_member_id: StaffMemberId | None,
    now: datetime,
) -> store.LinkRow:
    for _ in range(_TRIES):
        row = store.insert_link(
            tx,
            code=new_code(),
            brand_id=venue.brand_id,
            programme_id=programme_id,
            venue_id=venue.id,
            placement_id=placement_id,
            staff_member_id=staff_member_id,
            now=now,
        )
        if row is not None:
            return row
    raise Conflict("no-free-code", "No free code was found: try again")


def _link(row: store.LinkRow) -> InstallLink:
    return InstallLink(
        id=InstallLinkId(row.id),
        code=row.code,
        brand_id=BrandId(row.brand_id),
        programme_id=ProgrammeId(row.programme_id),
        venue_id=VenueId(row.venue_id),
        placement_id=PlacementId(row.placement_id) if row.placement_id is not None else None,
        staff_member_id=StaffMemberId(row.staff_member_id) if row.staff_member_id is not None else None,
        created_at=row.created_at,
        retired_at=row.retired_at,
        printed_at=row.printed_at,
    )
