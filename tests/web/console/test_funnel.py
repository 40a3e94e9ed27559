"""The funnel's pages: what a manager reads, what a chain's table filters, and whom its files are for."""

from __future__ import annotations

import csv
import io
import random
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import ColumnElement, func, select

from app.db.identifiers import InstallLinkId
from app.errors import BadInput
from app.places import links, placements, tallies, venues
from app.places.funnel_counts import Period
from app.places.tables import install_link, visit_event
from app.places.venues import VenueDraft
from app.reports import funnel_export
from app.reports.funnel_table import Filters
from app.web.console.funnel_filters import ROWS
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


def test_what_surely_fell_is_not_called_chance(house: House) -> None:
    """A red step, and the advice beside it, say the same: of as many scans fewer sent the form."""
    chance, shop, now = random.Random(5), house.cafe, house.clock()
    with house.database.write() as tx:
        link = links.create_link(
            tx, programme_id=shop.programme.id, venue_id=shop.venue.id, now=now, actor="t"
        )
        for back, form in ((9, 0.8), (2, 0.4)):
            come(tx, link.id, (now - timedelta(days=back)).date(), 110, chance, {"form": form})
        tallies.mend(tx)
    page = house.desk("manager").get(f"{ADDRESS}/main").text
    assert 'class="change wrong"' in page
    assert "Surely more guests are lost at the form." in page
    assert "could not be chance." not in page.partition("How far guests came")[0]


def _today(page: str) -> list[int]:
    """The numbers of the line about the day that is not over."""
    line = re.search(r'<p class="funnel-today">.*?<span>(.*?)</span>', page, re.DOTALL)
    assert line, page
    return [int(number) for number in re.findall(r"\d+", line[1])]


def test_today_is_told_by_now_and_is_a_recount_of_its_events(chain: House) -> None:
    chance, today, desk = random.Random(4), chain.clock().date(), chain.desk("owner")
    steps = ("scan", "page", "form", "code", "added")

    def recount(*where: ColumnElement[bool]) -> list[int]:
        told = select(visit_event.c.kind, func.count().label("n")).where(visit_event.c.day == today, *where)
        joined = told.join(install_link, install_link.c.id == visit_event.c.install_link_id)
        with chain.database.read() as tx:
            found = {row.kind: row.n for row in tx.execute(joined.group_by(visit_event.c.kind))}
        return [found.get(kind, 0) for kind in steps]

    full_days = desk.get(f"{ADDRESS}/main").text
    assert "nobody yet" in full_days
    with chain.database.write() as tx:
        ids = tx.scalars(
            select(install_link.c.id).where(install_link.c.brand_id == chain.cafe.brand.id)
        ).all()
        for link in ids:
            come(tx, InstallLinkId(link), today, chance.randrange(9), chance, {})
        come(tx, InstallLinkId(ids[-1]), today, 5, chance, {})
        tallies.mend(tx)
    main = install_link.c.venue_id == chain.cafe.venue.id
    assert _today(desk.get(f"{ADDRESS}/main").text) == recount(main)
    assert _today(desk.get(ADDRESS).text) == recount()
    assert recount() != recount(main) != [0] * 5
    with chain.database.write() as tx:
        while tallies.fold(tx, limit=3):
            pass
    told = desk.get(f"{ADDRESS}/main").text
    assert _today(told) == recount(main)
    steps_of = re.compile(r'<ol class="funnel-steps">.*?</ol>', re.DOTALL)
    assert steps_of.findall(told) == steps_of.findall(full_days) != [], "today stands among no full day"


def test_on_the_first_day_guests_are_not_told_to_be_missing(house: House) -> None:
    with house.database.write() as tx:
        come(tx, house.cafe.link.id, house.clock().date(), 3, random.Random(1), {})
        tallies.mend(tx)
    page = house.desk("owner").get(f"{ADDRESS}/main").text
    assert _today(page)[0] == 3
    assert "The first guests are here." in page
    assert "No guests yet" not in page
    assert "Hang up the first code" not in page
    whole = house.desk("owner").get(ADDRESS).text
    assert "The first guests are here." in whole
    assert "Nobody came" not in whole
    past = house.desk("owner").get(f"{ADDRESS}?from=2026-01-01&to=2026-01-05").text
    assert "Nobody came" in past


