"""A link opens no more than it did when it was made, and no more than its maker may still give."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.accounts import invitations, users
from app.accounts.roles import Role
from app.db import Tx
from app.db.identifiers import VenueId
from tests.web.console.house import PASSWORD, House


def _link(text: str) -> str:
    found = re.search(r'value="https://cards\.example(/console/invited/[\w-]+)"', text)
    assert found, text
    return found[1]


def _to_password(house: House, role: Role = "cashier") -> str:
    page = f"/console/cafe/people/{house.team['cafe', role].id}"
    return _link(house.desk().send(page, f"{page}/password-link").text)


def _invited(house: House, role: Role, *venues: VenueId) -> str:
    fields = {"name": "Vera", "role": role, "venues": [str(each) for each in venues]}
    return _link(house.desk().send("/console/cafe/people/invite", **fields).text)


def _access(house: House, role: Role) -> tuple[str, list[VenueId]]:
    with house.database.read() as tx:
        found = users.given_access(tx, house.team["cafe", role].id, house.cafe.brand.id)
    assert found is not None
    return found.role, sorted(found.venues or ())


def _grown(house: House, tx: Tx) -> None:
    cashier = house.team["cafe", "cashier"]
    users.grant(tx, cashier.id, house.bakery.brand.id, "owner", now=house.clock(), actor="test")


def _promoted(house: House, tx: Tx) -> None:
    users.set_operator(tx, house.team["cafe", "cashier"].id, operator=True, now=house.clock(), actor="test")


def _removed(house: House, tx: Tx) -> None:
    cashier = house.team["cafe", "cashier"]
    users.revoke(tx, cashier.id, house.cafe.brand.id, now=house.clock(), actor="test")


def _changed(house: House, tx: Tx) -> None:
    cashier = house.team["cafe", "cashier"]
    users.set_password(tx, cashier.id, "x", now=house.clock(), actor=cashier.actor)


def _maker_gone(house: House, tx: Tx) -> None:
    owner, heir = house.team["cafe", "owner"], house.team["cafe", "marketer"]
    users.grant(tx, heir.id, house.cafe.brand.id, "owner", now=house.clock(), actor="test")
    users.revoke(tx, owner.id, house.cafe.brand.id, now=house.clock(), actor="test")


def _maker_demoted(house: House, tx: Tx) -> None:
    owner, heir = house.team["cafe", "owner"], house.team["cafe", "marketer"]
    users.grant(tx, heir.id, house.cafe.brand.id, "owner", now=house.clock(), actor="test")
    users.grant(tx, owner.id, house.cafe.brand.id, "marketer", now=house.clock(), actor="test")


@pytest.mark.parametrize("what", [_grown, _promoted, _removed, _changed, _maker_gone, _maker_demoted])
def test_a_link_to_a_password_ends_with_what_it_was_made_for(
    house: House, what: Callable[[House, Tx], None]
) -> None:
    link = _to_password(house)
    desk = house.stranger()
    token = desk.token(link)
    with house.database.write() as tx:
        what(house, tx)
    assert desk.get(link).status_code == 404
    data = {"csrf_token": token, "password": "nine green lizards"}
    assert desk.client.post(f"{link}/password", data=data).status_code == 404
    with house.database.read() as tx:
        assert invitations.open_to_password(tx, house.team["cafe", "cashier"].id, now=house.clock()) == []


def test_a_link_to_a_password_asks_again_whether_its_maker_may(house: House) -> None:
    """Made by the owner of both brands, who lost the other one: nothing was withdrawn, it opens nothing."""
    owner, cashier = house.team["cafe", "owner"], house.team["cafe", "cashier"]
    with house.database.write() as tx:
        users.grant(tx, owner.id, house.bakery.brand.id, "owner", now=house.clock(), actor="test")
        users.grant(tx, cashier.id, house.bakery.brand.id, "marketer", now=house.clock(), actor="test")
    link = _to_password(house)
    assert house.stranger().get(link).status_code == 200
    with house.database.write() as tx:
        users.revoke(tx, owner.id, house.bakery.brand.id, now=house.clock(), actor="test")
        assert invitations.open_to_password(tx, cashier.id, now=house.clock())
    assert house.stranger().get(link).status_code == 404


def test_the_persons_page_shows_an_open_link_and_withdraws_it(house: House) -> None:
    desk = house.desk()
    page = f"/console/cafe/people/{house.team['cafe', 'cashier'].id}"
    assert "Open link" not in desk.get(page).text
    link = _to_password(house)
    assert "Open link" in desk.get(page).text
    assert desk.send(page, f"{page}/password-link/withdraw").status_code == 303
    assert "Open link" not in desk.get(page).text
    assert house.stranger().get(link).status_code == 404
    assert desk.send(page, f"{page}/password-link/withdraw").status_code == 404


@pytest.mark.parametrize("what", [_maker_gone, _maker_demoted])
def test_an_invitation_does_not_outlive_its_maker(house: House, what: Callable[[House, Tx], None]) -> None:
    link = _invited(house, "owner")
    with house.database.write() as tx:
        what(house, tx)
        assert invitations.open_of_brand(tx, house.cafe.brand.id, now=house.clock()) == []
    owner = house.desk()
    assert owner.get(link).status_code == 404
    assert owner.send("/console/account", f"{link}/join").status_code == 404
    assert house.stranger().get(link).status_code == 404


def test_an_invitation_to_run_the_installation_does_not_outlive_its_maker(house: House) -> None:
    with house.database.write() as tx:
        second = house.team["bakery", "owner"]
        users.set_operator(tx, second.id, operator=True, now=house.clock(), actor="test")
        _made, token = invitations.invite_operator(tx, now=house.clock(), actor=second.actor)
    assert house.stranger().get(f"/console/invited/{token}").status_code == 200
    with house.database.write() as tx:
        users.set_operator(tx, second.id, operator=False, now=house.clock(), actor="test")
    desk = house.stranger()
    assert desk.get(f"/console/invited/{token}").status_code == 404


def test_a_link_to_a_role_makes_nobody_less(house: House) -> None:
    marketer = house.desk("marketer")
    lesser = _invited(house, "cashier")
    refused = marketer.send(lesser, f"{lesser}/join")
    assert refused.status_code == 409
    assert "more in this brand" in refused.text
    assert _access(house, "marketer") == ("marketer", [])
    second = house.second["cafe"].id
    link = _invited(house, "manager", second)
    assert house.desk("manager").send(link, f"{link}/join").status_code == 303
    assert _access(house, "manager") == ("manager", sorted([house.cafe.venue.id, second]))
    # Who it was meant for still comes in.
    begun = house.stranger().send(lesser, name="Vera", email="vera@example.com", password=PASSWORD)
    assert begun.status_code == 303


def test_undoing_a_removal_overwrites_no_role_given_since(house: House) -> None:
    desk, manager = house.desk(), house.team["cafe", "manager"]
    page = f"/console/cafe/people/{manager.id}"
    assert desk.send(page, f"{page}/remove").status_code == 303
    note = re.search(r'name="note" value="([^"]+)"', desk.get("/console/cafe/people").text)
    assert note
    with house.database.write() as tx:
        users.grant(tx, manager.id, house.cafe.brand.id, "cashier", now=house.clock(), actor="test")
    undone = desk.send("/console/cafe/people", "/console/cafe/people/bring-back", note=note[1])
    assert undone.status_code == 409
    assert "since" in undone.text
    assert _access(house, "manager")[0] == "cashier"


def test_a_link_that_opens_nothing_says_so_and_leads_to_signing_in(house: House) -> None:
    link = _invited(house, "owner")
    house.clock.forward(timedelta(days=60))
    told = [house.stranger().get(address) for address in (link, "/console/invited/" + "x" * 43)]
    for page in told:
        assert page.status_code == 404
        assert "This link was used or has ended" in page.text
        assert 'href="/console/sign-in"' in page.text
    ended, never = (re.sub(r'"[^"]*invited[^"]*"|nonce="[^"]*"', "", page.text) for page in told)
    assert ended == never  # nothing tells whether there ever was such a link
