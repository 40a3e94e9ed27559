"""Campaigns from the command line: listed, shown, sent, paused, resumed, cancelled; never another brand's."""

from __future__ import annotations

from pathlib import Path

from app.accounts import brands
from app.campaigns import lifecycle
from app.commands.shell import opened
from tests.campaigns.guests import plan
from tests.commands.conftest import Run


def test_a_campaign_is_sent_and_stopped_from_a_shell(perkpass: Run, chain_file: Path) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    assert "no campaigns" in perkpass("campaign", "list", "pechka").out
    with opened() as shell, shell.database.write() as tx:
        brand_id = brands.brand_by_slug(tx, "pechka").id
        number = lifecycle.create(tx, brand_id, "Half", plan(), now=shell.now, actor="test")
    (listed,) = perkpass("campaign", "list", "pechka", "--json").json
    assert (listed["number"], listed["state"]) == (number, "draft")
    assert perkpass("campaign", "pause", "pechka", number).status == 1
    for deed, state in (
        ("send", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
    ):
        assert perkpass("campaign", deed, "pechka", number).out == f"Half: {state}\n"
    shown = perkpass("campaign", "show", "pechka", number, "--json").json
    assert (shown["state"], shown["guests"], shown["plan"]["days"]) == ("cancelled", {}, 14)
    assert "Half" in perkpass("campaign", "show", "pechka", number).out
    assert perkpass("campaign", "show", "zerno", number).status == 1
