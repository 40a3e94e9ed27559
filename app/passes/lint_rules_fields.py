"""What iOS checks in the fields of a card.

Some faults cost the card in the primary, auxiliary and header fields and are merely logged in the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.passes.findings import Finding, inform, refuse, warn
from app.passes.layout import STYLES
from app.passes.lint_rules_values import change_message_fault, date_fault, is_number

GROUPS = (
    "headerFields",
    "primaryFields",
    "secondaryFields",
    "auxiliaryFields",
    "backFields",
    "additionalInfoFields",
)
MOST_SMALL_FIELDS = 4
STRICT_GROUPS = ("primaryFields", "auxiliaryFields", "headerFields")
_OTHER_TAG = re.compile(r"<(?!/?a[\s>])/?[A-Za-z]")
_ALIGNMENTS = tuple(f"PKTextAlignment{name}" for name in ("Left", "Center", "Right", "Natural"))
_DATE_STYLES = tuple(f"PKDateStyle{name}" for name in ("None", "Short", "Medium", "Long", "Full"))
_NUMBER_STYLES = tuple(f"PKNumberStyle{name}" for name in ("Decimal", "Percent", "Scientific", "SpellOut"))
_DETECTORS = tuple(
    f"PKDataDetectorType{name}" for name in ("PhoneNumber", "Link", "Address", "CalendarEvent")
)
_KNOWN = {
    "key", "label", "value", "attributedValue", "changeMessage", "textAlignment", "dataDetectorTypes",
    "dateStyle", "timeStyle", "ignoresTimeZone", "isRelative", "currencyCode", "numberStyle", "row",
    "semantics",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Place:
    style: str
    group: str
    where: str

    def maybe(self, code: str, key: str, message: str) -> Finding:
        """A fault that only the strict groups are refused for."""
        severity = refuse if self.group in STRICT_GROUPS else warn
        return severity(code, f"{self.where}.{key}", message)


def check_fields(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Every field of the card's style, and what they are together."""
    seen: dict[str, str] = {}
    announcing: list[str] = []
    for style, group, where, field in _fields(document):
        if not isinstance(field, dict):
            yield refuse("wrong-type", where, "must be a table with key, label and value, in a list")
            continue
        yield from _check_field(field, _Place(style, group, where))
        key = field.get("key")
        if isinstance(key, str):
            if key in seen:
                yield refuse("duplicate-key", f"{where}.key", f"{key!r} is the key of {seen[key]} too")
            seen.setdefault(key, where)
        if "changeMessage" in field:
            announcing.append(where)
    if not announcing and not document.get("voided"):
        yield warn(
            "nothing-announced", "changeMessage", "no field has one: the guest is never told of a change"
        )
    yield from _crowded(document)
    for where in announcing[1:]:
        yield refuse(
            "two-announce",
            f"{where}.changeMessage",
            "keep it on one field: two that change at once give a text that says nothing",
        )


