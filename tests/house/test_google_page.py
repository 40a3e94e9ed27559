"""docs/google.md names what there is, and claims no more than Google tells."""

from __future__ import annotations

import re

import click

from app.__main__ import cli
from app.delivery.google import RATE, estimate
from app.delivery.google_quota import MOST
from app.passes.google_addresses import CALLBACKS, IMAGES
from app.reports.google_words import SHOWN
from app.settings import PREFIX, Settings
from tests.house.test_layout import ROOT

PAGE = (ROOT / "docs" / "google.md").read_text(encoding="utf-8")


def test_its_commands_are_there() -> None:
    named = set(re.findall(r"perkpass ((?:[a-z-]+ )*[a-z-]+)", PAGE))
    assert len(named) > 4
    for words in named:
        command: click.Command = cli
        for word in words.split():
            if not isinstance(command, click.Group):
                break
            found = command.get_command(click.Context(command), word)
            assert found is not None, words
            command = found


def test_its_settings_and_addresses_are_there() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", PAGE)) <= known
    assert f"`{IMAGES}`" in PAGE
    assert f"`{CALLBACKS}`" in PAGE


def test_it_tells_the_states_that_people_are_shown_and_no_other_proof() -> None:
    for words in SHOWN.values():
        assert f"| {words} |" in PAGE
    assert "delivered" not in PAGE.lower()


def test_its_numbers_are_the_code_s() -> None:
    assert f"**{RATE:g} requests a second**" in PAGE
    assert MOST == 3
    assert 3 < estimate(120_000).total_seconds() / 3600 < 3.5
