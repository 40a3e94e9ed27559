"""Who sees what, and acts on what: staff of every venue, shared certificates, the people at the till."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from werkzeug.test import Client

from app.accounts import brands, staff
from app.accounts.roles import ROLES, Role
from app.accounts.staff import StaffMember
from app.db import Database
from app.db.identifiers import VenueId
from app.places import links, tallies
from app.reports import funnel_staff
from app.web.application import make_flask
from tests.web.console.house import House, a_user
from tests.web.console.members_guests import guest, ring_up, with_phone
from tests.web.console.samples_funnel import come
from tests.web.guests import open_world

STAFF = "/console/cafe/places/-/staff"
SURELY = dict.fromkeys(("page", "form", "code", "added"), 1.0) | {"receipt": 0.0}


def _person(house: House, name: str, venue_id: VenueId | None, target: int | None = None) -> StaffMember:
    with house.database.write() as tx:
        return staff.create_staff_member(
            tx, brand_id=house.cafe.brand.id, venue_id=venue_id, name=name, monthly_target=target,
            now=house.clock(), actor="test",
        )  # fmt: skip


def _brings(house: House, person: StaffMember, venue_id: VenueId, cards: int) -> None:
    """Guests whom somebody's code in a venue brought a card."""
    with house.database.write() as tx:
        link = links.create_link(
            tx, programme_id=house.cafe.programme.id, venue_id=venue_id, staff_member_id=person.id,
            now=house.clock(), actor="test",
        )  # fmt: skip
        come(tx, link.id, house.clock().date(), cards, random.Random(1), SURELY)
        tallies.mend(tx)
        while tallies.fold(tx):
            pass


@pytest.mark.parametrize(
    ("role", "sees", "acts"),
    [
        ("owner", {"Here", "Far", "All"}, {"Here", "Far", "All"}),
        ("marketer", {"Here", "Far", "All"}, {"Here", "Far", "All"}),
        ("manager", {"Here", "All"}, {"Here"}),
        ("cashier", set(), set()),
    ],
)
def test_whoever_works_in_every_venue_is_seen_and_left_to_who_sees_them_all(
    house: House, role: Role, sees: set[str], acts: set[str]
) -> None:
    everybody = {
        "Here": _person(house, "Here", house.cafe.venue.id),
        "Far": _person(house, "Far", house.second["cafe"].id),
        "All": _person(house, "All", None),
    }
    desk = house.desk(role)
    shown = desk.get(STAFF).text
    assert {name for name in everybody if f"<b>{name}</b>" in shown} == sees
    assert {name for name, one in everybody.items() if f"{STAFF}/{one.id}/leave" in shown} == acts
    token = desk.token("/console/account")
    for deed in ("plan", "leave", "back"):
        done = {
            name: desk.client.post(
                f"{STAFF}/{one.id}/{deed}", data={"csrf_token": token, "monthly_target": "9"}
            ).status_code
            for name, one in everybody.items()
        }
        assert {name for name, status in done.items() if status == 303} == acts, deed
        assert {name for name, status in done.items() if status == 403} == (
            set(everybody) if role == "cashier" else sees - acts
        ), deed


def test_a_manager_gives_a_code_of_their_venue_to_whoever_works_in_all(house: House) -> None:
    everywhere = _person(house, "All", None)
    given = house.desk("manager").send(STAFF, f"{STAFF}/{everywhere.id}/code")
    assert given.status_code == 303
    assert "/places/main/code/" in given.location


def test_a_manager_is_told_of_the_cards_of_their_own_venues(house: House) -> None:
    shop, second = house.cafe, house.second["cafe"].id
    everywhere, here = _person(house, "All", None, 30), _person(house, "Here", shop.venue.id, 20)
    for person, where, cards in (
        (everywhere, shop.venue.id, 3),
        (everywhere, second, 4),
        (here, shop.venue.id, 5),
    ):
        _brings(house, person, where, cards)
    with house.database.read() as tx:
        counted = {
            seen: {
                row.member.name: (row.cards, row.member.monthly_target)
                for row in funnel_staff.month_so_far(
                    tx, shop.brand, venue_id=shop.venue.id, today=house.clock().date(), seen=seen
                )
            }
            for seen in (None, frozenset({shop.venue.id}))
        }
    assert counted[None] == {"All": (7, 30), "Here": (5, 20)}
    assert counted[frozenset({shop.venue.id})] == {"All": (3, None), "Here": (5, 20)}
    owners, managers = (house.desk(role).get(STAFF).text for role in ("owner", "manager"))
    assert '<b>7</b> <span class="soft">of 30</span>' in owners
    assert "<b>3</b><small>cards this month in your venues" in managers
    assert "<b>7</b>" not in managers
    of_all = {
        role: _line(house.desk(role).get("/console/cafe/funnel/main").text, "All")
        for role in ("owner", "manager")
    }
    assert "7 cards" in of_all["owner"], of_all
    assert "plan 30" in of_all["owner"], of_all
    assert "3 cards" in of_all["manager"], of_all
    assert "plan 30" not in of_all["manager"], of_all


