"""docs/posters.md says what the sizes are."""

from __future__ import annotations

import re
from pathlib import Path

from app.posters import sizes
from app.posters.drawing import code
from app.posters.sizes import SHEETS, SIZES

PAGE = (Path(__file__).parents[2] / "docs" / "posters.md").read_text(encoding="utf-8")


def test_the_page_has_a_row_for_every_size_with_its_measures() -> None:
    row = r"^\| `(\w+)` \| (\d+) × (\d+) mm \| (\d+) mm \| [^|]+ \| (\d+) cm \|$"
    rows = re.findall(row, PAGE, re.MULTILINE)
    (address,) = set(re.findall(r"as long as `([^`]+)`", PAGE))
    modules = len(code(address).matrix)
    assert [
        (name, float(width), float(height), float(bleed), int(distance))
        for name, width, height, bleed, distance in rows
    ] == [
        (size, SHEETS[size].width, SHEETS[size].height, SHEETS[size].bleed,
         int(sizes.reading_distance(size, modules) / 10))
        for size in SIZES
    ]  # fmt: skip
