"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
SOURCES = sorted(path for path in APP.rglob("*.py") if "migrations" not in path.parts)
_VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
_SQL = {"select", "insert", "update", "delete", "text", "exists", "union_all"}
_MAY_HOLD_SQL = re.compile(
    r"(^|/)(store[a-z_]*|[a-z_]*tables|queue|schema|upsert|engine|columns)\.py$|^db/|^reports/"
)


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return [ROOT / name for name in listed]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(APP)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{path} has no docstring"
    assert path.stem not in _VAGUE, f"{path}: name what it does"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(APP)))
def test_sql_lives_in_stores(path: Path) -> None:
    if _MAY_HOLD_SQL.search(str(path.relative_to(APP))):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy":
            names = {alias.name for alias in node.names} & _SQL
            assert not names, f"{path}: {names} belong into a store"


def test_no_file_grows_beyond_what_a_head_holds() -> None:
    large = {
        str(path.relative_to(ROOT)): lines
        for path in SOURCES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert not large, f"one purpose each: {large}"


def test_the_floors_of_the_house_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_key_material_is_in_the_repository() -> None:
    for path in _tracked("."):
        if path.is_file() and path.suffix not in {".png", ".mo"}:
            content = path.read_bytes()
            assert not re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/]{20}", content), path


def test_lock_files_hold_hashes_and_no_index_address() -> None:
    for path in _tracked("requirements*.lock"):
        content = path.read_text(encoding="utf-8")
        assert "--hash=sha256:" in content
        assert "http://" not in content
        assert "https://" not in content
