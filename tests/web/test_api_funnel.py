"""The funnel over the API: of the key's own venue, by its own calendar, and not too often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.accounts import keys, staff
from app.db import Database, Tx
from app.places import links, placements, venues, visits
from app.places.links import InstallLink
from app.web.api_funnel import MOST_DAYS, PER_KEY
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, NOW, Town
from tests.web.till_api import Bell, Till, application, services

WAY: tuple[visits.VisitEventKind, ...] = ("scan", "page", "form", "added", "removed")


@dataclass
class World:
    town: Town
    table: InstallLink
    staff: InstallLink
    till: Till
    neighbour: Till


@pytest.fixture
def world(database: Database) -> World:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        spot = placements.create_placement(
            tx, venue_id=town.venue.id, kind="table", name="7", now=NOW, actor="t"
        )
        person = staff.create_staff_member(
            tx, brand_id=town.brand.id, venue_id=None, name="Анна", now=NOW, actor="t"
        )
        more: list[dict[str, Any]] = [{"placement_id": spot.id}, {"staff_member_id": person.id}]
        table, invites = (
            links.create_link(
                tx, programme_id=town.programme.id, venue_id=town.venue.id, now=NOW, actor="t", **each
            )
            for each in more
        )
        far = venues.create_venue(
            tx, venues.VenueDraft(brand_id=town.brand.id, slug="far", name="Far", address="2, Far"),
            now=NOW, actor="t",
        )  # fmt: skip
        _, secret = keys.create_key(
            tx, brand_id=town.brand.id, venue_id=far.id, name="till", now=NOW, actor="t"
        )
        for link, kinds in ((town.link, WAY[:1]), (table, WAY[:4]), (table, WAY), (invites, WAY[:2])):
            _come(tx, link, kinds, NOW - timedelta(days=2))
    app = application(services(database, Bell()))
    return World(town, table, invites, Till(app, town.secret, Bell()), Till(app, secret, Bell()))


def _come(tx: Tx, link: InstallLink, kinds: tuple[visits.VisitEventKind, ...], at: datetime) -> None:
    visit_id = visits.new_visit_id()
    for kind in kinds:
        visits.record(
            tx, visit_id=visit_id, link_id=link.id, kind=kind, at=at, device_kind="iphone", language="ru"
        )


def test_a_till_sees_the_placements_of_its_own_venue(world: World) -> None:
    answer = world.till.get("/funnel").json
    assert answer is not None
    assert (answer["venue"], answer["time_zone"], answer["by"]) == ("pier", "Europe/Moscow", "placement")
    assert (answer["from"], answer["to"]) == ("2026-10-23", "2026-11-21")
    (table,) = answer["groups"]
    assert (table["name"], table["verdict"], table["loses_at"]) == ("pier, table 7", "alone", None)
    assert [table[kind] for kind in ("scan", "page", "in_app", "form", "added", "removed")] == [
        2, 2, 0, 2, 2, 1,
    ]  # fmt: skip
    whole = table["shares"]["added_of_scans"]
    assert whole == {"value": 1.0, "low": pytest.approx(0.3424, abs=1e-4), "high": 1.0}
    assert answer["total"]["scan"] == 2


def test_each_grouping_has_its_own_names(world: World) -> None:
    named = {}
    for by in ("venue", "staff", "link"):
        answer = world.till.get(f"/funnel?by={by}").json or {}
        named[by] = [(group["name"], group["scan"]) for group in answer["groups"]]
    assert named["venue"] == [("pier", 4)]
    assert named["staff"] == [("Анна", 1)]
    assert sorted(named["link"]) == sorted(
        [(world.town.link.code, 1), (world.table.code, 2), (world.staff.code, 1)]
    )


def test_a_neighbours_key_sees_nothing_of_it(world: World) -> None:
    answer = world.neighbour.get("/funnel?by=link").json or {}
    assert (answer["venue"], answer["groups"], answer["total"]["scan"]) == ("far", [], 0)
    assert answer["total"]["shares"]["page"] == {"value": None, "low": 0.0, "high": 1.0}
    assert world.till.app.test_client().get("/api/v1/funnel").status_code == 401


def test_days_are_asked_for_and_both_ends_count(world: World) -> None:
    def scans(first: str, last: str) -> int:
        answer = world.till.get(f"/funnel?by=venue&from={first}&to={last}").json or {}
        return int(answer["total"]["scan"])

    assert scans("2026-11-19", "2026-11-19") == 4
    assert scans("2026-11-20", "2026-11-21") == 0


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("by=guest", "by", "invalid-request"),
        ("from=2026-11-19", "to", "bad-period"),
        ("to=2026-11-19", "from", "bad-period"),
        ("from=2026-11-19&to=2026-11-18", "to", "bad-period"),
        ("from=2025-11-19&to=2026-11-20", "from", "bad-period"),
        ("from=yesterday&to=2026-11-20", "from", "invalid-request"),
        ("from=0001-01-01&to=0001-01-02", "from", "invalid-request"),
        ("venue=far", "venue", "invalid-request"),
        ("first=2026-11-19&to=2026-11-19", "first", "invalid-request"),
    ],
)
def test_wrong_questions_are_told_by_field(world: World, query: str, field: str, code: str) -> None:
    answer = world.till.get(f"/funnel?{query}")
    assert answer.status_code == 422
    assert answer.json is not None
    assert (answer.json["code"], answer.json["fields"][0]["field"]) == (code, field)
    assert MOST_DAYS == 366


def test_a_key_that_asks_too_often_waits(world: World) -> None:
    for _ in range(PER_KEY.amount):
        assert world.till.get("/funnel").status_code == 200
    refused = world.till.get("/funnel")
    assert (refused.status_code, (refused.json or {})["code"]) == (429, "too-many-requests")
    assert int(refused.headers["Retry-After"]) >= 1
    assert world.neighbour.get("/funnel").status_code == 200
