"""The design editor's form: a template taken apart into inputs, and put together again by the room's edits.

What the form does not know (change messages, number styles, most of Google's layout) stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from app.colours import hexadecimal, parse_colour
from app.errors import BadInput
from app.passes import edits, field_edits, link_edits
from app.passes.content import Language, LocalizedText
from app.passes.layout import COUNTS, FIELD_GROUPS, LANGUAGES, PLACEHOLDER, BrandValues
from app.passes.template import Template
from app.web.console.designs_fields import FieldRow, guest_value, rows
from app.web.console.forms import Form
from app.web.console.wording import sentence

COLOURS = ("backgroundColor", "foregroundColor", "labelColor")
NAME = "programme"
"""The brand's text that stands beside the logo."""
OWN_WORDS = "words"
"""In place of a guest's value: words that every card has alike."""
_FORMATS = ("numberStyle", "currencyCode", "dateStyle", "timeStyle")
_LAST = 999


def filled(template: Template, values: BrandValues) -> Form:
    """The form as the template fills it, with the brand's texts where the template has none of its own."""
    shown: dict[str, str] = {}
    for tier in (None, *range(1, _tiers(template) + 1)):
        for key in COLOURS:
            own = edits.colour(template, key, tier=tier) or edits.colour(template, key)
            shown[_colour_name(key, tier)] = _hex(own)
    shown |= _both(f"text.{NAME}", _text(template, values, NAME))
    shown["barcode"] = edits.barcode(template) or ""
    for row in _every(template):
        shown[f"{row.name}.key"] = row.key
        shown[f"{row.name}.place"] = row.field.group
        shown |= _both(f"{row.name}.label", row.field.label or LocalizedText("", ""))
        shown[f"{row.name}.value"] = guest_value(row.field) or OWN_WORDS
        shown |= _both(f"{row.name}.words", _words(template, values, row))
    return Form(values=shown)


def applied(template: Template, values: BrandValues, form: Form) -> Template:
    """The template that was typed; what is wrong is noted in ``form`` and left as it was."""
    before, made = filled(template, values), template
    for tier in (None, *range(1, _tiers(template) + 1)):
        for key in COLOURS:
            name = _colour_name(key, tier)
            if name in form.values and form[name].lower() != before[name].lower():
                with _noting(form, name):
                    made = edits.with_colour(made, key, form[name], tier=tier)
    words = _typed(form, f"text.{NAME}")
    if f"text.{NAME}.ru" in form.values and words != _typed(before, f"text.{NAME}"):
        with _noting(form, f"text.{NAME}.{_wrong(words, _checked)}"):
            made = edits.with_text(made, NAME, words)
    if "barcode" in form.values and form["barcode"] != before["barcode"]:
        with _noting(form, "barcode"):
            made = edits.with_barcode(made, form["barcode"] or None)
    for row in _every(template):
        # Another form than this template's: its fields were changed meanwhile, which saving tells.
        if form[f"{row.name}.key"] == row.key:
            made = _with_words(made, row, form, before)
            made = _with_field(made, row, form, before)
    for row in _every(template):
        place = form[f"{row.name}.place"]
        if place in FIELD_GROUPS and place != row.field.group and not row.announces:
            made = _moved(made, row.key, place)
    return made


def _moved(made: Template, key: str, place: str) -> Template:
    """The field last in another group, without what iOS ignores there."""
    made = field_edits.moved_field(made, key, place, _LAST)
    ignored = {"backFields": ("textAlignment",), "primaryFields": ("textAlignment", "dataDetectorTypes")}

    def change(document: dict[str, Any]) -> None:
        for name in ignored.get(place, ("dataDetectorTypes",)):
            document[edits.style_of(made)][place][-1].pop(name, None)

    return edits.changed(made, change)


def unsaid(template: Template, values: BrandValues) -> list[str]:
    """The fields that no card shows, since neither the design nor the brand has words for them."""
    return [
        row.name
        for row in _every(template)
        if row.is_text and _words(template, values, row) == LocalizedText("", "")
    ]


