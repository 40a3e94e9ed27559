"""A template: a folder with a readable layout, images and the words of two languages.

::

    tiered_card/
        layout.toml                  Apple's keys of pass.json, with the placeholders of app.passes.layout
        google.toml                  Google's fields, see app.passes.google_layout
        icon.png icon@2x.png …       images at one, two and three times the points
        tiers/1/strip.png …          images of the first tier, in place of those
        stamps/earned.png …          what the stamps in the strip are drawn from
        google/logo.png              Google's images
        ru.lproj/pass.strings        the layout's own words, in Russian; images may lie here too
        en.lproj/pass.strings        the same in English
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from app.passes.content import Language
from app.passes.findings import Finding, inform, refuse
from app.passes.layout import LANGUAGES
from app.passes.strings import parse

LAYOUT = "layout.toml"
GOOGLE_LAYOUT = "google.toml"
_NO_IMAGES = (LAYOUT, GOOGLE_LAYOUT)
_DEEPEST = 32  # tables and lists within one another; Apple's and Google's keys take eight
_FOLDER = re.compile(rf"|(?:{'|'.join(LANGUAGES)})\.lproj|google|stamps|tiers/[1-9]\d?")


@dataclass(frozen=True, slots=True)
class Template:
    """A folder as it was read."""

    name: str
    document: Mapping[str, Any]
    google: Mapping[str, Any] | None  # None: a card for Apple alone
    strings: Mapping[Language, Mapping[str, str]]
    files: Mapping[str, bytes]  # the images, by their path inside the bundle


def read_template(directory: Path) -> tuple[Template, list[Finding]]:
    """The folder, and every fault found in reading it; what could not be read is empty."""
    findings: list[Finding] = []
    if not directory.is_dir():
        findings.append(
            refuse("template-missing", str(directory), "no such folder; name a template's folder")
        )
        return Template(directory.name, {}, None, {language: {} for language in LANGUAGES}, {}), findings
    template = Template(
        directory.name,
        _document(directory / LAYOUT, findings),
        _google_document(directory / GOOGLE_LAYOUT, findings),
        {
            language: _strings(directory / f"{language}.lproj" / "pass.strings", findings)
            for language in LANGUAGES
        },
        _images(directory, findings),
    )
    return template, findings


def _document(path: Path, findings: list[Finding]) -> dict[str, Any]:
    try:
        document: dict[str, Any] = _plain(tomllib.loads(path.read_text(encoding="utf-8")))
        return document
    except FileNotFoundError:
        message = (
            "is missing; it holds the layout in Apple's keys, copy the one of pass_templates/tiered_card"
        )
    except OSError as fault:
        message = f"cannot be read: {fault.strerror}"
    except UnicodeDecodeError:
        message = "is not UTF-8; save it as UTF-8"
    except tomllib.TOMLDecodeError as fault:
        message = f"is not TOML: {fault}"
    except RecursionError:
        message = f"has tables or lists in one another, more than {_DEEPEST} deep"
    findings.append(refuse("layout-unreadable", path.name, message))
    return {}


def _google_document(path: Path, findings: list[Finding]) -> dict[str, Any] | None:
    if not path.exists():
        message = "is missing: cards are made for Apple alone; copy the one of pass_templates/tiered_card"
        findings.append(inform("google-missing", path.name, message))
        return None
    before = len(findings)
    document = _document(path, findings)
    return document if len(findings) == before else None


def _plain(value: Any, deeper: int = _DEEPEST) -> Any:
    """TOML's own moments as text, which is what JSON and Apple know; RecursionError as tomllib raises it."""
    if deeper < 0:
        raise RecursionError
    if isinstance(value, dict):
        return {key: _plain(each, deeper - 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, deeper - 1) for each in value]
    return value.isoformat() if isinstance(value, date | time) else value


def _strings(path: Path, findings: list[Finding]) -> dict[str, str]:
    where = f"{path.parent.name}/{path.name}"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        message = 'is missing; it holds the layout\'s words in this language, a "key" = "value"; to a line'
        findings.append(refuse("strings-missing", where, message))
        return {}
    try:
        text = data.decode("utf-8")
        if not text.startswith('"'):
            raise ValueError('begin the file with ", without comments or a byte order mark')
        return parse(text)
    except UnicodeDecodeError:
        message = "is not UTF-8; save it as UTF-8 without a byte order mark"
    except ValueError as fault:
        message = str(fault)
    findings.append(refuse("strings-unreadable", where, message))
    return {}


def _images(directory: Path, findings: list[Finding]) -> dict[str, bytes]:
    images = {}
    for path in sorted(directory.rglob("*")):
        where = path.relative_to(directory).as_posix()
        if path.is_dir() or path.name.startswith(".") or where in _NO_IMAGES or path.name == "pass.strings":
            continue
        if path.suffix != ".png" or not _FOLDER.fullmatch(where.rpartition("/")[0]):
            message = (
                "is left out of the card; a template holds layout.toml, google.toml, PNG images and the "
                "folders ru.lproj, en.lproj, google, stamps, tiers/1, tiers/2 …"
            )
            findings.append(inform("file-left-out", where, message))
        elif not where.isascii():
            message = "give the image an ASCII name such as logo@2x.png"
            findings.append(refuse("image-name", where, message))
        else:
            images[where] = path.read_bytes()
    return images
