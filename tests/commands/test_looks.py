"""What a card shows of its programme's rules: published with the design, from the command line."""

from __future__ import annotations

from pathlib import Path

from app.accounts import brands
from app.db import Database
from app.loyalty import programmes
from app.passes import designs
from app.passes.layout import Design
from app.settings import load
from tests.commands.conftest import Run


def _newest(database: Database, brand: str, programme: str) -> Design:
    with database.read() as tx:
        owner = brands.brand_by_slug(tx, brand)
        return designs.newest(tx, programmes.programme_by_slug(tx, owner.id, programme).id)


def test_a_chain_publishes_its_stamps_its_tiers_and_its_points(
    perkpass: Run, chain_file: Path, database: Database
) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    cups = _newest(database, "zerno", "cups")
    assert (cups.template, cups.layout.for_reward) == ("stamp_card", 6)
    assert {path for path in cups.files if path.endswith("/strip@3x.png")} == {
        f"stamps/{number}/strip@3x.png" for number in range(7)
    }
    club = _newest(database, "pechka", "club")
    assert [(tier.name.en, tier.folder) for tier in club.layout.tiers] == [
        ("Guest", "tiers/1/"), ("Friend", "tiers/2/"), ("Family", "tiers/3/"),
    ]  # fmt: skip
    assert club.layout.for_reward is None
    bonus = _newest(database, "zerno", "bonus")
    assert (bonus.template, bonus.layout.tiers, bonus.layout.for_reward) == ("bonus_card", (), None)
    for design in (cups, club, bonus):
        assert designs.warnings(design) == []


def test_another_number_of_stamps_is_another_version(
    perkpass: Run, chain_file: Path, database: Database
) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    text = chain_file.read_text("utf-8")
    assert perkpass("chain", "load", chain_file).status == 0
    assert _newest(database, "zerno", "cups").version == 1
    chain_file.write_text(text.replace("for_reward = 6 ", "for_reward = 8 "), "utf-8")
    assert perkpass("chain", "load", chain_file).status == 0
    cups = _newest(database, "zerno", "cups")
    assert (cups.version, cups.layout.for_reward) == (2, 8)
    assert "stamps/8/strip.png" in cups.files


def test_a_check_tells_what_is_too_new_for_the_phones_that_are_named(perkpass: Run) -> None:
    folder = load().templates_dir / "bonus_card"
    told = perkpass("template", "check", folder, "--json")
    assert told.status == 0
    assert [(each["severity"], each["code"], each["where"]) for each in told.json] == [
        ("inform", "newer-key", "featuredActions")
    ]
    assert perkpass("template", "check", folder, "--ios", "27", "--json").json == []
    assert (
        perkpass("template", "check", folder, "--ios", "27").out.strip().endswith("cards can be made from it")
    )
