"""Invitations, roles and new passwords, and what nobody may do by them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.accounts import audit, invitations, sessions, users
from app.accounts.roles import Role
from tests.web.console.house import PASSWORD, Desk, House


def _link(text: str) -> str:
    found = re.search(r'value="https://cards\.example(/console/invited/[\w-]+)"', text)
    assert found, text
    return found[1]


def _role(house: House, email: str, brand: str = "cafe") -> tuple[str, list[int]] | None:
    shop = house.cafe if brand == "cafe" else house.bakery
    with house.database.read() as tx:
        access = users.given_access(tx, users.user_by_email(tx, email).id, shop.brand.id)
    return (access.role, sorted(access.venues or ())) if access else None


def _invite(house: House, **fields: object) -> str:
    made = house.desk().send("/console/cafe/people/invite", name="Vera", **fields)
    assert made.status_code == 200, made.text
    return _link(made.text)


def _begin(desk: Desk, link: str, email: str = "vera@example.com", password: str = PASSWORD) -> int:
    return desk.send(link, name="Vera", email=email, password=password).status_code


def test_an_invitation_makes_a_manager_of_these_venues_once(house: House) -> None:
    link = _invite(house, role="manager", venues=[str(house.second["cafe"].id)])
    assert link not in house.desk().get("/console/cafe/people").text
    vera = house.stranger()
    assert vera.get(link).status_code == 200  # a messenger's preview has looked as well
    begun = vera.send(link, name="Vera", email="vera@example.com", password=PASSWORD)
    assert (begun.status_code, begun.location) == (303, "/console/cafe/")
    assert _role(house, "vera@example.com") == ("manager", [house.second["cafe"].id])
    assert vera.get("/console/account").status_code == 200
    again = house.stranger()
    assert again.get(link).status_code == 404
    with house.database.read() as tx:
        said = [entry.action for entry in audit.entries(tx, limit=5)]
        assert link.rpartition("/")[2] not in repr(audit.entries(tx))
    assert said[:4] == ["user.signed_in", "user.role_given", "invitation.used", "user.created"]


def test_who_has_an_account_joins_with_it(house: House) -> None:
    link = _invite(house, role="marketer")
    desk = house.desk("owner", "bakery")
    assert "Bakery Owner" in desk.get(link).text
    joined = desk.send(link, f"{link}/join")
    assert joined.location == "/console/cafe/"
    assert _role(house, "bakery-owner@example.com") == ("marketer", [])
    assert _role(house, "bakery-owner@example.com", "bakery") == ("owner", [])
    assert desk.get("/console/cafe/audit").status_code == 403


def test_a_link_is_over_when_it_was_withdrawn_or_its_days_are(house: House) -> None:
    late, withdrawn = _invite(house, role="owner"), _invite(house, role="owner")
    desk = house.desk()
    act = re.search(
        r'action="(/console/cafe/people/invitations/\d+/withdraw)"', desk.get("/console/cafe/people").text
    )
    assert act  # the newest stands first
    assert desk.send("/console/cafe/people", act[1]).status_code == 303
    stranger = house.stranger()
    assert stranger.get(withdrawn).status_code == 404
    assert stranger.get(late).status_code == 200
    house.clock.forward(invitations.LIFETIME)
    assert stranger.get(late).status_code == 404


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("vera", PASSWORD, "does not look like"),
        ("vera@example.com", "brief", "This one is shorter than 10"),
        ("vera@example.com", "qwertyuiop12", "first that are tried"),
        ("vera@example.com", "aaaaaaaaaaaaaa", "first that are tried"),
        ("vera.petrova@example.com", "vera.petrova1", "first that are tried"),
        ("cafe-owner@example.com", PASSWORD, "has an account already"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_uses_nothing_up(
    house: House, email: str, password: str, said: str
) -> None:
    link = _invite(house, role="marketer")
    desk = house.stranger()
    answer = desk.send(link, name="Vera", email=email, password=password)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{email}"' in answer.text
    assert password not in answer.text
    assert _begin(desk, link) == 303


def test_the_first_owner_comes_by_a_link_and_ends_the_others(house: House) -> None:
    """As on an empty installation, where each process that starts shows one."""
    with house.database.write() as tx:
        assert invitations.invite_first(tx, now=house.clock(), actor="cli:anna") is None, "somebody is there"
        _made, token = invitations.invite_operator(tx, now=house.clock(), actor="cli:anna")
    desk = house.stranger()
    begun = desk.send(f"/console/invited/{token}", name="Vera", email="vera@example.com", password=PASSWORD)
    assert begun.location == "/console/"
    start = desk.get("/console/")
    assert "/console/cafe/" in start.text
    assert "/console/bakery/" in start.text


def test_the_last_owner_stays(house: House) -> None:
    desk, owner = house.desk(), house.team["cafe", "owner"]
    page = f"/console/cafe/people/{owner.id}"
    assert desk.send(page, f"{page}/remove").status_code == 409
    demoted = desk.send(page, role="marketer")
    assert demoted.status_code == 422
    assert "needs an owner" in demoted.text
    assert (
        desk.send(f"/console/cafe/people/{house.team['cafe', 'marketer'].id}", role="owner").status_code
        == 303
    )
    assert desk.send(page, role="marketer").status_code == 303
    assert desk.get("/console/cafe/people").status_code == 403


def test_removing_is_undone(house: House) -> None:
    desk, manager = house.desk(), house.team["cafe", "manager"]
    before = _role(house, manager.email)
    seen = house.new_desk(manager)
    assert (
        desk.send(
            f"/console/cafe/people/{manager.id}", f"/console/cafe/people/{manager.id}/remove"
        ).status_code
        == 303
    )
    assert _role(house, manager.email) is None
    assert seen.get("/console/cafe/").status_code == 404
    page = desk.get("/console/cafe/people").text
    note = re.search(r'name="note" value="([^"]+)"', page)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert note
    assert token
    data = {"csrf_token": token[1], "note": note[1]}
    assert desk.client.post("/console/cafe/people/bring-back", data=data).status_code == 303
    assert _role(house, manager.email) == before
    # Nobody else is brought in by it, and not into another brand.
    forged = data | {"note": note[1][:-3] + "abc"}
    assert desk.client.post("/console/cafe/people/bring-back", data=forged).status_code == 404
    bakery = house.desk("owner", "bakery")
    other = bakery.send("/console/bakery/people", "/console/bakery/people/bring-back", note=note[1])
    assert other.status_code == 404


@pytest.mark.parametrize(("role", "venues"), [("manager", []), ("manager", ["bakery"]), ("king", [])])
def test_a_role_that_is_none_is_refused(house: House, role: str, venues: list[str]) -> None:
    ids = [str(house.bakery.venue.id) for _ in venues]
    answer = house.desk().send("/console/cafe/people/invite", name="Vera", role=role, venues=ids)
    assert answer.status_code == 422


def test_a_new_password_signs_everybody_out_who_had_the_old(house: House) -> None:
    marketer = house.team["cafe", "marketer"]
    before = house.new_desk(marketer)
    page = f"/console/cafe/people/{marketer.id}"
    link = _link(house.desk().send(page, f"{page}/password-link").text)
    assert before.get("/console/account").status_code == 200
    fresh = house.stranger()
    chosen = fresh.send(link, f"{link}/password", password="nine green lizards")
    assert chosen.status_code == 303
    assert fresh.get("/console/account").status_code == 200
    assert before.get("/console/account").status_code == 303
    assert house.stranger().get(link).status_code == 404
    sent = house.stranger().send("/console/sign-in", email=marketer.email, password="nine green lizards")
    assert sent.status_code == 303


def test_a_brands_owner_gets_no_hold_of_what_lies_beyond_the_brand(house: House) -> None:
    """A new password opens everything that somebody may do: the neighbour's brand, the installation."""
    marketer = house.team["cafe", "marketer"]
    with house.database.write() as tx:
        users.grant(tx, marketer.id, house.bakery.brand.id, "cashier", now=house.clock(), actor="test")
        role: Role = "cashier"
        users.grant(tx, house.operator.id, house.cafe.brand.id, role, now=house.clock(), actor="test")
    desk = house.desk()
    for whom in (marketer, house.operator, house.team["cafe", "owner"]):
        page = f"/console/cafe/people/{whom.id}"
        assert "password-link" not in desk.get(page).text
        assert desk.send(page, f"{page}/password-link").status_code == 403
    operators = house.desk(house.operator)
    page = f"/console/cafe/people/{marketer.id}"
    assert operators.send(page, f"{page}/password-link").status_code == 200


