"""Visits: steps are written once, whoever writes them again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from app.accounts.tables import brand
from app.db import Database, Tx
from app.db.identifiers import BrandId, InstallLinkId, VisitId
from app.errors import NotFound
from app.loyalty.tables import programme
from app.places import visits
from app.places.tables import install_link, placement, venue

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def brand_with_links(tx: Tx, slug: str, *, time_zone: str = "UTC") -> tuple[BrandId, list[InstallLinkId]]:
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
        add(venue, brand_id=brand_id, slug=f"v{n}", name=f"V{n}", address="", time_zone=time_zone)
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
        _, (link, *_) = brand_with_links(tx, "a")
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
        _, (link, *_) = brand_with_links(tx, "a")
        visit_id = _visit(tx, link, "scan")
        assert visits.is_enrolled(tx, visit_id) is False
        assert visits.claim_form(tx, visit_id, "mine") is True
        assert visits.claim_form(tx, visit_id, "mine") is True
        assert visits.claim_form(tx, visit_id, "a friend's") is False
        assert visits.is_enrolled(tx, visit_id) is True
        assert visits.claim_form(tx, visits.new_visit_id(), "nobody's") is False


def test_of_forms_sent_at_once_one_claims_the_visit(database: Database) -> None:
    with database.write() as tx:
        _, (link, *_) = brand_with_links(tx, "a")
        visit_id = _visit(tx, link, "scan")

    def claim(mark: int) -> bool:
        with database.write() as tx:
            return visits.claim_form(tx, visit_id, str(mark))

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(claim, range(8))) == 1