def _with_words(made: Template, row: FieldRow, form: Form, before: Form) -> Template:
    """What a field says that is a text of the brand's or the design's own."""
    name = f"{row.name}.words"
    words = _typed(form, name)
    if not row.is_text or f"{name}.ru" not in form.values or words == _typed(before, name):
        return made
    checked = link_edits.checked_address if row.is_link else _checked
    with _noting(form, f"{name}.{_wrong(words, checked)}"):
        if row.is_link and (words.ru or words.en):
            return link_edits.with_address(made, row.key, words)
        if text := row.field.text_name:
            return edits.with_text(made, text, words)
        return _put(made, row, row.field.label, words)
    return made


def _with_field(made: Template, row: FieldRow, form: Form, before: Form) -> Template:
    """Its label, and which of a guest's values it shows."""
    label, value = _typed(form, f"{row.name}.label"), form[f"{row.name}.value"]
    is_same = not value or value == before[f"{row.name}.value"] or row.announces
    if label == _typed(before, f"{row.name}.label") and is_same:
        return made
    with _noting(form, f"{row.name}.label.{_wrong(label, _checked)}"):
        if is_same:
            return _put(made, row, label, field_edits.field(made, row.key).value)
        if value == OWN_WORDS:
            text = f"own_{re.sub('[^a-z0-9_]', '_', row.key.lower())}"[:40]
            made = edits.with_text(made, text, LocalizedText("Текст", "Text"))
            return _put(made, row, label, f"{{text.{text}}}", is_new=True)
        return _put(made, row, label, f"{{{value}}}", is_new=True)
    return made


def _put(
    made: Template,
    row: FieldRow,
    label: LocalizedText | None,
    value: str | LocalizedText,
    *,
    is_new: bool = False,
) -> Template:
    """The field with these; one that shows something else now has none of the old value's formats."""
    known = row.field
    made = field_edits.with_field(
        made,
        row.key,
        label=label,
        value=value,
        empty=None if is_new else known.empty,
        optional=known.optional and not is_new,
        alignment=known.alignment,
    )
    if not is_new:
        return made

    def change(document: dict[str, Any]) -> None:
        entry = document[edits.style_of(made)][known.group][known.index]
        for key in _FORMATS:
            entry.pop(key, None)
        if isinstance(value, str) and value[1:-1] in COUNTS:
            entry["numberStyle"] = "PKNumberStyleDecimal"

    return edits.changed(made, change)


@contextmanager
def _noting(form: Form, name: str) -> Iterator[None]:
    try:
        yield
    except BadInput as fault:
        form.errors.setdefault(name, sentence(fault))


def _checked(text: LocalizedText) -> LocalizedText:
    if PLACEHOLDER.search(text.ru):
        raise BadInput("placeholder", "Words hold no {…}.")
    return edits.checked_text(text, "")


def _wrong(words: LocalizedText, checked: Callable[[LocalizedText], object]) -> Language:
    """The language whose words are refused; the first where it is both or the field as a whole."""
    for language in LANGUAGES:
        if said := words.in_language(language):
            try:
                checked(LocalizedText(said, said))
            except BadInput:
                return language
    return LANGUAGES[0]


def _every(template: Template) -> Iterator[FieldRow]:
    for among in rows(template).values():
        yield from among


def _colour_name(key: str, tier: int | None) -> str:
    return f"colour.{key}" if tier is None else f"tier.{tier}.{key}"


def _tiers(template: Template) -> int:
    looks = template.document.get("tiers")
    return len(looks) if isinstance(looks, list) else 0


def _hex(value: object) -> str:
    colour = parse_colour(value)
    return hexadecimal(colour) if colour else ""


def _typed(form: Form, name: str) -> LocalizedText:
    return LocalizedText(
        *(form[f"{name}.{language}"].replace("\r\n", "\n").strip() for language in LANGUAGES)
    )


def _both(name: str, words: LocalizedText) -> dict[str, str]:
    return {f"{name}.{language}": words.in_language(language) for language in LANGUAGES}


def _text(template: Template, values: BrandValues, name: str) -> LocalizedText:
    if name == NAME and values.logo_text and name not in template.texts:
        return values.logo_text
    return template.texts.get(name) or values.texts.get(name) or LocalizedText("", "")


def _words(template: Template, values: BrandValues, row: FieldRow) -> LocalizedText:
    """What a field says on every card alike, in both languages."""
    if text := row.field.text_name:
        return _text(template, values, text)
    return row.field.value if isinstance(row.field.value, LocalizedText) else LocalizedText("", "")
