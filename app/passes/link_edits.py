"""Links on the back of a card, in the editor: a field, and the text that holds its address. Pure."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from app.errors import BadInput
from app.passes.content import LocalizedText
from app.passes.edits import style_of, with_text
from app.passes.field_edits import add_field, field, fields, without_field
from app.passes.template import Template

_SCHEMES: Final = ("http", "https", "tel", "mailto")
_OWN: Final = "link_"


def add_link(template: Template, label: LocalizedText, address: LocalizedText) -> Template:
    """A line on the back of both wallets' cards that opens a page, a telephone or a letter.

    ``address`` may be given in one language for both. Raises :class:`BadInput` for "address" or "label".
    """
    whole = checked_address(address)
    used = {*template.texts, *(each.key for each in fields(template))}
    name = next(f"{_OWN}{n}_url" for n in range(1, len(used) + 2) if f"{_OWN}{n}_url" not in used)
    made = add_field(
        with_text(template, name, whole), "backFields", key=name, label=label, value=f"{{text.{name}}}"
    )
    if made.google is None or not isinstance(made.google.get("loyaltyClass"), dict):
        return made
    google: dict[str, Any] = deepcopy(dict(made.google))
    links = google["loyaltyClass"].setdefault("linksModuleData", [])
    links.append({"id": name, "uri": f"{{text.{name}}}", "description": _label(made, name)})
    return replace(made, google=google)


def with_address(template: Template, key: str, address: LocalizedText) -> Template:
    """Another address for a link that was added here, or for one whose text is the brand's."""
    name = field(template, key).text_name
    if name is None:
        raise BadInput("no-link", "This field is no link.", field="key")
    return with_text(template, name, checked_address(address))


def without_link(template: Template, key: str) -> Template:
    """The card without that line, on both wallets; its address goes too where it was this design's own."""
    name = field(template, key).text_name
    if name is None or not name.startswith(_OWN):
        return without_field(template, key)
    return with_text(without_field(_without_googles(template, name), key), name, None)


def checked_address(address: LocalizedText) -> LocalizedText:
    """Whole addresses in both languages; raises BadInput for "address"."""
    ru, en = address.ru.strip(), address.en.strip()
    whole = LocalizedText(ru or en, en or ru)
    for each in (whole.ru, whole.en):
        try:
            parts = urlsplit(each)
        except ValueError:
            parts = urlsplit("")
        reachable = parts.netloc if parts.scheme in ("http", "https") else parts.path
        if parts.scheme not in _SCHEMES or not reachable or any(letter.isspace() for letter in each):
            raise BadInput(
                "bad-address",
                "Write the whole address, like https://example.com, tel:+74951234567 or"
                " mailto:hello@example.com.",
                field="address",
            )
    return whole


def _without_googles(template: Template, name: str) -> Template:
    """First, so that the field's label is said by nothing else any more."""
    classes = template.google.get("loyaltyClass") if template.google else None
    if template.google is None or not isinstance(classes, dict) or "linksModuleData" not in classes:
        return template
    google: dict[str, Any] = deepcopy(dict(template.google))
    links = [link for link in google["loyaltyClass"].pop("linksModuleData") if link.get("id") != name]
    if links:
        google["loyaltyClass"]["linksModuleData"] = links
    return replace(template, google=google)


def _label(template: Template, key: str) -> str:
    """How the layout writes the label of a field, so that Google's line has the same translation."""
    known = field(template, key)
    entry = template.document[style_of(template)][known.group][known.index]
    return str(entry.get("label") or key)
