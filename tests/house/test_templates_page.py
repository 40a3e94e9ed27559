"""The page about templates lists every rule of the linter with its outcome, and no other; each has a test."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

from app.accounts.brands import NEEDED_TEXTS, OTHER_TEXTS
from app.passes.layout import GUEST_VALUES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| `([a-z0-9-]+)` \| (refuse|warn|inform|refuse or warn) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE
)
_OUTCOMES = {"refuse": {"refuse"}, "warn": {"warn"}, "inform": {"inform"}, "maybe": {"refuse", "warn"}}


def rules() -> dict[str, set[str]]:
    """Every code that the room of passes says, with what it may say."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "app" / "passes").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            code = node.args[0]
            if name in _OUTCOMES and isinstance(code, ast.Constant):
                found[str(code.value)] |= _OUTCOMES[name]
    return found


def test_every_rule_is_listed_with_its_outcome_and_source() -> None:
    listed = {code: set(outcome.split(" or ")) for code, outcome, _, _ in ROWS}
    assert len(listed) == len(ROWS) > 80
    assert listed == rules()


def test_every_rule_has_a_test_that_provokes_it() -> None:
    tests = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "passes").glob("test_*.py"))
    )
    assert [code for code in rules() if f'"{code}"' not in tests] == []


def test_every_placeholder_is_explained() -> None:
    assert [name for name in GUEST_VALUES if f"`{{{name}}}`" not in PAGE] == []
    assert [name for name in (*NEEDED_TEXTS, *OTHER_TEXTS) if f"`{name}`" not in PAGE] == []


def test_every_template_that_is_named_is_there() -> None:
    named = set(re.findall(r"^\| `pass_templates/([a-z_]+)`", PAGE, re.MULTILINE))
    there = {path.parent.name for path in (ROOT / "pass_templates").glob("*/layout.toml")}
    assert named == there
