"""A template: a folder with a readable layout, images and the words of two languages.

::

    tiered_card/
        layout.toml                  Apple's keys of pass.json, with the placeholders of app.passes.layout
        google.toml                  Google's fields, see app.passes.google_layout
        texts.toml                   texts of this design's own, in place of the brand's of that name
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.passes import toml_reading
from app.passes.content import Language, LocalizedText
from app.passes.findings import Finding, inform, refuse
from app.passes.layout import LANGUAGES
from app.passes.strings import parse

LAYOUT = "layout.toml"
GOOGLE_LAYOUT = "google.toml"
TEXTS = "texts.toml"
STRINGS = tuple(f"{language}.lproj/pass.strings" for language in LANGUAGES)
WORDS = (LAYOUT, GOOGLE_LAYOUT, TEXTS, *STRINGS)
"""Every file of a folder that is no image."""
_FOLDER = re.compile(rf"|(?:{'|'.join(LANGUAGES)})\.lproj|google|stamps|tiers/[1-9]\d?")
TEXT_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
TAKEN_TEXTS = ("description", "logo_text")  # made from the brand's name and programme's text


@dataclass(frozen=True, slots=True)
class Template:
    """A folder as it was read; a design's source."""

    name: str
    document: Mapping[str, Any]
    google: Mapping[str, Any] | None  # None: a card for Apple alone
    strings: Mapping[Language, Mapping[str, str]]
    files: Mapping[str, bytes]  # the images, by their path inside the bundle
    texts: Mapping[str, LocalizedText] = field(default_factory=dict)  # in place of the brand's

    def to_json(self) -> dict[str, Any]:
        """Everything but name and images, for the columns ``design.source`` and ``draft_revision.source``."""
        return {
            "document": dict(self.document),
            "google": self.google and dict(self.google),
            "strings": {language: dict(entries) for language, entries in self.strings.items()},
            "texts": {name: text.to_json() for name, text in self.texts.items()},
        }

    @classmethod
    def from_json(cls, name: str, source: Mapping[str, Any], files: Mapping[str, bytes]) -> Template:
        """The inverse of :meth:`to_json`."""
        strings = source.get("strings", {})
        return cls(
            name,
            source.get("document", {}),
            source.get("google"),
            {language: strings.get(language, {}) for language in LANGUAGES},
            files,
            {name: LocalizedText(**text) for name, text in source.get("texts", {}).items()},
        )


def read_template(directory: Path) -> tuple[Template, list[Finding]]:
    """The folder, and every fault found in reading it; what could not be read is empty."""
    if not directory.is_dir():
        fault = refuse("template-missing", str(directory), "no such folder; name a template's folder")
        return Template(directory.name, {}, None, {language: {} for language in LANGUAGES}, {}), [fault]
    files: dict[str, bytes | OSError] = {}
    for path in sorted(directory.rglob("*")):
        where = path.relative_to(directory).as_posix()
        if where not in WORDS and (path.is_dir() or path.name.startswith(".")):
            continue
        try:
            files[where] = path.read_bytes() if where in WORDS or is_image(where) else b""
        except OSError as fault_of_file:
            files[where] = fault_of_file
    return read_files(directory.name, files)


def is_image(where: str) -> bool:
    """Whether a file of that path is an image of a template."""
    return where.endswith(".png") and _FOLDER.fullmatch(where.rpartition("/")[0]) is not None


def read_files(name: str, files: Mapping[str, bytes | OSError]) -> tuple[Template, list[Finding]]:
    """The same for a folder's files by their paths, however they came here, or why they cannot be read."""
    findings: list[Finding] = []
    template = Template(
        name,
        _document(LAYOUT, files, findings),
        _google_document(files, findings),
        {
            language: _strings(where, files, findings)
            for language, where in zip(LANGUAGES, STRINGS, strict=True)
        },
        _images(files, findings),
        _texts(files, findings),
    )
    return template, findings


def _document(where: str, files: Mapping[str, bytes | OSError], findings: list[Finding]) -> dict[str, Any]:
    try:
        return toml_reading.read(_content(files, where))
    except KeyError:
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
        message = f"has tables or lists in one another, more than {toml_reading.DEEPEST} deep"
    except ValueError as fault:
        message = str(fault)
    findings.append(refuse("layout-unreadable", where, message))
    return {}


def _content(files: Mapping[str, bytes | OSError], where: str) -> bytes:
    """A file's bytes; raises what reading it raised, and KeyError where it is missing."""
    content = files[where]
    if isinstance(content, OSError):
        raise content
    return content


def _google_document(files: Mapping[str, bytes | OSError], findings: list[Finding]) -> dict[str, Any] | None:
    if GOOGLE_LAYOUT not in files:
        message = "is missing: cards are made for Apple alone; copy the one of pass_templates/tiered_card"
        findings.append(inform("google-missing", GOOGLE_LAYOUT, message))
        return None
    before = len(findings)
    document = _document(GOOGLE_LAYOUT, files, findings)
    return document if len(findings) == before else None


def _texts(files: Mapping[str, bytes | OSError], findings: list[Finding]) -> dict[str, LocalizedText]:
    texts = {}
    for name, words in _document(TEXTS, files, findings).items() if TEXTS in files else ():
        where = f"{TEXTS}: {name}"
        if not TEXT_NAME.fullmatch(name) or name in TAKEN_TEXTS:
            message = 'name the text in small letters, digits and "_", not description or logo_text'
        elif not (
            isinstance(words, dict)
            and words.keys() <= set(LANGUAGES)
            and all(isinstance(each, str) for each in words.values())
        ):
            message = f'write [{name}] with ru = "…" and en = "…"'
        else:
            texts[name] = LocalizedText(words.get("ru", ""), words.get("en", ""))
            continue
        findings.append(refuse("text-unreadable", where, message))
    return texts


def _strings(where: str, files: Mapping[str, bytes | OSError], findings: list[Finding]) -> dict[str, str]:
    try:
        text = _content(files, where).decode("utf-8-sig")
        if text and not text.startswith('"'):
            raise ValueError('begin the file with ", without comments')
        return parse(text)
    except KeyError:
        message = 'is missing; it holds the layout\'s words in this language, a "key" = "value"; to a line'
        findings.append(refuse("strings-missing", where, message))
        return {}
    except UnicodeDecodeError:
        message = "is not UTF-8; save it as UTF-8"
    except ValueError as fault:
        message = str(fault)
    except OSError as fault:
        message = f"cannot be read: {fault.strerror}"
    findings.append(refuse("strings-unreadable", where, message))
    return {}


def _images(files: Mapping[str, bytes | OSError], findings: list[Finding]) -> dict[str, bytes]:
    images = {}
    for where, content in files.items():
        if where in WORDS:
            continue
        if not is_image(where):
            message = (
                "is left out of the card; a template holds layout.toml, google.toml, texts.toml, PNG images "
                "and the folders ru.lproj, en.lproj, google, stamps, tiers/1, tiers/2 …"
            )
            findings.append(inform("file-left-out", where, message))
        elif not where.isascii():
            message = "give the image an ASCII name such as logo@2x.png"
            findings.append(refuse("image-name", where, message))
        elif isinstance(content, OSError):
            findings.append(refuse("image-unreadable", where, f"cannot be read: {content.strerror}"))
        else:
            images[where] = content
    return images