def _line(page: str, name: str) -> str:
    """What a page's list says of somebody, in words alone."""
    (line,) = [one for one in re.findall(r"<li[ >].*?</li>", page, re.S) if f">{name}<" in one]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", line)).split())


def _share(house: House) -> None:
    """The bakery's cards become of the cafe's pass type."""
    with house.database.write() as tx:
        cafe, bakery = house.cafe.brand, house.bakery.brand
        draft = replace(
            bakery.draft(),
            pass_type_identifier=cafe.pass_type_identifier,
            team_identifier=cafe.team_identifier,
        )
        brands.update_brand(tx, bakery.id, draft, now=house.clock(), actor="test")


def test_a_shared_certificate_is_replaced_by_who_owns_all_its_brands(house: House) -> None:
    page = "/console/cafe/certificate"
    alone = house.desk().get(page).text
    assert "Shared with" not in alone
    _share(house)
    owner, operator = house.desk(), house.desk(house.operator)
    told, theirs = (unescape(desk.get(page).text) for desk in (owner, operator))
    for shown in (told, theirs):
        assert f"Shared with {house.bakery.brand.name}" in shown
    assert "Only who owns all of them" in told
    assert 'name="certificate"' not in told
    assert 'name="certificate"' in theirs
    token = owner.token("/console/account")
    for address, refused in ((page, 403), (f"{page}/before", 403)):
        assert owner.client.post(address, data={"csrf_token": token}).status_code == refused
    token = operator.token("/console/account")
    assert operator.client.post(page, data={"csrf_token": token}).status_code == 422
    assert operator.client.post(f"{page}/before", data={"csrf_token": token}).status_code == 409


def test_a_file_that_has_to_be_chosen_again_says_so(house: House) -> None:
    page = "/console/-/brand"
    desk = house.desk(house.operator)
    words = "choose it again: a browser does not keep it"
    assert words not in desk.get(page).text
    refused = desk.send(page, name="")
    assert refused.status_code == 422
    assert words in refused.text


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_no_path_of_the_server_is_on_a_guests_page(house: House, tmp_path: Path, role: Role) -> None:
    with house.database.write() as tx:
        card = guest(tx, house.cafe, "Anna")
        with_phone(tx, card)
        ring_up(tx, house.cafe, card, "R-1")
        brands.refer_to_credentials(
            tx, house.cafe.brand.id, f"file:{tmp_path}/nowhere", now=house.clock(), actor="test"
        )
    shown = unescape(house.desk(role).get(f"/console/cafe/members/{card.member_id}").text)
    assert "certificate cannot be used" in shown
    assert "stands on the certificate’s page" in shown
    assert str(tmp_path) not in shown


@pytest.mark.parametrize("role", ROLES)
def test_the_training_sheet_is_for_everybody_and_all_that_a_cashier_has(house: House, role: Role) -> None:
    sheet = "/console/cafe/places/main/sheet.pdf"
    desk = house.desk(role)
    assert desk.get(f"{sheet}?language=en").mimetype == "application/pdf"
    first = desk.get("/console/cafe/")
    if role == "cashier":
        assert f'href="{sheet}?language=en"' in first.text
        assert "/places/second/sheet.pdf" not in first.text, "it has no code"
        assert "nothing has to be done here" in first.text
        for shut in ("places", "funnel", "members", "places/main"):
            assert desk.get(f"/console/cafe/{shut}").status_code == 403
    else:
        assert first.status_code == 303


def test_the_bare_address_leads_to_the_console(house: House) -> None:
    answer = house.stranger().get("/")
    assert (answer.status_code, answer.location) == (302, "/console/")


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Nobody has an account yet"), ("ru", "ещё нет ни одной учётной")]
)
def test_an_installation_without_users_says_how_the_first_is_made(
    database: Database, language: str, words: str
) -> None:
    world = open_world(database)
    client, heard = Client(make_flask(world.services)), {"Accept-Language": language}
    page = client.get("/", base_url=world.services.public_url, follow_redirects=True, headers=heard)
    assert page.request.path == "/console/sign-in"
    assert words in page.text
    assert "perkpass user invite" in page.text
    with database.write() as tx:
        a_user(tx, "first@example.com", "First")
    there = client.get("/console/sign-in", base_url=world.services.public_url, headers=heard)
    assert "perkpass user invite" not in there.text
