"""What iOS refuses in a pass.json at install, and what it only grumbles about.

A finding that rejects makes the pass uninstallable ("Safari cannot download this file").
"""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

STYLES = ("storeCard", "coupon", "generic", "eventTicket", "boardingPass")
GROUPS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")
_STRICT_GROUPS = ("headerFields", "primaryFields", "auxiliaryFields")
_REQUIRED = ("passTypeIdentifier", "serialNumber", "teamIdentifier", "organizationName", "description")
_COLOURS = ("foregroundColor", "backgroundColor", "labelColor", "stripColor", "footerBackgroundColor")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "voided": bool, "sharingProhibited": bool, "groupingIdentifier": str, "logoText": str, "userInfo": dict,
    "semantics": dict, "locations": list, "beacons": list, "barcodes": list, "barcode": dict, "nfc": dict,
    "associatedStoreIdentifiers": list, "preferredStyleSchemes": list, "relevantDates": list,
    "suppressStripShine": bool, "maxDistance": (int, float),
}  # fmt: skip
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)")
_COLOUR = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)|#[0-9a-fA-F]{6}")
_BARCODES = tuple(
    f"PKBarcodeFormat{name}"
    for name in ("QR", "PDF417", "Aztec", "Code128", "Code39", "Codabar", "EAN13", "I2of5")
)
_ALIGNMENTS = tuple(f"PKTextAlignment{name}" for name in ("Left", "Center", "Right", "Natural"))
_DATE_STYLES = tuple(f"PKDateStyle{name}" for name in ("None", "Short", "Medium", "Long", "Full"))
_NUMBER_STYLES = tuple(f"PKNumberStyle{name}" for name in ("Decimal", "Percent", "Scientific", "SpellOut"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a pass."""

    where: str
    what: str
    rejects: bool = True


def check(document: Any, files: set[str], *, allow_http: bool) -> list[Finding]:
    """Everything wrong with ``document`` (pass.json) among ``files`` (names in the archive)."""
    if not isinstance(document, dict):
        return [Finding("pass.json", "not a dictionary")]
    found = list(_top(document, files))
    found += _web_service(document, allow_http=allow_http)
    found += _places(document)
    found += _barcode_entries(document)
    found += _odds(document)
    style = next((name for name in STYLES if isinstance(document.get(name), dict)), None)
    if style is None:
        found.append(Finding("pass.json", "no style dictionary"))
    else:
        found += _fields(document[style])
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_url(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(urlsplit(value).scheme)
    except ValueError:
        return False


def _top(document: dict[str, Any], files: set[str]) -> Iterator[Finding]:
    if not files & {"icon.png", "icon@2x.png", "icon@3x.png"}:
        yield Finding("icon", "no icon in any resolution")
    if not _is_number(document.get("formatVersion")) or document["formatVersion"] != 1:
        yield Finding("formatVersion", "unsupported version")
    for key in _REQUIRED:
        if not isinstance(document.get(key), str) or not document[key]:
            yield Finding(key, "a required string is missing")
    for key, kind in _TYPES.items():
        if key in document and (
            not isinstance(document[key], kind) or (kind is not bool and isinstance(document[key], bool))
        ):
            yield Finding(key, f"has the wrong type ({type(document[key]).__name__})")
    for key in ("relevantDate", "expirationDate"):
        if key in document and not (isinstance(document[key], str) and _DATE.fullmatch(document[key])):
            yield Finding(key, "is no W3C date with hours and minutes")
    for key in _COLOURS:
        if key not in document:
            continue
        match = _COLOUR.fullmatch(document[key]) if isinstance(document[key], str) else None
        if match is None or any(int(part) > 255 for part in match.groups() if part):
            yield Finding(key, "is no colour")


def _web_service(document: dict[str, Any], *, allow_http: bool) -> Iterator[Finding]:
    if "webServiceURL" in document:
        url = document["webServiceURL"]
        if not _is_url(url) or urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            yield Finding("webServiceURL", "is no URL")
        elif urlsplit(url).scheme == "http" and not allow_http:
            yield Finding("webServiceURL", "must be https")
        token = document.get("authenticationToken")
        if not isinstance(token, str) or len(token) < 16:
            yield Finding(
                "authenticationToken", "needs at least 16 characters where there is a webServiceURL"
            )
    for key, value in document.items():
        if key.endswith("URL") and key != "webServiceURL" and not _is_url(value):
            yield Finding(key, "is no URL")
    if "appLaunchURL" in document and not document.get("associatedStoreIdentifiers"):
        yield Finding("appLaunchURL", "needs a store identifier")


def _list(document: dict[str, Any], key: str) -> list[Any]:
    value = document.get(key, [])
    return value if isinstance(value, list) else []


def _places(document: dict[str, Any]) -> Iterator[Finding]:
    for number, place in enumerate(_list(document, "locations")):
        where = f"locations[{number}]"
        if not isinstance(place, dict):
            yield Finding(where, "not a dictionary")
            continue
        for key, limit in (("latitude", 90), ("longitude", 180)):
            if not _is_number(place.get(key)) or not -limit <= place[key] <= limit:
                yield Finding(where, f"{key} is no number in ±{limit}")
        if "relevantText" in place and not isinstance(place["relevantText"], str):
            yield Finding(where, "relevantText is no string")
        if "altitude" in place and not _is_number(place["altitude"]):
            yield Finding(where, "altitude is no number")
    for number, beacon in enumerate(_list(document, "beacons")):
        if not isinstance(beacon, dict):
            yield Finding(f"beacons[{number}]", "not a dictionary")
            continue
        try:
            UUID(beacon.get("proximityUUID", ""))
        except (ValueError, AttributeError, TypeError):
            yield Finding(f"beacons[{number}]", "proximityUUID is no UUID", rejects=False)


def barcode_fault(entry: Any) -> str | None:
    """Why iOS would not draw this barcode; None: it would."""
    if not isinstance(entry, dict):
        return "not a dictionary"
    for key in ("message", "format", "messageEncoding"):
        if not isinstance(entry.get(key), str):
            return f"{key} is missing"
    if entry["format"] not in _BARCODES:
        return f"unknown format {entry['format']}"
    try:
        entry["message"].encode(codecs.lookup(entry["messageEncoding"]).name)
    except LookupError:
        return f"unknown encoding {entry['messageEncoding']}"
    except UnicodeEncodeError:
        return f"the message cannot be encoded in {entry['messageEncoding']}"
    return None


def _barcode_entries(document: dict[str, Any]) -> Iterator[Finding]:
    if isinstance(document.get("barcode"), dict) and (fault := barcode_fault(document["barcode"])):
        yield Finding("barcode", fault)
    for number, entry in enumerate(_list(document, "barcodes")):
        if fault := barcode_fault(entry):
            yield Finding(f"barcodes[{number}]", f"{fault}; skipped", rejects=False)


def _odds(document: dict[str, Any]) -> Iterator[Finding]:
    if not all(isinstance(scheme, str) for scheme in _list(document, "preferredStyleSchemes")):
        yield Finding("preferredStyleSchemes", "not only strings")
    if not all(_is_number(store) for store in _list(document, "associatedStoreIdentifiers")):
        yield Finding("associatedStoreIdentifiers", "not only numbers")
    if isinstance(nfc := document.get("nfc"), dict):
        if not isinstance(nfc.get("message"), str):
            yield Finding("nfc", "message is missing")
        try:
            base64.b64decode(nfc.get("encryptionPublicKey", ""), validate=True)
        except (ValueError, TypeError):
            yield Finding("nfc", "encryptionPublicKey is no base64")


def _fields(style: dict[str, Any]) -> Iterator[Finding]:
    keys: set[str] = set()
    for group in GROUPS:
        if group in style and not isinstance(style[group], list):
            yield Finding(group, "not a list")
            continue
        for number, entry in enumerate(style.get(group, [])):
            where, strict = f"{group}[{number}]", group in _STRICT_GROUPS
            if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
                yield Finding(where, "key is missing")
                continue
            if entry["key"] in keys:
                yield Finding(where, f"the key {entry['key']} is used twice", strict)
            keys.add(entry["key"])
            yield from _field(where, entry, strict=strict)


def _field(where: str, entry: dict[str, Any], *, strict: bool) -> Iterator[Finding]:
    value = entry.get("value")
    if "value" not in entry:
        yield Finding(where, "value is missing", strict)
    elif not isinstance(value, str) and not _is_number(value):
        yield Finding(where, "value is neither string nor number")
    for key in ("label", "changeMessage", "attributedValue", "currencyCode"):
        if key in entry and not isinstance(entry[key], str):
            yield Finding(where, f"{key} is no string")
    enumerations = {
        "textAlignment": _ALIGNMENTS, "dateStyle": _DATE_STYLES, "timeStyle": _DATE_STYLES,
        "numberStyle": _NUMBER_STYLES,
    }  # fmt: skip
    for key, allowed in enumerations.items():
        if key in entry and entry[key] not in allowed:
            yield Finding(where, f"{key} {entry[key]!r} is unknown")
    dated = "dateStyle" in entry or "timeStyle" in entry
    numeric = "numberStyle" in entry or "currencyCode" in entry
    if dated and not (isinstance(value, str) and _DATE.fullmatch(value)):
        yield Finding(where, "a date style on something that is no date", strict)
    if dated and numeric:
        yield Finding(where, "formatted both as date and as number", strict)
    if "numberStyle" in entry and "currencyCode" in entry:
        yield Finding(where, "both numberStyle and currencyCode", strict)
    if numeric and "value" in entry and not _is_number(value):
        yield Finding(where, "number formatting on a string", strict)
    if "row" in entry and entry["row"] not in (0, 1):
        yield Finding(where, "row is neither 0 nor 1", strict)
