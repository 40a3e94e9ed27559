"""Visits: steps are written once, and the funnel is derived from them by index."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.accounts.tables import brand
from app.db import Database, Tx
from app.db.identifiers import BrandId, InstallLinkId, VisitId
from app.errors import NotFound
from app.loyalty.tables import programme
from app.places import store_visits, visits
from app.places.tables import install_link, placement, venue
from app.places.tables import visit as visit_table

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def _brand_with_links(tx: Tx, slug: str) -> tuple[BrandId, list[InstallLinkId]]:
    """A brand with two venues; the first has a link for the venue and one for a table."""

    def add(table: object, **values: object) -> int:
        statement = table.insert().values(created_at=NOW, **values)  # type: ignore[attr-defined]
        return int(tx.execute(statement).inserted_primary_key[0])  # type: ignore[index]

    brand_id = add(
        brand, slug=slug, name=slug, texts={}, time_zone="UTC", currency="EUR", language="en",
        pass_type_identifier="pass.example", team_identifier="TEAM", credentials="env:X",
    )  # fmt: skip
    programme_id = add(programme, brand_id=brand_id, slug="card", kind="bonus", name="Card", rules={})
    venues = [
        add(venue, brand_id=brand_id, slug=f"v{n}", name=f"V{n}", address="", time_zone="UTC")
        for n in range(2)
    ]
    table_7 = add(placement, venue_id=venues[0], kind="table", name="7")
    ids = [
        add(
            install_link, code=f"{slug}{n}", brand_id=brand_id, programme_id=programme_id,
            venue_id=venues[n // 2], placement_id=table_7 if n == 1 else None,
        )
        for n in range(3)
    ]  # fmt: skip
    return BrandId(brand_id), [InstallLinkId(link) for link in ids]


def _visit(tx: Tx, link: InstallLinkId, *kinds: visits.VisitEventKind, at: datetime = NOW) -> VisitId:
    visit_id = visits.new_visit_id()
    for kind in kinds:
        visits.record(
            tx, visit_id=visit_id, link_id=link, kind=kind, at=at, device_kind="iphone", language="en"
        )
    return visit_id


def test_the_same_step_twice_is_one_step_at_its_first_time(database: Database) -> None:
    with database.write() as tx:
        _, (link, *_) = _brand_with_links(tx, "a")
        visit_id = _visit(tx, link, "scan")
        again = visits.record(
            tx, visit_id=visit_id, link_id=link, kind="scan", at=NOW + DAY,
            device_kind="android", language="ru",
        )  # fmt: skip
        assert again is False
        assert visits.record_event(tx, visit_id=visit_id, kind="page", at=NOW) is True
        found = visits.visit(tx, visit_id)
    assert found.events == {"scan": NOW, "page": NOW}
    assert (found.device_kind, found.language, found.began_at) == ("iphone", "en", NOW)


def test_a_step_of_an_unknown_visit_changes_nothing(database: Database) -> None:
    unknown = visits.new_visit_id()
    with database.write() as tx:
        assert visits.record_event(tx, visit_id=unknown, kind="added", at=NOW) is False
        with pytest.raises(NotFound):
            visits.visit(tx, unknown)


def test_visit_ids_are_128_random_bits() -> None:
    ids = {visits.new_visit_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(len(visit_id) == 32 and int(visit_id, 16) >= 0 for visit_id in ids)


def test_only_the_first_rendering_of_a_form_claims_a_visit(database: Database) -> None:
    with database.write() as tx:
        _, (link, *_) = _brand_with_links(tx, "a")
        visit_id = _visit(tx, link, "scan")
        assert visits.is_enrolled(tx, visit_id) is False
        assert visits.claim_form(tx, visit_id, "mine") is True
        assert visits.claim_form(tx, visit_id, "mine") is True
        assert visits.claim_form(tx, visit_id, "a friend's") is False
        assert visits.is_enrolled(tx, visit_id) is True
        assert visits.claim_form(tx, visits.new_visit_id(), "nobody's") is False


def test_of_forms_sent_at_once_one_claims_the_visit(database: Database) -> None:
    with database.write() as tx:
        _, (link, *_) = _brand_with_links(tx, "a")
        visit_id = _visit(tx, link, "scan")

    def claim(mark: int) -> bool:
        with database.write() as tx:
            return visits.claim_form(tx, visit_id, str(mark))

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(claim, range(8))) == 1


def test_the_funnel_counts_each_step_by_venue_link_and_placement(database: Database) -> None:
    with database.write() as tx:
        brand_id, (door, table, other) = _brand_with_links(tx, "a")
        stranger, (strange_link, *_) = _brand_with_links(tx, "b")
        _visit(tx, door, "scan")
        _visit(tx, door, "scan", "page", "in_app")
        _visit(tx, table, "scan", "page", "form", "added")
        _visit(tx, table, "scan", "page", "form", "added", "removed")
        _visit(tx, other, "scan", "page", "form")
        _visit(tx, strange_link, "scan")
        first_venue = 1

        def funnel(by: visits.FunnelGroup) -> list[tuple[int, ...]]:
            return [
                (f.group_id, f.scan, f.page, f.in_app, f.form, f.added, f.removed)
                for f in visits.funnel(tx, brand_id, by=by, since=NOW, until=NOW + DAY)
            ]

        assert funnel("venue") == [(first_venue, 4, 3, 1, 2, 2, 1), (first_venue + 1, 1, 1, 0, 1, 0, 0)]
        assert funnel("link") == [
            (door, 2, 1, 1, 0, 0, 0), (table, 2, 2, 0, 2, 2, 1), (other, 1, 1, 0, 1, 0, 0)
        ]  # fmt: skip
        assert [row[1:] for row in funnel("placement")] == [(2, 2, 0, 2, 2, 1)]
        assert funnel("staff_member") == []
        assert len(visits.funnel(tx, stranger, by="venue", since=NOW, until=NOW + DAY)) == 1


def test_a_visit_counts_in_the_days_it_began_whenever_it_went_on(database: Database) -> None:
    with database.write() as tx:
        brand_id, (link, *_) = _brand_with_links(tx, "a")
        visit_id = _visit(tx, link, "scan", at=NOW)
        visits.record_event(tx, visit_id=visit_id, kind="added", at=NOW + 5 * DAY)
        (day,) = visits.funnel(tx, brand_id, by="link", since=NOW, until=NOW + DAY)
        assert (day.scan, day.added) == (1, 1)
        assert visits.funnel(tx, brand_id, by="link", since=NOW + DAY, until=NOW + 9 * DAY) == []


@pytest.mark.parametrize("by", ["venue", "link", "placement", "staff_member"])
def test_the_funnel_reads_visits_and_steps_by_index(database: Database, by: str) -> None:
    with database.write() as tx:
        brand_id, links = _brand_with_links(tx, "a")
        tx.execute(
            visit_table.insert(),
            [
                {
                    "id": f"{n:032x}", "install_link_id": links[n % 3], "device_kind": "iphone",
                    "language": "en", "created_at": NOW - n * DAY,
                }
                for n in range(3000)
            ],
        )  # fmt: skip
        if database.is_sqlite:
            tx.execute(text("ANALYZE"))
        else:
            tx.execute(text("ANALYZE visit"))
            tx.execute(text("SET LOCAL enable_seqscan = off"))
        query = store_visits.counts_query(brand_id, by=by, since=NOW - DAY, until=NOW)
        compiled = query.compile(tx, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        plan = "\n".join(str(row[-1]) for row in tx.execute(text(f"{explain} {compiled}")))
    assert "ix_visit_link_created" in plan
    # The step of each visit by its key; SQLite may answer from the index that carries the primary key.
    assert "visit_event_1" in plan or "pk_visit_event" in plan, plan
    assert "SCAN visit" not in plan
    assert "Seq Scan on visit" not in plan
