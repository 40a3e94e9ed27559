"""The README says what is true: the first two commands, and every setting."""

from __future__ import annotations

import re
from pathlib import Path

from app.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_begins_with_the_two_commands() -> None:
    commands = re.findall(r"make [a-z]+", README)
    assert commands[:2] == ["make demo", "make test"]


def test_its_table_names_every_setting_and_no_other() -> None:
    named = set(re.findall(rf"^\| `{PREFIX}([A-Z_]+)` \|", README, flags=re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_its_table_repeats_the_words_of_the_code() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        row = next(line for line in README.splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}` |"))
        assert field.description in row.replace("\\|", "|")


def test_every_file_it_links_to_is_there() -> None:
    for target in re.findall(r"\]\(((?!https?://|#)[^)]+)\)", README):
        assert (ROOT / target.split("#")[0]).exists(), target


def test_every_make_target_it_names_is_there() -> None:
    targets = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    assert set(re.findall(r"`make ([a-z-]+)`", README)) <= targets