def test_a_long_table_comes_in_parts(chain: House) -> None:
    shop, chance, day = chain.cafe, random.Random(2), chain.clock().date() - timedelta(days=2)
    with chain.database.write() as tx:
        for _ in range(ROWS):
            made = links.create_link(
                tx, programme_id=shop.programme.id, venue_id=shop.venue.id, now=chain.clock(), actor="t"
            )
            come(tx, made.id, day, 1, chance, {})
        tallies.mend(tx)
    desk = chain.desk("owner")
    first = desk.get(f"{ADDRESS}?by=link").text
    second = desk.get(unescape(re.findall(r'rel="next" href="([^"]+)"', first)[0])).text
    rows = [page.count('<th scope="row">') for page in (first, second)]
    assert rows == [ROWS, 6]
    assert f"1–{ROWS} of {ROWS + 6}" in first
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second
    for nonsense in ("0", "-1", "999", "x"):
        assert '<th scope="row">' in desk.get(f"{ADDRESS}?by=link&page={nonsense}").text


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
    over_a_years_end = desk.get(f"{ADDRESS}?from=2025-12-30&to=2026-01-05").text
    assert "Dec 30, 2025\u2009–\u2009Jan 5, 2026" in unescape(over_a_years_end)
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


def test_a_sheet_that_would_be_too_long_is_refused_before_it_is_written(chain: House) -> None:
    brand, today = chain.cafe.brand, chain.clock().date()
    filters = Filters(period=Period(first=today - timedelta(days=28), last=today))
    with chain.database.read() as tx:
        count = len(list(funnel_export.rows(tx, brand, filters)))
        funnel_export.fits_a_sheet(tx, brand, filters, most=count)
        with pytest.raises(BadInput, match="fewer days"):
            funnel_export.fits_a_sheet(tx, brand, filters, most=count - 1)


def _told_today(page: str) -> str:
    """What the line of the day that is not over counts."""
    line = re.search(r'<p class="funnel-today">.*?</p>', page, re.S)
    assert line
    return re.sub(r"<[^>]+>", "", line[0]).split("The day")[0]


def test_today_is_each_venues_own(house: House) -> None:
    shop, chance, zone = house.cafe, random.Random(1), "Asia/Kamchatka"
    evening = datetime.combine(house.clock().date(), datetime.min.time(), UTC) + timedelta(days=1, hours=19)
    house.clock.forward(evening - house.clock())
    here, there = (evening.astimezone(ZoneInfo(name)).date() for name in (shop.brand.time_zone, zone))
    assert here < there, "a test of nothing"
    with house.database.write() as tx:
        draft = VenueDraft(brand_id=shop.brand.id, slug="kam", name="Kam", address="1 St", time_zone=zone)
        far = venues.create_venue(tx, draft, now=evening, actor="t")
        link = links.create_link(tx, programme_id=shop.programme.id, venue_id=far.id, now=evening, actor="t")
        come(tx, link.id, here, 40, chance, {})  # a day that is over there
        come(tx, link.id, there, 3, chance, dict.fromkeys(("page", "form", "code", "added"), 1.0))
        come(tx, shop.link.id, here, 5, chance, dict.fromkeys(("page", "form", "code", "added"), 1.0))
        tallies.mend(tx)
    desk = house.desk()
    alone = _told_today(desk.get(f"{ADDRESS}/kam").text)
    assert re.findall(r"\d+", alone)[0] == "3"
    whole = _told_today(desk.get(f"{ADDRESS}?venue=kam").text)
    assert whole.replace(" · Code\N{NO-BREAK SPACE}3", "") == alone.replace(" · Code\N{NO-BREAK SPACE}3", "")
    assert re.findall(r"\d+", _told_today(desk.get(f"{ADDRESS}?days=7").text))[0] == "8"


@pytest.mark.parametrize("folded", [True, False])
def test_a_venue_with_a_past_is_not_told_of_its_first_guests(house: House, folded: bool) -> None:
    today, chance = house.clock().date(), random.Random(1)
    with house.database.write() as tx:
        come(tx, house.cafe.link.id, today - timedelta(days=20), 9, chance, {})
        tallies.mend(tx)
        while folded and tallies.fold(tx):
            pass
    desk = house.desk()
    assert "Hang up the first code." not in desk.get(f"{ADDRESS}/main").text
    with house.database.write() as tx:
        come(tx, house.cafe.link.id, today, 1, chance, {})
        tallies.mend(tx)
    assert "The first guests are here." not in desk.get(f"{ADDRESS}/main").text
