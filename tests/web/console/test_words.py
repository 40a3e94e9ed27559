"""The console's catalogues: whole, true to one another, and compiled as they are written."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from app.web.language import TRANSLATIONS

WEB = TRANSLATIONS.parent
RUSSIAN = TRANSLATIONS / "ru" / "LC_MESSAGES"
CATALOGUES = sorted(path.stem for path in RUSSIAN.glob("console_*.po"))
_NAMES = re.compile(r"%\((\w+)\)s")
_LEFT_OUT = ("pass object", "serial", "APNs")
"""Never said to owners and marketers, outside of the pages about certificates and health."""
_TECHNICAL = ("certificate", "health", "doctor")


@cache
def _catalogue(name: str) -> Catalog:
    with (RUSSIAN / f"{name}.po").open("rb") as file:
        return read_po(file, locale="ru")


def _forms(words: object) -> tuple[str, ...]:
    return tuple(words) if isinstance(words, (list, tuple)) else (str(words),)


@cache
def _said() -> dict[tuple[str, ...], str]:
    """Every text of the console, and the first file that says it."""
    with (WEB / "babel-console.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
    found: dict[tuple[str, ...], str] = {}
    for name, _line, words, _comments, _context in extract_from_dir(WEB, methods, options, keywords):
        found.setdefault(_forms(words), name)
    # Rooms below the web say whole sentences, which the console translates by their templates.
    for path in sorted(WEB.parent.rglob("*.py")):
        if "app.sentences import" in path.read_text(encoding="utf-8"):
            for _line, words, _comments, _context in extract_from_file("python", path, {"say": None}):
                found.setdefault(_forms(words), str(path.relative_to(WEB.parent)))
    return found


@cache
def _translated() -> set[tuple[str, ...]]:
    return {_forms(m.id) for name in CATALOGUES for m in _catalogue(name) if m.id}


def test_every_text_is_translated() -> None:
    missing = {words: name for words, name in _said().items() if words not in _translated()}
    assert missing == {}


def test_no_translation_is_left_over() -> None:
    left = {
        name: [m.id for m in _catalogue(name) if m.id and _forms(m.id) not in _said()] for name in CATALOGUES
    }
    assert {name: ids for name, ids in left.items() if ids} == {}


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_catalogue_is_whole(name: str) -> None:
    guests = _catalogue("messages")
    catalogue = _catalogue(name)
    assert catalogue.plural_forms == guests.plural_forms
    for message in catalogue:
        if not message.id:
            continue
        forms = _forms(message.string)
        assert len(forms) == (3 if message.pluralizable else 1), message.id
        assert all(forms), message.id
        assert not message.fuzzy, message.id
        assert not list(message.check(catalogue)), message.id
        names = set(_NAMES.findall(_forms(message.id)[-1]))
        assert all(set(_NAMES.findall(form)) <= names for form in forms), message.id
        if not any(word in name for word in _TECHNICAL):
            assert not any(word in form for form in forms for word in _LEFT_OUT), message.id


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_compiled_catalogue_is_the_written_one(name: str) -> None:
    with (RUSSIAN / f"{name}.mo").open("rb") as file:
        compiled = {_forms(m.id): _forms(m.string) for m in read_mo(file) if m.id}
    assert compiled == {_forms(m.id): _forms(m.string) for m in _catalogue(name) if m.id}


def test_catalogues_agree() -> None:
    """They are merged: of two that say the same differently, nobody knows which is heard."""
    heard: dict[tuple[str, ...], tuple[str, tuple[str, ...]]] = {}
    differing = []
    for name in ["messages", *CATALOGUES]:
        for message in _catalogue(name):
            if message.id:
                told = _forms(message.string)
                first = heard.setdefault(_forms(message.id), (name, told))
                if first[1] != told:
                    differing.append((message.id, first, (name, told)))
    assert differing == []


def test_every_catalogue_belongs_to_an_area_or_to_the_shell() -> None:
    files = {path.name for path in (*(WEB / "console").iterdir(), *(WEB / "templates" / "console").iterdir())}
    for name in CATALOGUES:
        area = name.removeprefix("console_")
        assert area == "shell" or any(Path(file).stem.startswith(area) for file in files), name
