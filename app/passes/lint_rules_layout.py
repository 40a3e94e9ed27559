"""What a layout must be before a card can be made of it: placeholders, translations, whose key is whose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from app.passes.findings import Finding, inform, refuse, warn
from app.passes.layout import (
    ANNOUNCING_FIELD,
    FIELD_GROUPS,
    GUEST_VALUES,
    LANGUAGES,
    NOT_IN_A_LAYOUT,
    PLACEHOLDER,
    STYLES,
    Layout,
)
from app.passes.lint_rules_values import is_number

_WORDS = ("label", "value", "empty", "attributedValue")


def check_structure(layout: Layout) -> Iterator[Finding]:
    """Faults that keep a card from being made at all."""
    document = layout.document
    if not any(isinstance(document.get(style), dict) for style in STYLES):
        yield refuse("style-missing", "layout.toml", f"add one of {', '.join(STYLES)} with the card's fields")
    for style in STYLES:
        groups = document.get(style, {})
        if not isinstance(groups, dict):
            yield refuse("wrong-type", style, "must be a table of lists of fields")
            continue
        for group in FIELD_GROUPS:
            fields = groups.get(group, [])
            if not isinstance(fields, list) or not all(isinstance(field, dict) for field in fields):
                yield refuse("wrong-type", f"{style}.{group}", f"write each field as [[{style}.{group}]]")
    if not isinstance(document.get("barcodes", []), list):
        yield refuse("wrong-type", "barcodes", "write each code as [[barcodes]]")
    for where, value in _walk(document, ""):
        if isinstance(value, float) and not is_number(value):
            yield refuse("wrong-type", where, "JSON has no such number")
    try:
        ZoneInfo(layout.time_zone)
    except (KeyError, ValueError, OSError):
        yield refuse(
            "time-zone", "time zone", f"{layout.time_zone!r} is no IANA time zone such as Europe/Moscow"
        )


def check_template(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Keys that a template must leave to the brand, the guest and the service."""
    for key in NOT_IN_A_LAYOUT:
        if key in document:
            yield refuse(
                "key-not-the-templates", key, "comes from the brand, the guest or the service; remove it"
            )


def check_words(layout: Layout) -> Iterator[Finding]:
    """Placeholders that somebody fills in, and words that both languages have."""
    written: set[str] = set()
    for style, group, index, field in _fields(layout):
        where = f"{style}.{group}[{index}]"
        if field.get("value") in (None, ""):
            yield refuse("field-value-missing", f"{where}.value", "give the field a value, or remove it")
        if "changeMessage" in field and field.get("value") != f"{{{ANNOUNCING_FIELD}}}":
            yield refuse(
                "changes-silently",
                f"{where}.changeMessage",
                f"belongs to the field of {{{ANNOUNCING_FIELD}}} alone: all that is announced goes there",
            )
        for key in _WORDS:
            text = field.get(key)
            if not isinstance(text, str) or not text:
                continue
            yield from _placeholders(text, f"{where}.{key}", key)
            if not PLACEHOLDER.search(text) and any(letter.isalpha() for letter in text):
                written.add(text)
    yield from _untranslated(layout, written)
    yield from _unfilled(layout)
    yield from _left_over(layout)


def _untranslated(layout: Layout, written: set[str]) -> Iterator[Finding]:
    for language in LANGUAGES:
        known = layout.strings[language]
        for text in sorted(written - known.keys()) if known else ():
            yield warn(
                "not-translated",
                f"{language}.lproj/pass.strings",
                f'"{text}" has no line here; add "{text}" = "…";',
            )
    for name, words in layout.texts.items():
        if bool(words.ru) != bool(words.en):
            missing = "en" if words.ru else "ru"
            yield warn("not-translated", f"text.{name}", f"has no words in {missing}; the others are shown")


def _left_over(layout: Layout) -> Iterator[Finding]:
    """Lines of pass.strings that translate nothing any more."""
    written = {value for _, value in _walk(dict(layout.document), "") if isinstance(value, str)}
    written |= {value for _, value in _walk(dict(layout.google or {}), "") if isinstance(value, str)}
    for language in LANGUAGES:
        for key in sorted(layout.strings[language].keys() - written):
            yield inform(
                "translation-unused", f"{language}.lproj/pass.strings", f'nothing says "{key}"; remove it'
            )


def _unfilled(layout: Layout) -> Iterator[Finding]:
    """A guest's values outside of fields and barcodes, where nobody fills them in."""
    for key, value in layout.document.items():
        if key == layout.style:
            continue
        for where, text in _walk(value, key):
            names = PLACEHOLDER.findall(text) if isinstance(text, str) else ()
            for name in names:
                if name.startswith("text.") or (key == "barcodes" and name == "card_code"):
                    continue
                yield refuse("placeholder", where, f"nothing fills {{{name}}} here; it belongs into a field")


def _placeholders(text: str, where: str, key: str) -> Iterator[Finding]:
    for name in PLACEHOLDER.findall(text):
        if name.startswith("text.") or (key == "value" and name in GUEST_VALUES and text == f"{{{name}}}"):
            continue
        if name in GUEST_VALUES:
            yield refuse("placeholder", where, f"{{{name}}} must be the whole value of a field")
        else:
            known = ", ".join(f"{{{each}}}" for each in GUEST_VALUES)
            yield refuse(
                "placeholder", where, f"nothing fills {{{name}}}; there are {known} and {{text.NAME}}"
            )


def _fields(layout: Layout) -> Iterator[tuple[str, str, int, Mapping[str, Any]]]:
    style = layout.style
    for group in FIELD_GROUPS:
        for index, field in enumerate(layout.document[style].get(group, ())):
            yield style, group, index, field


def _walk(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    yield where, value
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _walk(each, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _walk(each, f"{where}[{index}]")
