"""Fields of a card in the editor: their words in both languages, their order, what fills them. Pure.

A label is a word of the layout with a line in each language's ``pass.strings``. A value is what a guest has
(``{balance}``), a text of the brand or the design (``{text.rules}``), or words of the layout like a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from app.errors import BadInput
from app.passes.content import Language, LocalizedText
from app.passes.edits import changed, checked_text, style_of
from app.passes.layout import ANNOUNCING_FIELD, COUNTS, FIELD_GROUPS, GUEST_VALUES, LANGUAGES, PLACEHOLDER
from app.passes.template import Template

Group = Literal["headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields"]
MOST_FIELDS: Final = 40
ALIGNMENTS: Final = (
    "PKTextAlignmentLeft",
    "PKTextAlignmentCenter",
    "PKTextAlignmentRight",
    "PKTextAlignmentNatural",
)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
_WORDS: Final = ("label", "value", "empty")
_TEXT = re.compile(r"\{text\.([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field as the editor shows it."""

    group: str
    index: int  # in its group, from 0
    key: str
    label: LocalizedText | None
    value: str | LocalizedText  # "{balance}", "{text.rules}"; or words of the layout
    empty: LocalizedText | None = None  # stands there while the guest has no value
    optional: bool = False  # left out where the value is zero
    alignment: str | None = None
    extra: Mapping[str, Any]  # Apple's other keys, which the editor leaves as they are

    @property
    def text_name(self) -> str | None:
        """The text that fills it, "rules"; None where something else does."""
        match = _TEXT.fullmatch(self.value) if isinstance(self.value, str) else None
        return match[1] if match else None


def fields(template: Template) -> list[Field]:
    """Every field, group by group, in order."""
    return [
        _read(template, group, index, entry)
        for group, entries in _groups(template)
        for index, entry in enumerate(entries)
    ]


def field(template: Template, key: str) -> Field:
    """By its key; raises BadInput."""
    found = next((each for each in fields(template) if each.key == key), None)
    if found is None:
        raise BadInput("no-such-field", "The card has no such field any more.", field="key")
    return found


def with_field(
    template: Template,
    key: str,
    *,
    label: LocalizedText | None,
    value: str | LocalizedText,
    empty: LocalizedText | None = None,
    optional: bool = False,
    alignment: str | None = None,
) -> Template:
    """What a field says from now on; its place and Apple's other keys stay."""
    known = field(template, key)
    present = template.document[style_of(template)][known.group][known.index]
    own = set(_said(present)) - {word for each in _others(template, key) for word in _said(each)}
    entry = _entry(template, key, label, value, empty, optional, alignment, known.extra, own)

    def change(document: dict[str, Any]) -> None:
        document[style_of(template)][known.group][known.index] = entry.written

    return _tidied(template, replace(changed(template, change), strings=entry.strings))


def add_field(
    template: Template,
    group: str,
    *,
    key: str,
    label: LocalizedText | None,
    value: str | LocalizedText,
    index: int | None = None,
    empty: LocalizedText | None = None,
    optional: bool = False,
    alignment: str | None = None,
) -> Template:
    """One more field, last in its group or at ``index``."""
    if group not in FIELD_GROUPS:
        raise BadInput("no-such-group", "Choose where on the card the field stands.", field="group")
    if not _KEY.fullmatch(key):
        raise BadInput("field-key", "A field's name has Latin letters, digits and _ alone.", field="key")
    present = fields(template)
    if any(each.key == key for each in present):
        raise BadInput("duplicate-key", "The card has a field of that name already.", field="key")
    if len(present) >= MOST_FIELDS:
        raise BadInput("too-many-fields", f"A card has {MOST_FIELDS} fields at most.", field="key")
    extra = {"changeMessage": "%@"} if value == f"{{{ANNOUNCING_FIELD}}}" else {}
    entry = _entry(template, key, label, value, empty, optional, alignment, extra, set())

    def change(document: dict[str, Any]) -> None:
        entries = document.setdefault(style_of(template), {}).setdefault(group, [])
        entries.insert(len(entries) if index is None else index, entry.written)

    return replace(changed(template, change), strings=entry.strings)


def without_field(template: Template, key: str) -> Template:
    """The card without that field, and without words that nothing else says."""
    known = field(template, key)

    def change(document: dict[str, Any]) -> None:
        del document[style_of(template)][known.group][known.index]

    return _tidied(template, changed(template, change))


def moved_field(template: Template, key: str, group: str, index: int) -> Template:
    """The same field in another place; an ``index`` beyond the last is the last."""
    if group not in FIELD_GROUPS:
        raise BadInput("no-such-group", "Choose where on the card the field stands.", field="group")
    known = field(template, key)

    def change(document: dict[str, Any]) -> None:
        groups = document[style_of(template)]
        entry = groups[known.group].pop(known.index)
        entries = groups.setdefault(group, [])
        entries.insert(max(0, min(index, len(entries))), entry)

    return changed(template, change)


