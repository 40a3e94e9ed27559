"""``perkpass badge``: artwork goes to where web processes look for it."""

from __future__ import annotations

from pathlib import Path

from tests.commands.conftest import Run
from tests.web.test_badges import PICTURE


def test_artwork_is_added_and_listed_and_a_page_is_refused(perkpass: Run, tmp_path: Path) -> None:
    file = tmp_path / "badge.svg"
    file.write_bytes(PICTURE)
    listed = perkpass("badge", "list", "--json").json
    assert {one["state"] for one in listed} == {"missing: a plain button is shown"}
    added = perkpass("badge", "add", "apple", "ru", file, "--json")
    assert added.json["shown_at"] == "152 x 48"
    assert Path(added.json["file"]).read_bytes() == PICTURE
    perkpass("badge", "add", "apple", "ru", file, "--dark")
    states = {
        (one["wallet"], one["language"]): one["state"] for one in perkpass("badge", "list", "--json").json
    }
    assert states["apple", "ru"] == "used, with an outline in the dark"
    assert states["apple", "en"].startswith("missing")
    file.write_bytes(b"<html>")
    refused = perkpass("badge", "add", "apple", "en", file)
    assert refused.status == 1
    assert "no SVG picture" in refused.err
