"""Placing codes, planning, and taking back what was ended, by single commands."""

from __future__ import annotations

from pathlib import Path

from tests.commands.conftest import Run


def test_what_the_console_does_the_command_line_does(perkpass: Run, chain_file: Path) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    venue = perkpass("venue", "list", "pechka", "--json").json[0]["slug"]
    programme = perkpass("programme", "list", "pechka", "--json").json[0]["slug"]
    laid = perkpass("placement", "lay", "pechka", venue, "table", "81-83", "--programme", programme, "--json")
    assert [each["name"] for each in laid.json] == ["81", "82", "83"], laid.err
    assert len({each["url"] for each in laid.json}) == 3

    code = laid.json[0]["url"].rpartition("/")[2]
    assert perkpass("link", "retire", code, "--json").json["retired_at"]
    assert perkpass("link", "restore", code, "--json").json["retired_at"] is None

    person = perkpass("staff", "list", "pechka", "--json").json[0]["name"]
    assert perkpass("staff", "plan", "pechka", person, "40", "--json").json["monthly_target"] == 40
    assert "40" in perkpass("staff", "list", "pechka").out
    assert perkpass("staff", "plan", "pechka", person, "0").status != 0
    assert perkpass("staff", "leave", "pechka", person).status == 0
    assert perkpass("staff", "back", "pechka", person, "--json").json["left_at"] is None

    key = perkpass("key", "create", "pechka", venue, "bar", "--json").json["id"]
    assert perkpass("key", "revoke", key, "--json").json["expires_at"]
    assert perkpass("key", "restore", key, "--json").json["expires_at"] is None

    assert perkpass("venue", "close", "pechka", venue).status == 0
    assert perkpass("venue", "reopen", "pechka", venue, "--json").json["closed_at"] is None
