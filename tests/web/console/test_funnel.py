"""The funnel's pages: what a manager reads, what a chain's table filters, and whom its files are for."""

from __future__ import annotations

import csv
import io
import random
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook

from app.places import links, placements, tallies, venues
from app.places.venues import VenueDraft
from tests.web.console.house import House
from tests.web.console.samples_funnel import come

ADDRESS = "/console/cafe/funnel"


@pytest.fixture
def chain(house: House) -> House:
    """Six venues, a month of guests; at the main one few enter the code, at the last hardly anybody came."""
    chance, shop, now = random.Random(3), house.cafe, house.clock()
    with house.database.write() as tx:
        for number in range(5):
            draft = VenueDraft(
                brand_id=shop.brand.id, slug=f"v{number}", name=f"Place {number}", address="1 St"
            )
            place = venues.create_venue(tx, draft, now=now, actor="t")
            link = links.create_link(
                tx, programme_id=shop.programme.id, venue_id=place.id, now=now, actor="t"
            )
            for back in (2, 9, 16, 20):
                come(tx, link.id, (now - timedelta(days=back)).date(), 60 if number < 4 else 2, chance, {})
        spot = placements.create_placement(
            tx, venue_id=shop.venue.id, kind="till", name="=1+1", now=now, actor="t"
        )
        link = links.create_link(
            tx,
            programme_id=shop.programme.id,
            venue_id=shop.venue.id,
            placement_id=spot.id,
            now=now,
            actor="t",
        )
        for back in (2, 9, 16, 20):
            come(tx, link.id, (now - timedelta(days=back)).date(), 110, chance, {"code": 0.3})
        tallies.mend(tx)
    return house


def test_a_manager_reads_where_the_venue_loses_guests_and_what_to_do(chain: House) -> None:
    page = chain.desk("manager").get(f"{ADDRESS}/main")
    assert page.status_code == 200
    assert "Look how text messages arrive here." in page.text
    assert "Loses guests at the code from the text message" in page.text
    assert "guests of Jun 17" in page.text  # a first receipt takes a week
    assert "style=" not in page.text
    assert page.text.count('role="img"') >= 7


def test_what_the_data_do_not_carry_is_not_said(chain: House) -> None:
    page = chain.desk("owner").get(f"{ADDRESS}/v4")
    assert "Cannot tell yet" in page.text
    assert "Loses guests" not in page.text


def test_a_venue_without_guests_says_what_to_do(house: House) -> None:
    page = house.desk("owner").get(f"{ADDRESS}/main")
    assert "Hang up the first code." in page.text
    assert "No guests yet" in page.text
    assert "Nobody came in these days" in house.desk("owner").get(ADDRESS).text


def test_the_table_compares_orders_and_filters(chain: House) -> None:
    desk = chain.desk("owner")
    table = desk.get(ADDRESS).text
    assert "loses at: Code" in table
    assert f"{ADDRESS}/v0" in table
    best = desk.get(f"{ADDRESS}?order=best").text
    places = [best.index(f'href="{ADDRESS}/{slug}"') for slug in ("v0", "main", "v4")]
    assert max(places) == places[2], "eight scans stand at the end of any order"
    assert places[0] < places[1]
    spots = desk.get(f"{ADDRESS}?by=placement&venue=main&where=till").text
    assert "Till =1+1" in spots
    assert "Nobody came" in desk.get(f"{ADDRESS}?where=door").text
    assert "Nobody came" in desk.get(f"{ADDRESS}?from=2026-01-01&to=2026-01-05").text
    for nonsense in (
        "from=2026-07-05&to=2026-07-01",
        "from=x&to=",
        "days=-3&by=?&order=1&where=person-x&venue=no",
    ):
        assert desk.get(f"{ADDRESS}?{nonsense}").status_code == 200


def test_a_manager_sees_venues_of_their_own_alone(chain: House) -> None:
    desk = chain.desk("manager")
    assert desk.get(ADDRESS).location.endswith("/funnel/main")
    table = desk.get(f"{ADDRESS}?by=venue").text
    assert "Place 0" not in table
    assert "loses at: Code" in table, "judged among all venues all the same"
    assert desk.get(f"{ADDRESS}/v0").status_code in (403, 404)
    assert "Place 0" not in desk.get(f"{ADDRESS}?by=link&venue=v0").text
    days = list(
        csv.DictReader(io.StringIO(desk.get(f"{ADDRESS}/file/days.csv?venue=v0").text.lstrip("\ufeff")))
    )
    assert {row["venue"] for row in days} == {chain.cafe.venue.name}


def test_files_hold_every_day_and_no_formula(chain: House) -> None:
    desk = chain.desk("marketer")
    answer = desk.get(f"{ADDRESS}/file/days.csv?days=28")
    assert answer.headers["Content-Disposition"].endswith('.csv"')
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert sum(int(row["scan"]) for row in rows) == 4 * (4 * 60 + 2 + 110)
    assert {row["placement"] for row in rows if row["placement_kind"] == "till"} == {"'=1+1"}
    book = CalamineWorkbook.from_filelike(io.BytesIO(desk.get(f"{ADDRESS}/file/days.xlsx?days=28").data))
    sheet = book.get_sheet_by_index(0).to_python()
    assert len(sheet) == len(rows) + 1
    assert sheet[0][:2] == ["Day", "Venue"]
    assert sum(int(str(row[6]).partition(".")[0]) for row in sheet[1:]) == 4 * (4 * 60 + 2 + 110)
    assert "=1+1" in {row[3] for row in sheet}


def test_a_cashier_reads_none_of_it(chain: House) -> None:
    desk = chain.desk("cashier")
    for below in ("", "/main", "/file/days.csv", "/file/days.xlsx"):
        assert desk.get(ADDRESS + below).status_code == 403
