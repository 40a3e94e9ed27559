"""Staff members: who a guest was invited by. No passwords here; they do not sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.accounts import audit, checks
from app.accounts import store_staff as store
from app.accounts.store_brands import brand_of_venue
from app.db import Tx
from app.db.identifiers import BrandId, StaffMemberId, VenueId
from app.errors import BadInput, Conflict, NotFound

MOST_MONTHLY_TARGET = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """A person who works for a brand, in one venue or in all (``venue_id`` None).

    ``monthly_target`` is their plan: how many cards a month their invitations shall bring; None: no plan.
    """

    id: StaffMemberId
    brand_id: BrandId
    venue_id: VenueId | None
    name: str
    created_at: datetime
    left_at: datetime | None
    monthly_target: int | None


def create_staff_member(
    tx: Tx,
    *,
    brand_id: BrandId,
    venue_id: VenueId | None,
    name: str,
    monthly_target: int | None = None,
    now: datetime,
    actor: str,
) -> StaffMember:
    """Add a staff member; raises BadInput for a venue of another brand, Conflict where the name is taken."""
    name = checks.name(name)
    _refuse_other_brand(tx, brand_id, venue_id)
    row = store.insert_staff_member(
        tx,
        brand_id=brand_id,
        venue_id=venue_id,
        name=name,
        monthly_target=_target(monthly_target),
        now=now,
    )
    if row is None:
        raise Conflict(
            "name-taken", f"The brand has a staff member {name!r} already: add what tells them apart"
        )
    _record(tx, row, "staff.created", now, actor)
    return _staff_member(row)


def move_staff_member(
    tx: Tx, staff_member_id: StaffMemberId, *, venue_id: VenueId | None, now: datetime, actor: str
) -> StaffMember:
    """Let a staff member work in another venue of the brand; raises BadInput, NotFound."""
    before = staff_member(tx, staff_member_id)
    _refuse_other_brand(tx, before.brand_id, venue_id)
    if before.venue_id == venue_id:
        return before
    store.set_venue(tx, staff_member_id, venue_id)
    after = store.staff_member(tx, staff_member_id)
    assert after is not None  # noqa: S101  # read above in this very transaction
    _record(tx, after, "staff.moved", now, actor)
    return _staff_member(after)


def plan(
    tx: Tx, staff_member_id: StaffMemberId, *, monthly_target: int | None, now: datetime, actor: str
) -> StaffMember:
    """Set how many cards a month someone shall bring, None for no plan; raises BadInput, NotFound.

    The plan holds for the running month too: it says what is aimed at, and no history is kept of it.
    """
    before = staff_member(tx, staff_member_id)
    if before.monthly_target == _target(monthly_target):
        return before
    store.set_target(tx, staff_member_id, monthly_target)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=before.brand_id,
        action="staff.planned",
        subject=f"staff member {before.id}",
        detail={"monthly_target": monthly_target},
    )
    return staff_member(tx, staff_member_id)


def leave(tx: Tx, staff_member_id: StaffMemberId, *, now: datetime, actor: str) -> StaffMember:
    """Note that a staff member has left; twice keeps the first moment. Raises NotFound.

    What ends with that is another room's: :func:`app.places.endings.end_employment`.
    """
    before = staff_member(tx, staff_member_id)
    if before.left_at is not None:
        return before
    store.set_left(tx, staff_member_id, now)
    after = store.staff_member(tx, staff_member_id)
    assert after is not None  # noqa: S101  # read above in this very transaction
    _record(tx, after, "staff.left", now, actor)
    return _staff_member(after)


def come_back(tx: Tx, staff_member_id: StaffMemberId, *, now: datetime, actor: str) -> StaffMember:
    """Take back that someone has left; who never left stays as they are. Raises NotFound."""
    before = staff_member(tx, staff_member_id)
    if before.left_at is None:
        return before
    store.set_left(tx, staff_member_id, None)
    after = store.staff_member(tx, staff_member_id)
    assert after is not None  # noqa: S101  # read above in this very transaction
    _record(tx, after, "staff.came_back", now, actor)
    return _staff_member(after)


def staff_member(tx: Tx, staff_member_id: StaffMemberId) -> StaffMember:
    """The staff member; raises NotFound."""
    if row := store.staff_member(tx, staff_member_id):
        return _staff_member(row)
    raise NotFound("no-such-staff-member", f"There is no staff member number {staff_member_id}")


def staff_member_by_name(tx: Tx, brand_id: BrandId, name: str) -> StaffMember:
    """The staff member of the brand called so; raises NotFound."""
    if row := store.staff_member_by_name(tx, brand_id, name):
        return _staff_member(row)
    raise NotFound(
        "no-such-staff-member", f"The brand has no staff member {name!r}. See: perkpass staff list"
    )


def staff_of_brand(tx: Tx, brand_id: BrandId) -> list[StaffMember]:
    """Everyone of the brand, by name."""
    return [_staff_member(row) for row in store.staff_of_brand(tx, brand_id)]


def _target(monthly_target: int | None) -> int | None:
    if monthly_target is not None and not 1 <= monthly_target <= MOST_MONTHLY_TARGET:
        raise BadInput(
            "bad-target",
            f"The plan must be between 1 and {MOST_MONTHLY_TARGET} cards a month, or empty for none",
            field="monthly_target",
        )
    return monthly_target


def _refuse_other_brand(tx: Tx, brand_id: BrandId, venue_id: VenueId | None) -> None:
    if venue_id is not None and brand_of_venue(tx, venue_id) != brand_id:
        raise BadInput("other-brand", "The venue is not one of this brand", field="venue_id")


def _record(tx: Tx, row: store.StaffRow, action: str, now: datetime, actor: str) -> None:
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=BrandId(row.brand_id),
        action=action,
        subject=f"staff member {row.id}",
        detail={"venue": row.venue_id},
    )


def _staff_member(row: store.StaffRow) -> StaffMember:
    return StaffMember(
        id=StaffMemberId(row.id),
        brand_id=BrandId(row.brand_id),
        venue_id=VenueId(row.venue_id) if row.venue_id is not None else None,
        name=row.name,
        created_at=row.created_at,
        left_at=row.left_at,
        monthly_target=row.monthly_target,
    )
