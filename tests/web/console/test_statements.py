"""How many statements a page costs does not depend on how much there is: of every page of the console."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import event

from app.accounts import invitations, keys, staff, users
from app.accounts.roles import PERMISSIONS
from app.db import Database
from app.db.identifiers import EnrolmentId
from app.loyalty import card_acts, enrolment
from app.loyalty.programmes import ProgrammeDraft, create_programme
from app.loyalty.rules import BonusRules
from app.places import links, placements, venues
from app.places.venues import VenueDraft
from tests.web.console.house import House, a_user
from tests.web.console.members_google_stage import publish_for_google, taken_by_google
from tests.web.console.members_guests import guest, ring_up, with_phone
from tests.web.console.samples_funnel import come
from tests.web.console.test_roles import address_of

FEW, MANY = 3, 9
A_CARD_EACH = {"/<brand>/designs": 3}
"""Pages that draw the card of each programme, of which a brand has a handful, and the statements of one."""


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    told: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        told.append(statement)

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield told
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)


def _pages(house: House) -> dict[str, str]:
    """Every page of the registry, and where it is."""
    routes = [route for route in house.console.routes if route.method == "GET" and route.needs in PERMISSIONS]
    more = {"/console/?all=yes": "/console/?all=yes", "/console/account": "/console/account"}
    found = {route.rule: address_of(house, route, house.cafe) for route in routes}
    found |= {
        f"{rule} with everything": f"{found[rule]}?{asked}"
        for rule, asked in (
            ("/<brand>/funnel", "by=placement"),
            ("/<brand>/funnel", "by=link&order=best"),
            ("/<brand>/funnel", "by=staff"),
            ("/<brand>/members", "q=Guest"),
            ("/<brand>/members/<int:member_id>", "all=yes"),
        )
    }
    return found | more


def _statements(house: House) -> dict[str, list[str]]:
    """Of each page, once what is kept between requests is kept."""
    found = {}
    desk = house.desk(house.operator)
    for name, address in _pages(house).items():
        desk.get(address)
        with counting(house.database) as told:
            answer = desk.get(address)
            assert answer.status_code in (200, 303), (name, answer.status_code)
            answer.close()
        found[name] = told
    return found


def _grow(house: House, numbers: range, card: EnrolmentId) -> None:
    """More of everything that a brand has: venues with codes, people and keys, guests, users, receipts."""
    shop, now = house.cafe, house.clock()
    brand, programme = shop.brand.id, shop.programme.id
    more: dict[str, object] = {"now": now, "actor": "test"}
    with house.database.write() as tx:
        known = enrolment.enrolment(tx, card)
        for number in numbers:
            name = f"x{number}"
            draft = VenueDraft(brand_id=brand, slug=name, name=name, address="1 St")
            for place in (venues.create_venue(tx, draft, **more), shop.venue):  # type: ignore[arg-type]
                spot = placements.create_placement(tx, venue_id=place.id, kind="table", name=name, **more)  # type: ignore[arg-type]
                called = f"{name} {place.slug}"
                person = staff.create_staff_member(
                    tx, brand_id=brand, venue_id=place.id, name=called, monthly_target=9, **more  # type: ignore[arg-type]
                )  # fmt: skip
                for source in ({"placement_id": spot.id}, {"staff_member_id": person.id}, {}):
                    made = links.create_link(tx, programme_id=programme, venue_id=place.id, **source, **more)  # type: ignore[arg-type]
                    for back in (0, 3, 12, 45):
                        come(tx, made.id, (now - timedelta(days=back)).date(), 2, random.Random(1), {})
                keys.create_key(tx, brand_id=brand, venue_id=place.id, name=name, **more)  # type: ignore[arg-type]
            user = a_user(tx, f"{name}@example.com", name)
            users.grant(tx, user.id, brand, "manager", [shop.venue.id], **more)  # type: ignore[arg-type]
            invitations.invite(tx, brand, "marketer", **more)  # type: ignore[arg-type]
            other = guest(tx, shop, f"Guest {name}", f"+7903100{number:04d}")
            with_phone(tx, other, name)
            with_phone(tx, known, f"own {name}")
            ring_up(tx, shop, known, f"R-{name}")
            card_acts.correct(
                tx, card, points=100, reason="x", form_key=f"form-{number:04d}", **more  # type: ignore[arg-type]
            )  # fmt: skip
            club = ProgrammeDraft(brand_id=brand, slug=name, name=name, rules=BonusRules(cashback=500))
            create_programme(tx, club, **more)  # type: ignore[arg-type]


def test_no_page_asks_more_questions_where_there_is_more(house: House) -> None:
    publish_for_google(house, house.cafe)
    with house.database.write() as tx:
        card = guest(tx, house.cafe, "Guest Sample", "+79031234567")
    taken_by_google(house, house.cafe, card)
    house.made["guest", "cafe"] = f"{card.member_id}/{card.id}"
    house.clock.forward(timedelta(hours=1))
    _grow(house, range(FEW), card.id)
    few = _statements(house)
    assert len(few) > 30
    _grow(house, range(FEW, FEW + MANY), card.id)
    many = _statements(house)
    grown = {
        name: [one for one in dict.fromkeys(many[name]) if many[name].count(one) > few[name].count(one)]
        for name in few
        if len(many[name]) > len(few[name]) + MANY * A_CARD_EACH.get(name, 0)
    }
    assert not grown, "\n".join(
        f"{name}: {len(few[name])} → {len(many[name])}\n    {said[0][:300]}" for name, said in grown.items()
    )
