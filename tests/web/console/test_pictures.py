"""Every page of the console has its pictures in docs/screens; a new page is drawn before it is done."""

from __future__ import annotations

from pathlib import Path

from tests.pictures.console import names
from tests.pictures.shots import FILES, SHOTS, WITHOUT
from tests.web.console.house import House

SCREENS = Path(__file__).parents[3] / "docs" / "screens"


def test_every_page_is_in_the_pictures(house: House) -> None:
    pages = {
        route.endpoint.removeprefix("console.")
        for route in house.console.routes
        if route.method == "GET" and Path(route.rule).suffix not in FILES
    }
    assert len(pages) > 25
    assert pages - WITHOUT.keys() == {shot.endpoint for shot in SHOTS}


def test_every_picture_is_drawn_and_none_is_left_over() -> None:
    drawn = {path.stem for path in SCREENS.glob("console-*.png")}
    assert drawn == set(names()), "python -m tests.screens console"
