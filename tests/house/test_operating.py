"""The page for whoever is on call knows every alarm."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
SOURCES = {
    file: file.read_text(encoding="utf-8")
    for file in (ROOT / "app").rglob("*.py")
    if "simulators" not in file.parts
}
NAMES = re.compile(r"`((?:perkpass_)?[a-z]+(?:_[a-z]+)+)`")


def test_every_error_of_the_log_is_explained() -> None:
    alarms = {
        event
        for source in SOURCES.values()
        for event in re.findall(r'\blog\.(?:error|exception|critical)\(\s*"(\w+)"', source)
    }
    assert len(alarms) > 15
    assert sorted(alarms - set(NAMES.findall(PAGE))) == []


def test_nothing_is_explained_that_is_never_said() -> None:
    everything = "\n".join(SOURCES.values())
    known = {"default_transaction_read_only"}  # a setting of PostgreSQL
    said = {name.removesuffix("_total") for name in NAMES.findall(PAGE)} - known
    assert sorted(name for name in said if f'"{name}"' not in everything) == []
