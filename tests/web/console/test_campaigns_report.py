"""A campaign's report: verdicts in words with their interval, never a bare number; files; for whom it is."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from app.campaigns import lifecycle
from app.campaigns.plan import Plan
from tests.web.console import report_stage
from tests.web.console.house import House
from tests.web.console.members_guests import guest
from tests.web.guests import NOW


@pytest.fixture
def address(house: House) -> str:
    with house.database.write() as tx:
        for name in ("Анна", "=Boris"):
            guest(tx, house.cafe, name)
        made = report_stage.measured(tx, house.cafe.brand.id, now=NOW + timedelta(days=5))
    return f"/console/cafe/campaigns/{made}/report"


def test_verdicts_are_told_with_their_intervals_and_every_guest_is_in_the_table(
    house: House, address: str
) -> None:
    page = house.desk("marketer").get(address)
    assert page.status_code == 200
    told = re.sub(r"<[^>]+>", " ", page.text)
    assert re.search(r"Кофе за полцены\s+It earned", told)
    assert re.search(r"from \+RUB[\s\d.,]+ to \+RUB[\s\d.,]+ a guest, that is \+RUB", told)
    assert re.search(r"Пирог в подарок\s+Cannot tell yet", told)
    assert "2 guests in the audience: 2 held back before anybody was chosen, 0 assigned" in told
    assert "Day 5 of 14; the next on" in told
    assert page.text.count('class="report-chart"') == 2
    assert re.search(r"Cards removed\s*within 72 hours\s+21", told)


def test_files_hold_every_guest_and_nothing_that_computes(house: House, address: str) -> None:
    desk = house.desk("owner")
    lines = list(csv.DictReader(io.StringIO(desk.get(f"{address}.csv").data.decode("utf-8-sig"))))
    assert [line["name"] for line in lines] == ["Анна", "'=Boris"]
    assert {line["because"] for line in lines} == {"no_consent"}
    sheet = desk.get(f"{address}.xlsx")
    assert sheet.data[:2] == b"PK"


def test_nobody_else_reads_it_and_a_draft_has_none(house: House, address: str) -> None:
    assert house.desk("manager").get(address).status_code == 403
    assert house.desk("owner", "bakery").get(address.replace("cafe", "bakery")).status_code == 404
    with house.database.write() as tx:
        draft = lifecycle.create(
            tx, house.cafe.brand.id, "Draft", Plan(arms=report_stage.ARMS), now=NOW, actor="test"
        )
    assert house.desk("owner").get(f"/console/cafe/campaigns/{draft}/report").status_code == 303
