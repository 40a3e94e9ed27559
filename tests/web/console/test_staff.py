"""People who invite, with plans; a manager sees those of their venues alone."""

from __future__ import annotations

from app.accounts import staff
from app.accounts.staff import StaffMember
from app.places import hangings
from tests.web.console.house import House

STAFF = "/console/cafe/places/-/staff"


def _named(house: House, name: str) -> StaffMember:
    with house.database.read() as tx:
        return staff.staff_member_by_name(tx, house.cafe.brand.id, name)


def test_somebody_added_has_a_code_and_a_plan(house: House) -> None:
    desk = house.desk("manager")
    added = desk.send(STAFF, name="Вера", monthly_target="30", venue=str(house.cafe.venue.id))
    assert added.status_code == 303
    vera = _named(house, "Вера")
    assert (vera.monthly_target, vera.venue_id) == (30, house.cafe.venue.id)
    with house.database.read() as tx:
        hung = hangings.hangings(tx, house.cafe.venue, purposes=["staff"])
    assert [each.name for each in hung] == ["Вера"]
    again = desk.send(STAFF, name="Вера", venue=str(house.cafe.venue.id))
    assert again.status_code == 422
    desk.send(STAFF, f"{STAFF}/{vera.id}/plan", monthly_target="45")
    assert _named(house, "Вера").monthly_target == 45
    assert 'name="monthly_target" value="30"' in desk.get(STAFF).text  # undo
    wrong = desk.send(STAFF, f"{STAFF}/{vera.id}/plan", monthly_target="many")
    assert wrong.status_code == 422
    assert f'id="plan-{vera.id}-fault"' in wrong.text


def test_who_left_comes_back_by_undo(house: House) -> None:
    desk = house.desk("manager")
    desk.send(STAFF, name="Вера", venue=str(house.cafe.venue.id))
    vera = _named(house, "Вера")
    desk.send(STAFF, f"{STAFF}/{vera.id}/leave")
    assert _named(house, "Вера").left_at is not None
    assert f'action="{STAFF}/{vera.id}/back"' in desk.get(STAFF).text
    desk.send(STAFF, f"{STAFF}/{vera.id}/back")
    assert _named(house, "Вера").left_at is None


def test_a_manager_reaches_nobody_elsewhere(house: House) -> None:
    with house.database.write() as tx:
        far = staff.create_staff_member(
            tx, brand_id=house.cafe.brand.id, venue_id=house.second["cafe"].id, name="Глеб",
            now=house.clock(), actor="test",
        )  # fmt: skip
    desk = house.desk("manager")
    assert "Глеб" not in desk.get(STAFF).text
    assert desk.send(STAFF, f"{STAFF}/{far.id}/leave").status_code == 404
    assert desk.send(STAFF, name="Пётр", venue=str(house.second["cafe"].id)).status_code == 404
    assert "Глеб" in house.desk("marketer").get(STAFF).text
