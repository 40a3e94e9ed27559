"""Venues, placements and install links stay within their brand."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import insert

from app.accounts import staff
from app.accounts.brands import Brand
from app.db import Database, Tx
from app.db.identifiers import PlacementId, ProgrammeId
from app.errors import BadInput, Conflict, NotFound
from app.loyalty.tables import programme as programme_table
from app.places import endings, links, placements, venues
from tests.accounts.world import NOW, a_brand, a_venue, a_venue_draft


def _a_programme(tx: Tx, brand: Brand) -> ProgrammeId:
    row = tx.execute(
        insert(programme_table)
        .values(brand_id=brand.id, slug="club", kind="bonus", name="Club", rules={}, created_at=NOW)
        .returning(programme_table.c.id)
    )
    return ProgrammeId(row.scalar_one())


def test_a_venue_takes_its_brands_time_zone(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        made = a_venue(tx, brand)
        assert made.time_zone == "Europe/Moscow"
        far = venues.create_venue(
            tx, replace(a_venue_draft(brand, "far"), time_zone="Asia/Vladivostok"), now=NOW, actor="t"
        )
        assert far.time_zone == "Asia/Vladivostok"
        assert venues.venue_by_slug(tx, brand.id, "pier") == made == venues.venue(tx, made.id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"latitude": 91.0}, "latitude"),
        ({"latitude": float("nan")}, "latitude"),
        ({"longitude": -180.5}, "longitude"),
        ({"longitude": None}, "longitude"),
        ({"latitude": 0.0, "longitude": 0.0}, "latitude"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"address": " "}, "address"),
        ({"name": ""}, "name"),
        ({"slug": "Pier 1"}, "slug"),
        ({"relevant_text_en": "x" * 200}, "relevant_text_en"),
    ],
)
def test_wrong_words_about_a_venue_are_refused(
    database: Database, changes: dict[str, object], field: str
) -> None:
    with database.write() as tx:
        draft = replace(a_venue_draft(a_brand(tx)), **changes)  # type: ignore[arg-type]
        with pytest.raises(BadInput) as refused:
            venues.create_venue(tx, draft, now=NOW, actor="t")
    assert refused.value.field == field


def test_a_venue_changes_where_it_differs_and_keeps_its_slug(database: Database) -> None:
    with database.write() as tx:
        brand, other = a_brand(tx), a_brand(tx, "other")
        made = a_venue(tx, brand)
        assert venues.update_venue(tx, made.id, made.draft(), now=NOW, actor="t") == made
        moved = venues.update_venue(
            tx, made.id, replace(made.draft(), address="Набережная, 2"), now=NOW, actor="t"
        )
        assert moved.address == "Набережная, 2"
        with pytest.raises(Conflict):
            venues.update_venue(tx, made.id, replace(made.draft(), slug="x"), now=NOW, actor="t")
        with pytest.raises(BadInput):
            venues.update_venue(tx, made.id, replace(made.draft(), brand_id=other.id), now=NOW, actor="t")
        with pytest.raises(Conflict):
            a_venue(tx, brand)
        assert a_venue(tx, other).brand_id == other.id


def test_a_closed_venue_keeps_its_place_in_history_only(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        programme = _a_programme(tx, brand)
        open_one, closed = a_venue(tx, brand, "a"), a_venue(tx, brand, "b")
        endings.close_venue(tx, closed.id, now=NOW, actor="t")
        assert endings.close_venue(tx, closed.id, now=NOW, actor="t").venue.closed_at == NOW
        assert [v.id for v in venues.open_venues(tx, brand.id)] == [open_one.id]
        assert len(venues.all_venues(tx, brand.id)) == 2
        with pytest.raises(Conflict):
            links.create_link(tx, programme_id=programme, venue_id=closed.id, now=NOW, actor="t")


def test_a_placement_is_once_in_its_venue(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        venue, second = a_venue(tx, brand), a_venue(tx, brand, "second")
        seven = placements.create_placement(tx, venue_id=venue.id, kind="table", name="7", now=NOW, actor="t")
        assert (seven.brand_id, seven.kind, seven.name) == (brand.id, "table", "7")
        with pytest.raises(Conflict):
            placements.create_placement(tx, venue_id=venue.id, kind="table", name="7", now=NOW, actor="t")
        with pytest.raises(BadInput, match="poster"):
            placements.create_placement(tx, venue_id=venue.id, kind="ceiling", name="7", now=NOW, actor="t")
        placements.create_placement(tx, venue_id=second.id, kind="table", name="7", now=NOW, actor="t")
        assert placements.find(tx, venue.id, "table", "7") == seven
        assert [p.venue_id for p in placements.placements_of_brand(tx, brand.id)] == [venue.id, second.id]
        assert placements.placements_of_venue(tx, venue.id) == [seven]
        with pytest.raises(NotFound):
            placements.find(tx, venue.id, "till", "7")


def test_a_link_is_found_by_its_code_however_it_is_typed(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        venue = a_venue(tx, brand)
        programme = _a_programme(tx, brand)
        made = links.create_link(tx, programme_id=programme, venue_id=venue.id, now=NOW, actor="t")
        assert re.fullmatch(r"[2-9b-df-hj-km-np-tv-xz]{8}", made.code)
        assert links.link_by_code(tx, f" {made.code.upper()} ") == made
        with pytest.raises(NotFound):
            links.link_by_code(tx, "nothing0")


def test_a_retired_link_is_still_found(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        venue = a_venue(tx, brand)
        programme = _a_programme(tx, brand)
        made = links.create_link(tx, programme_id=programme, venue_id=venue.id, now=NOW, actor="t")
        links.retire_link(tx, made.id, now=NOW, actor="t")
        again = links.retire_link(tx, made.id, now=NOW.replace(year=2027), actor="t")
        assert again == links.link_by_code(tx, made.code)
        assert again.retired_at == NOW


def test_a_link_joins_nothing_across_brands_or_venues(database: Database) -> None:
    with database.write() as tx:
        ours, theirs = a_brand(tx), a_brand(tx, "other")
        venue, second, foreign = a_venue(tx, ours), a_venue(tx, ours, "hill"), a_venue(tx, theirs)
        programme, foreign_programme = _a_programme(tx, ours), _a_programme(tx, theirs)
        table = placements.create_placement(tx, venue_id=venue.id, kind="table", name="1", now=NOW, actor="t")
        foreign_table = placements.create_placement(
            tx, venue_id=foreign.id, kind="table", name="1", now=NOW, actor="t"
        )
        anna = staff.create_staff_member(
            tx, brand_id=ours.id, venue_id=venue.id, name="Анна", now=NOW, actor="t"
        )
        boris = staff.create_staff_member(
            tx, brand_id=theirs.id, venue_id=None, name="Борис", now=NOW, actor="t"
        )
        good = links.create_link(
            tx, programme_id=programme, venue_id=venue.id, placement_id=table.id, now=NOW, actor="t"
        )
        for field, wrong in (
            ("programme_id", {"programme_id": foreign_programme, "venue_id": venue.id}),
            ("programme_id", {"programme_id": ProgrammeId(999), "venue_id": venue.id}),
            ("placement_id", {"programme_id": programme, "venue_id": second.id, "placement_id": table.id}),
            (
                "placement_id",
                {"programme_id": programme, "venue_id": venue.id, "placement_id": foreign_table.id},
            ),
            (
                "staff_member_id",
                {"programme_id": programme, "venue_id": second.id, "staff_member_id": anna.id},
            ),
            (
                "staff_member_id",
                {"programme_id": programme, "venue_id": venue.id, "staff_member_id": boris.id},
            ),
            (
                "placement_id",
                {
                    "programme_id": programme,
                    "venue_id": venue.id,
                    "placement_id": table.id,
                    "staff_member_id": anna.id,
                },
            ),
        ):
            with pytest.raises(BadInput) as refused:
                links.create_link(tx, **wrong, now=NOW, actor="t")  # type: ignore[arg-type]
            assert refused.value.field == field
        with pytest.raises(NotFound):
            links.create_link(
                tx,
                programme_id=programme,
                venue_id=venue.id,
                placement_id=PlacementId(999),
                now=NOW,
                actor="t",
            )
        assert links.links_of_brand(tx, ours.id) == [good]
        assert links.links_of_brand(tx, theirs.id) == []