def test_ones_own_account(house: House) -> None:
    desk = house.desk()
    other, third = (house.new_desk(house.team["cafe", "owner"]) for _ in range(2))
    shown = desk.get("/console/account").text
    assert shown.count("Safari, iPhone") >= 3
    ids = re.findall(r"/account/sessions/(\d+)/end", shown)
    assert len(ids) == 2
    assert desk.send("/console/account", f"/console/account/sessions/{ids[0]}/end").status_code == 303
    assert sorted(d.get("/console/account").status_code for d in (other, third)) == [200, 303]
    with house.database.read() as tx:
        assert len(sessions.of_user(tx, house.team["cafe", "owner"].id, now=house.clock())) == 2
    wrong = desk.send(
        "/console/account", "/console/account/password", present="x", password="nine green lizards"
    )
    assert wrong.status_code == 422
    right = desk.send(
        "/console/account", "/console/account/password", present=PASSWORD, password="nine green lizards"
    )
    assert right.status_code == 303
    assert {d.get("/console/account").status_code for d in (other, third)} == {303}
    assert desk.get("/console/account").status_code == 200
    assert (
        desk.send(
            "/console/account", "/console/account/language", language="ru", next="/console/account"
        ).status_code
        == 303
    )
    assert '<html lang="ru">' in desk.get("/console/account").text
    house.clock.forward(timedelta(minutes=1))
    assert desk.send("/console/account", "/console/account/name", name="Анна").status_code == 303
    assert "Анна" in desk.get("/console/account").text


def test_the_log_says_who_did_what(house: House) -> None:
    desk = house.desk()
    _invite(house, role="marketer")
    shown = desk.get("/console/cafe/audit").text
    assert "Somebody was invited" in shown
    assert "Cafe Owner" in shown
    assert "bakery" not in shown.lower()
    assert house.desk(house.operator).get("/console/audit").status_code == 200
    assert desk.get("/console/cafe/audit?before=abc").status_code == 200
    assert "Nothing yet" in desk.get("/console/cafe/audit?before=1").text
