"""Staff members belong to one brand, and to a venue of that brand."""

from __future__ import annotations

import pytest

from app.accounts import staff
from app.db import Database
from app.errors import BadInput, Conflict, NotFound
from tests.accounts.world import NOW, a_brand, a_venue


def test_staff_belong_to_a_venue_of_their_brand(database: Database) -> None:
    with database.write() as tx:
        ours, theirs = a_brand(tx), a_brand(tx, "other")
        venue, second, foreign = a_venue(tx, ours), a_venue(tx, ours, "hill"), a_venue(tx, theirs)
        anna = staff.create_staff_member(
            tx, brand_id=ours.id, venue_id=venue.id, name="Анна", now=NOW, actor="t"
        )
        staff.create_staff_member(tx, brand_id=ours.id, venue_id=None, name="Пётр", now=NOW, actor="t")
        assert [s.name for s in staff.staff_of_brand(tx, ours.id)] == ["Анна", "Пётр"]
        moved = staff.move_staff_member(tx, anna.id, venue_id=second.id, now=NOW, actor="t")
        assert moved.venue_id == second.id
        with pytest.raises(BadInput):
            staff.move_staff_member(tx, anna.id, venue_id=foreign.id, now=NOW, actor="t")
        with pytest.raises(BadInput):
            staff.create_staff_member(
                tx, brand_id=ours.id, venue_id=foreign.id, name="Вера", now=NOW, actor="t"
            )
        with pytest.raises(Conflict):
            staff.create_staff_member(tx, brand_id=ours.id, venue_id=None, name="Анна", now=NOW, actor="t")
        assert staff.staff_member_by_name(tx, ours.id, "Анна").id == anna.id
        with pytest.raises(NotFound):
            staff.staff_member_by_name(tx, theirs.id, "Анна")
