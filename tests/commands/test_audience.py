"""Audiences from the command line: presets, filters by name, a file of them, and how many that are."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands.conftest import Run


def test_whom_a_brand_can_speak_to_is_counted_by_name_and_by_file(
    perkpass: Run, chain_file: Path, tmp_path: Path
) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    link = perkpass("link", "list", "pechka", "--json").json[0]
    for name in ("Anna", "Boris"):
        made = perkpass(
            "issue", link["code"], "-o", tmp_path / f"{name}.pkpass", "--consent", "--name", name, "--json"
        )
        assert made.status == 0

    presets = perkpass("audience", "presets", "--json").json
    assert {"preset": "asleep", "filters": {"activity": ["asleep"]}} in presets
    asked = ("audience", "count", "pechka")
    everybody = perkpass(*asked, "--json").json
    assert (everybody["all"], everybody["neither"], everybody["filters"]) == (2, 2, {})
    assert perkpass(*asked, "--preset", "asleep", "--json").json["all"] == 0
    narrow = perkpass(
        *asked, "--activity", "never", "--home", link["venue"], "--wallet", "none", "--programme",
        link["programme"], "--json",
    ).json  # fmt: skip
    # Cards that this command made came by no visit of a link.
    assert perkpass(*asked, "--link", link["code"], "--json").json["all"] == 0
    assert narrow["all"] == 2
    assert narrow["filters"]["activity"] == ["never"]
    file = tmp_path / "filters.json"
    file.write_text(json.dumps(narrow["filters"]), encoding="utf-8")
    assert perkpass(*asked, "--filters", file, "--json").json == narrow
    assert "all:" in perkpass(*asked, "--filters", file, "--asleep-days", 7).out

    for wrong in (("--home", "nowhere"), ("--asleep-days", "0"), ("--link", "nothing")):
        refused = perkpass(*asked, *wrong)
        assert (refused.status, refused.out) == (1, "")
    file.write_text('{"mood": 1}', encoding="utf-8")
    assert "mood" in perkpass(*asked, "--filters", file).err
    file.write_text("{", encoding="utf-8")
    assert "not JSON" in perkpass(*asked, "--filters", file).err

    assert "Every habit" in perkpass("audience", "recount").out
