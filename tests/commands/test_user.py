"""``perkpass user``: the first one's link, roles, and the way back in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.commands.conftest import Run


def _brand(perkpass: Run, chain_file: Path) -> None:
    assert perkpass("chain", "load", chain_file).status == 0


def test_an_invitation_names_the_console_and_is_shown_once(perkpass: Run, chain_file: Path) -> None:
    _brand(perkpass, chain_file)
    made = perkpass("user", "invite", "--json")
    assert made.json["link"].startswith("https://cards.example.com/console/invited/")
    assert made.json["role"] == "operator"
    assert "once" in made.err
    manager = perkpass("user", "invite", "--brand", "pechka", "--role", "manager", "--json")
    assert manager.status == 1
    assert "venues" in manager.err
    venue = perkpass("venue", "list", "pechka", "--json").json[0]["slug"]
    manager = perkpass("user", "invite", "--brand", "pechka", "--role", "manager", "--venue", venue, "--json")
    assert manager.json["role"] == "manager"
    assert perkpass("user", "invite", "--role", "owner").status != 0
    assert perkpass("user", "list").out.startswith("Nobody signs in yet")
    log = perkpass("audit", "list").out
    assert manager.json["link"].rpartition("/")[2] not in log
    assert "invitation.made" in log


def test_nobody_is_told_by_name_where_they_are_not(perkpass: Run) -> None:
    for command in (
        ("password-link", "anna@example.com"), ("sign-out", "anna@example.com"),
        ("operator", "anna@example.com"), ("remove", "anna@example.com", "pechka"),
    ):  # fmt: skip
        refused = perkpass("user", *command)
        assert refused.status == 1
        assert "perkpass user list" in refused.err


def test_who_starts_an_empty_installation_is_shown_the_way_in(
    perkpass: Run, database_url: str, data_dir: Path
) -> None:
    """In a process of its own, as `perkpass run` and `perkpass web` do it before they serve."""
    environment = {
        **os.environ, "PERKPASS_DATABASE_URL": database_url, "PERKPASS_DATA_DIR": str(data_dir),
        "PERKPASS_PUBLIC_URL": "https://cards.example.com",
    }  # fmt: skip
    said = subprocess.run(
        [sys.executable, "-m", "app.commands.schema_check"], env=environment, capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
    assert "https://cards.example.com/console/invited/" in said
