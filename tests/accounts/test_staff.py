"""Staff members belong to one brand, and to a venue of that brand."""

from __future__ import annotations

import pytest

from app.accounts import audit, staff
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


def test_a_plan_is_a_number_of_cards_a_month_or_none(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        anna = staff.create_staff_member(
            tx, brand_id=brand.id, venue_id=None, name="Анна", monthly_target=40, now=NOW, actor="t"
        )
        assert anna.monthly_target == 40
        assert staff.plan(tx, anna.id, monthly_target=60, now=NOW, actor="t").monthly_target == 60
        assert staff.plan(tx, anna.id, monthly_target=None, now=NOW, actor="t").monthly_target is None
        for wrong in (0, -3, 10_001):
            with pytest.raises(BadInput) as refused:
                staff.plan(tx, anna.id, monthly_target=wrong, now=NOW, actor="t")
            assert refused.value.field == "monthly_target"
        said = [(e.action, e.detail.get("monthly_target")) for e in audit.entries(tx, brand_id=brand.id)][:2]
        assert said == [("staff.planned", None), ("staff.planned", 60)]
