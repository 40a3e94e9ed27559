"""Designs from the command line: drafted, taken away and brought back, published, rolled out."""

from __future__ import annotations

import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts import brands
from app.db import connect
from app.db.identifiers import WalletPassId
from app.passes.tables import wallet_pass
from tests.commands.conftest import Run
from tests.reports.google_settling import at_google, held

CLUB = ("pechka", "club")


@pytest.fixture(autouse=True)
def _chain(perkpass: Run, chain_file: Path) -> None:
    loaded = perkpass("chain", "load", chain_file)
    assert loaded.status == 0, loaded.err


def test_a_design_is_taken_away_changed_brought_back_and_published(perkpass: Run, tmp_path: Path) -> None:
    folder = tmp_path / "club"
    written = perkpass("design", "export", *CLUB, folder, "--json")
    assert written.json["of"] == "version 1"
    assert perkpass("template", "check", folder).status == 0
    assert perkpass("design", "import", *CLUB, folder, "--json").json["revision"] == 1
    same = perkpass("design", "draft", "publish", *CLUB, "--json")
    assert same.json["version"] == 1  # nothing was changed
    layout = folder / "layout.toml"
    layout.write_text(layout.read_text().replace("sharingProhibited = true", "sharingProhibited = false"))
    assert perkpass("design", "import", *CLUB, folder).status == 0
    assert perkpass("design", "draft", "check", *CLUB).out.endswith("it can be published\n")
    assert perkpass("design", "draft", "publish", *CLUB, "--json").json["version"] == 2
    assert perkpass("design", "export", *CLUB, tmp_path / "club.zip").status == 0
    with zipfile.ZipFile(tmp_path / "club.zip") as archive:
        assert archive.namelist()[0].endswith("/layout.toml")
    again = perkpass("design", "export", *CLUB, folder)
    assert again.status == 1
    assert "name a new folder" in again.err


def test_a_draft_is_begun_checked_and_discarded(perkpass: Run, tmp_path: Path) -> None:
    nothing = perkpass("design", "draft", "check", *CLUB)
    assert nothing.status == 1
    assert "begin one" in nothing.err
    begun = perkpass("design", "draft", "start", *CLUB, "--version", "1", "--json")
    assert begun.json["revision"] == 1
    assert "a draft already" in perkpass("design", "draft", "start", *CLUB).err
    perkpass("design", "export", *CLUB, tmp_path / "draft")
    for icon in (tmp_path / "draft").glob("icon*"):
        icon.unlink()
    perkpass("design", "import", *CLUB, tmp_path / "draft")
    checked = perkpass("design", "draft", "check", *CLUB, "--json")
    assert checked.status == 1
    assert checked.json[0]["code"] == "icon-missing"
    refused = perkpass("design", "draft", "publish", *CLUB)
    assert refused.status == 1
    assert "icon" in refused.err
    assert perkpass("design", "draft", "discard", *CLUB).status == 0
    assert perkpass("design", "draft", "start", *CLUB, "--version", "9").status == 1
    actions = [entry["action"] for entry in perkpass("audit", "list", "--json").json]
    assert actions[:2] == ["design.draft_discarded", "design.drafted"]


def test_a_draft_is_undone_laid_aside_and_taken_up_again(perkpass: Run, tmp_path: Path) -> None:
    perkpass("design", "draft", "start", *CLUB)
    assert "nothing before" in perkpass("design", "draft", "undo", *CLUB).err
    perkpass("design", "export", *CLUB, tmp_path / "draft")
    for icon in (tmp_path / "draft").glob("icon*"):
        icon.unlink()
    perkpass("design", "import", *CLUB, tmp_path / "draft")
    assert perkpass("design", "draft", "check", *CLUB).status == 1
    undone = perkpass("design", "draft", "undo", *CLUB, "--json")
    assert (undone.status, undone.json["revision"]) == (0, 3)
    assert perkpass("design", "draft", "check", *CLUB).status == 0
    assert perkpass("design", "draft", "undo", *CLUB, "--to", "2").status == 0
    assert perkpass("design", "draft", "check", *CLUB).status == 1
    steps = perkpass("design", "draft", "steps", *CLUB, "--json").json
    assert [each["revision"] for each in steps] == [4, 3, 2, 1]
    assert "No draft" in perkpass("design", "draft", "reopen", *CLUB).err
    laid_aside = perkpass("design", "draft", "discard", *CLUB, "--json").json["discarded"]
    assert perkpass("design", "draft", "reopen", *CLUB, "--json").json["draft"] == laid_aside


def test_a_test_card_has_an_address_and_is_in_no_number(perkpass: Run) -> None:
    perkpass("design", "draft", "start", *CLUB)
    made = perkpass("design", "draft", "test-card", *CLUB, "--json")
    assert made.status == 0, made.err
    assert made.json["address"].startswith("https://cards.example.com/i/-/test-card/")
    again = perkpass("design", "draft", "test-card", *CLUB, "--json").json
    assert again["serial_number"] == made.json["serial_number"]
    assert [each["cards"] for each in perkpass("design", "list", *CLUB, "--json").json] == [0]


def test_a_roll_out_is_begun_stopped_and_taken_back(perkpass: Run, tmp_path: Path, database_url: str) -> None:
    assert "no version before" in perkpass("design", "rollout", "start", *CLUB).err
    perkpass("design", "export", *CLUB, tmp_path / "club")
    layout = tmp_path / "club" / "layout.toml"
    layout.write_text(layout.read_text().replace("sharingProhibited = true", "sharingProhibited = false"))
    perkpass("design", "publish", *CLUB, tmp_path / "club")
    begun = perkpass("design", "rollout", "start", *CLUB, "--json")
    assert begun.status == 0, begun.err
    assert begun.json["next"] == ["stop", "back"]
    assert (begun.json["state"], begun.json["percent"], begun.json["version"]) == ("running", 1, 2)
    stopped = perkpass("design", "rollout", "stop", *CLUB, "--json").json
    assert (stopped["state"], stopped["next"]) == ("stopped", ["go-on", "back"])
    assert perkpass("design", "rollout", "go-on", *CLUB, "--json").json["state"] == "running"
    assert perkpass("design", "rollout", "back", *CLUB, "--json").json["state"] == "going_back"
    rolled = perkpass("design", "rollout", "state", *CLUB, "--json").json
    assert (rolled["before"], "cards_at_google" in rolled) == (1, False)
    link = perkpass("link", "list", "pechka", "--json").json[0]["url"].rpartition("/")[2]
    issued = perkpass("issue", link, "--output", tmp_path / "card.pkpass", "--consent", "--json")
    _at_google(database_url, issued.json["serial_number"])
    rolled = perkpass("design", "rollout", "state", *CLUB, "--json").json
    assert (rolled["cards_at_google"], rolled["google_takes_seconds"]) == (1, 1)
    withdrawn = [each["withdrawn_at"] for each in perkpass("design", "list", *CLUB, "--json").json]
    assert withdrawn[0] is None
    assert withdrawn[1] is not None


def _at_google(database_url: str, serial_number: str) -> None:
    """Google has this card."""
    with closing(connect(database_url)) as database:
        with database.read() as tx:
            asked = select(wallet_pass.c.id).where(wallet_pass.c.serial_number == serial_number)
            pass_id = WalletPassId(tx.execute(asked).scalar_one())
            brand_id = brands.brand_by_slug(tx, "pechka").id
        now = datetime.now(UTC)
        made = at_google(database, pass_id, brand_id, now=now)
        held(database, made, by_somebody=True, now=now)
