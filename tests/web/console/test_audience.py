"""The page of audiences: presets and filters in the address, counts with the page, for whom it is."""

from __future__ import annotations

import re

import pytest

from tests.web.console.house import House
from tests.web.console.members_guests import guest

ADDRESS = "/console/cafe/members/audience"


def _figures(text: str) -> list[int]:
    return [int(found) for found in re.findall(r"</dt><dd>(\d+)</dd>", text)]


@pytest.fixture
def visited(house: House) -> House:
    """The café has two guests."""
    with house.database.write() as tx:
        for name in ("Анна", "Boris"):
            guest(tx, house.cafe, name)
    return house


def test_a_marketer_sees_how_many_they_are_and_what_was_asked(visited: House) -> None:
    desk = visited.desk("marketer")
    page = desk.get(ADDRESS)
    assert _figures(page.text)[0] == 2
    assert "<script" not in page.text.partition("<main")[2]
    asleep = desk.get(f"{ADDRESS}?preset=asleep")
    assert _figures(asleep.text)[0] == 0
    assert re.search(r'preset=asleep" aria-current="true"', asleep.text)
    assert re.search(r'value="asleep" checked', asleep.text)
    never = desk.get(f"{ADDRESS}?filters=1&activity=never&activity=new&asleep_days=45&languages=ru")
    assert _figures(never.text)[0] == 2
    assert 'name="asleep_days" type="number" value="45"' in never.text
    assert ADDRESS in desk.get("/console/cafe/members").text


def test_an_audience_is_the_whole_brands_and_no_managers(visited: House) -> None:
    desk = visited.desk("manager")
    assert desk.get(ADDRESS).status_code == 403
    assert ADDRESS not in desk.get("/console/cafe/members").text


@pytest.mark.parametrize(
    ("asked", "field"),
    [("asleep_days=0", "asleep_days"), ("asleep_days=x", "asleep_days"), ("activity=often", "activity"),
     ("visited=none", "visited"), ("regular_from=9&regular_most=3", "regular_most")],
)  # fmt: skip
def test_what_makes_no_sense_is_said_beside_its_field(house: House, asked: str, field: str) -> None:
    page = house.desk("owner").get(f"{ADDRESS}?filters=1&{asked}")
    assert page.status_code == 422
    assert "This makes no sense here" in page.text
    assert f"{field}-fault" in page.text
    assert _figures(page.text) == []