@dataclass(frozen=True, slots=True)
class _Entry:
    written: dict[str, Any]
    strings: dict[Language, dict[str, str]]


def _entry(
    template: Template,
    key: str,
    label: LocalizedText | None,
    value: str | LocalizedText,
    empty: LocalizedText | None,
    optional: bool,
    alignment: str | None,
    extra: Mapping[str, Any],
    own: set[str],
) -> _Entry:
    if alignment is not None and alignment not in ALIGNMENTS:
        raise BadInput("field-style", "Choose an alignment that is listed.", field="alignment")
    strings = {language: dict(template.strings[language]) for language in LANGUAGES}
    written: dict[str, Any] = {"key": key}
    if label is not None and (label.ru.strip() or label.en.strip()):
        written["label"] = _say(strings, own, key, "label", label)
    written["value"] = _value(value) if isinstance(value, str) else _say(strings, own, key, "value", value)
    if empty is not None and (empty.ru.strip() or empty.en.strip()):
        written["empty"] = _say(strings, own, key, "empty", empty)
    if optional and isinstance(value, str) and value[1:-1] in COUNTS:
        written["optional"] = True
    if alignment is not None:
        written["textAlignment"] = alignment
    return _Entry(written | deepcopy(dict(extra)), strings)


def _value(value: str) -> str:
    if value[1:-1] in GUEST_VALUES and value == f"{{{value[1:-1]}}}":
        return value
    if _TEXT.fullmatch(value):
        return value
    raise BadInput("placeholder", "Choose what the field shows from the list.", field="value")


def _say(
    strings: dict[Language, dict[str, str]], own: set[str], key: str, part: str, said: LocalizedText
) -> str:
    """The word that stands in the layout for these words, which get a line in both languages.

    It is the English one, unless another field says that word and means something else in Russian; ``own``
    are words that no other field says.
    """
    text = checked_text(said, part)
    if not (text.ru or text.en):
        raise BadInput("words-missing", "Write what the field says.", field=part)
    words: dict[Language, str] = {"ru": text.ru or text.en, "en": text.en or text.ru}
    if PLACEHOLDER.search(words["ru"]) or PLACEHOLDER.search(words["en"]):
        raise BadInput("placeholder", "Words hold no {…}: choose a value from the list instead.", field=part)
    for word in (words["en"], f"{words['en']} ({key}.{part})"):
        if word in own or all(
            strings[language].get(word, words[language]) == words[language] for language in LANGUAGES
        ):
            break
    for language in LANGUAGES:
        strings[language][word] = words[language]
    return word


def _read(template: Template, group: str, index: int, entry: Mapping[str, Any]) -> Field:
    value = entry.get("value")
    filled = isinstance(value, str) and PLACEHOLDER.search(value)
    known = ("key", *_WORDS, "optional", "textAlignment")
    alignment = entry.get("textAlignment")
    return Field(
        group=group,
        index=index,
        key=str(entry.get("key", "")),
        label=_translated(template, entry.get("label")),
        value=str(value) if filled else _translated(template, value) or LocalizedText("", ""),
        empty=_translated(template, entry.get("empty")),
        optional=entry.get("optional") is True,
        alignment=alignment if isinstance(alignment, str) else None,
        extra={key: each for key, each in entry.items() if key not in known},
    )


def _translated(template: Template, word: Any) -> LocalizedText | None:
    if word is None or word == "":
        return None
    return LocalizedText(
        template.strings["ru"].get(str(word), str(word)), template.strings["en"].get(str(word), str(word))
    )


def _groups(template: Template) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    groups = template.document.get(style_of(template), {})
    for group in FIELD_GROUPS:
        entries = groups.get(group, [])
        if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
            yield group, entries


def _others(template: Template, key: str) -> Iterator[Mapping[str, Any]]:
    """Every field but that one."""
    for _group, entries in _groups(template):
        yield from (entry for entry in entries if entry.get("key") != key)


def _tidied(before: Template, after: Template) -> Template:
    """Without lines of pass.strings that said something before and say nothing now."""
    used = set(_said(after.document)) | set(_said(after.google or {}))
    gone = {word for word in (*_said(before.document), *_said(before.google or {})) if word not in used}
    strings: dict[Language, Mapping[str, str]] = {
        language: {word: line for word, line in after.strings[language].items() if word not in gone}
        for language in LANGUAGES
    }
    return replace(after, strings=strings)


def _said(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _said(each)
    elif isinstance(value, list):
        for each in value:
            yield from _said(each)