def _crowded(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Apple, "PassFields.SecondaryFields": up to four together beside a square code."""
    for style in ("coupon", "storeCard", "generic"):
        groups = document.get(style)
        if not isinstance(groups, dict):
            continue
        small = [groups.get(group) for group in ("secondaryFields", "auxiliaryFields")]
        if sum(len(fields) for fields in small if isinstance(fields, list)) > MOST_SMALL_FIELDS:
            yield warn(
                "too-many-fields",
                f"{style}.auxiliaryFields",
                f"a {style} with a square code has room for {MOST_SMALL_FIELDS} secondary and auxiliary "
                "fields together",
            )


def _fields(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """Style, group, place and field; what should be a list of fields and is not counts as one bad field."""
    for style in STYLES:
        groups = document.get(style)
        if not isinstance(groups, dict):
            continue
        for group in GROUPS:
            fields = groups.get(group, [])
            if not isinstance(fields, list):
                yield style, group, f"{style}.{group}", None
                continue
            for index, field in enumerate(fields):
                yield style, group, f"{style}.{group}[{index}]", field


def _check_field(field: Mapping[str, Any], place: _Place) -> Iterator[Finding]:
    if not (isinstance(field.get("key"), str) and field["key"]):
        yield refuse("field-key", f"{place.where}.key", "give the field a key of its own")
    if "label" in field and not isinstance(field["label"], str):
        yield refuse("field-label", f"{place.where}.label", "must be text, or left out")
    for key in ("value", "attributedValue"):
        value = field.get(key)
        if key in field and not (isinstance(value, str) or is_number(value)):
            yield refuse("field-value", f"{place.where}.{key}", "must be text or a number")
    if "value" not in field:
        yield place.maybe("field-value-missing", "value", "give the field a value, or leave the field out")
    if isinstance(words := field.get("attributedValue"), str) and _OTHER_TAG.search(words):
        yield warn("attributed-value", f"{place.where}.attributedValue", "iOS knows <a href=…> alone")
    yield from _enumerations(field, place)
    yield from _formats(field, place)
    change = field.get("changeMessage", "%@")
    if not isinstance(change, str):
        yield refuse("change-message", f"{place.where}.changeMessage", "must be text")
    elif fault := change_message_fault(change):
        yield refuse("change-message", f"{place.where}.changeMessage", fault)
    if field.get("row", 0) not in (0, 1) or isinstance(field.get("row"), bool):
        yield place.maybe("field-row", "row", "must be 0 or 1")
    elif "row" in field and place.style != "eventTicket":
        yield warn(
            "row-ignored", f"{place.where}.row", "works in the auxiliary fields of event tickets alone"
        )
    for key in field.keys() - _KNOWN:
        yield inform("key-unknown", f"{place.where}.{key}", "no iOS that we know reads this key")


def _enumerations(field: Mapping[str, Any], place: _Place) -> Iterator[Finding]:
    for key, known in (
        ("textAlignment", _ALIGNMENTS),
        ("dateStyle", _DATE_STYLES),
        ("timeStyle", _DATE_STYLES),
        ("numberStyle", _NUMBER_STYLES),
    ):
        if key in field and field[key] not in known:
            yield refuse("field-style", f"{place.where}.{key}", f"must be one of {', '.join(known)}")
    if "textAlignment" in field and place.group in ("primaryFields", "backFields"):
        yield warn("alignment-ignored", f"{place.where}.textAlignment", "iOS ignores it here; leave it out")
    if "dataDetectorTypes" in field:
        detectors = field["dataDetectorTypes"]
        if not isinstance(detectors, list) or any(each not in _DETECTORS for each in detectors):
            yield refuse(
                "field-detectors",
                f"{place.where}.dataDetectorTypes",
                f"must be a list of {', '.join(_DETECTORS)}; an empty list finds nothing",
            )
        elif place.group != "backFields":
            yield warn("detectors-ignored", f"{place.where}.dataDetectorTypes", "works on the back only")
    for key in ("ignoresTimeZone", "isRelative"):
        if key in field and not isinstance(field[key], bool):
            yield refuse("field-flag", f"{place.where}.{key}", "must be true or false")
    code = field.get("currencyCode", "RUB")
    if not (isinstance(code, str) and len(code) == 3 and code.isascii() and code.isupper()):
        yield refuse("field-currency", f"{place.where}.currencyCode", "must be an ISO 4217 code such as RUB")


def _formats(field: Mapping[str, Any], place: _Place) -> Iterator[Finding]:
    value = field.get("value")
    dated = "dateStyle" in field or "timeStyle" in field
    counted = "numberStyle" in field or "currencyCode" in field
    if dated and not ("dateStyle" in field and "timeStyle" in field):
        yield warn(
            "field-date",
            f"{place.where}.dateStyle",
            "give dateStyle and timeStyle together; PKDateStyleNone hides one",
        )
    if dated and not (isinstance(value, str) and date_fault(value) is None):
        yield place.maybe("field-date", "value", "a field with a date style needs a moment as its value")
    if dated and counted:
        yield place.maybe("field-formats", "numberStyle", "keep the date's format or the number's, not both")
    if "numberStyle" in field and "currencyCode" in field:
        yield place.maybe("field-formats", "currencyCode", "keep numberStyle or currencyCode, not both")
    if counted and isinstance(value, str):
        yield place.maybe("field-number", "value", "a field with a number format needs a number as its value")
