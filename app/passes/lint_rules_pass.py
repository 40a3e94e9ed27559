"""What iOS checks in the top level of pass.json when a card is added.

Any key with another JSON type than these, null included, keeps the whole card from being added, and the
guest sees nothing that would help. Source of the rules: Apple, "Pass", and the validator inside iOS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.passes.findings import Finding, refuse, warn
from app.passes.layout import STYLES
from app.passes.lint_rules_values import (
    colour_fault,
    date_fault,
    has_type,
    parse_colour,
    url_fault,
    web_service_url_fault,
)

Rule = Callable[[Mapping[str, Any]], Iterator[Finding]]

SHORTEST_TOKEN = 16
LEAST_CONTRAST = 3.0  # WCAG 2.1, success criterion 1.4.3, for large text
COLOURS = ("foregroundColor", "backgroundColor", "labelColor", "stripColor", "footerBackgroundColor")

_REQUIRED = (
    "formatVersion",
    "passTypeIdentifier",
    "serialNumber",
    "teamIdentifier",
    "organizationName",
    "description",
)
_NAMES: dict[type, str] = {
    str: "text",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}
_TYPES: dict[str, type] = (
    dict.fromkeys(
        (
            "passTypeIdentifier",
            "serialNumber",
            "teamIdentifier",
            "organizationName",
            "description",
            "webServiceURL",
            "authenticationToken",
            "relevantDate",
            "expirationDate",
            "logoText",
            "groupingIdentifier",
            "appLaunchURL",
            "eventLogoText",
            *COLOURS,
        ),
        str,
    )
    | dict.fromkeys(("formatVersion", "maxDistance"), float)
    | dict.fromkeys(
        (
            "voided",
            "sharingProhibited",
            "suppressStripShine",
            "suppressHeaderDarkening",
            "useAutomaticColors",
        ),
        bool,
    )
    | dict.fromkeys(("nfc", "userInfo", "semantics", "barcode", *STYLES), dict)
    | dict.fromkeys(
        (
            "locations",
            "beacons",
            "barcodes",
            "relevantDates",
            "associatedStoreIdentifiers",
            "auxiliaryStoreIdentifiers",
            "preferredStyleSchemes",
            "featuredActions",
            "upcomingPassInformation",
        ),
        list,
    )
)


def required_keys(document: Mapping[str, Any]) -> Iterator[Finding]:
    """The six keys without which there is no card."""
    for key in _REQUIRED:
        if key not in document or document[key] == "":
            yield refuse("required-key-missing", key, "iOS refuses a card without it; give it a value")


def types(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Every key that iOS knows has the one JSON type that it expects; null has none."""
    for key, value in document.items():
        wanted = _TYPES.get(key) or (str if key.endswith("URL") else None)
        if wanted is None:
            yield Finding(
                "inform", "key-unknown", key, "no iOS that we know reads this key; check its spelling"
            )
        elif not has_type(value, wanted):
            yield refuse(
                "wrong-type", key, f"must be {_NAMES[wanted]}; leave the key out where there is no value"
            )


def format_version(document: Mapping[str, Any]) -> Iterator[Finding]:
    """There has only ever been format 1."""
    version = document.get("formatVersion")
    if has_type(version, float) and version != 1:
        yield refuse("format-version", "formatVersion", "must be 1")


def one_style(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Exactly one table of fields."""
    present = [style for style in STYLES if style in document]
    if not present:
        yield refuse(
            "style-missing", "storeCard", f"add one of {', '.join(STYLES)} with the fields of the card"
        )
    if len(present) > 1:
        yield refuse("two-styles", present[1], f"keep one style; {present[0]} is there already")


def web_service(document: Mapping[str, Any]) -> Iterator[Finding]:
    """An https web service and a token of at least 16 characters, together."""
    url, token = document.get("webServiceURL"), document.get("authenticationToken")
    if isinstance(url, str):
        if fault := web_service_url_fault(url):
            yield refuse("web-service-url", "webServiceURL", fault)
        if "authenticationToken" not in document:
            yield refuse(
                "authentication-token", "authenticationToken", "is needed wherever there is a webServiceURL"
            )
    if isinstance(token, str) and len(token) < SHORTEST_TOKEN:
        yield refuse(
            "authentication-token", "authenticationToken", f"must have at least {SHORTEST_TOKEN} characters"
        )


def dates(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Moments of the whole card, and the list of moments when it matters."""
    for key in ("relevantDate", "expirationDate"):
        value = document.get(key)
        if isinstance(value, str) and (fault := date_fault(value)):
            yield refuse("date-unreadable", key, fault)
    entries = document.get("relevantDates")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if fault := _relevant_date_fault(entry):
            yield warn("relevant-date-dropped", f"relevantDates[{index}]", f"iOS drops this entry; {fault}")


def _relevant_date_fault(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return "write a table with date, or with startDate and endDate"
    moments = [entry[key] for key in ("startDate", "endDate", "date", "relevantDate") if key in entry]
    if not ("date" in entry or {"startDate", "endDate"} <= set(entry)):
        return "write date, or startDate and endDate"
    for moment in moments:
        if not isinstance(moment, str):
            return "write the moment as text"
        if fault := date_fault(moment):
            return fault
    if {"startDate", "endDate"} <= set(entry):
        length = datetime.fromisoformat(entry["endDate"]) - datetime.fromisoformat(entry["startDate"])
        if not timedelta(0) <= length <= timedelta(hours=24):
            return "end after the start, at most 24 hours later"
    return None


def expiration(document: Mapping[str, Any], now: datetime) -> Iterator[Finding]:
    """A card that is over before it is issued."""
    value = document.get("expirationDate")
    if isinstance(value, str) and date_fault(value) is None and datetime.fromisoformat(value) <= now:
        yield warn("expired-already", "expirationDate", "lies in the past: Wallet files the card as expired")


def colours(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Colours that can be read, and words that can be read on them."""
    for key in COLOURS:
        value = document.get(key)
        if isinstance(value, str) and (fault := colour_fault(value)):
            yield refuse("colour-unreadable", key, fault)
    background = _luminance(document.get("backgroundColor"))
    for key in ("foregroundColor", "labelColor"):
        words = _luminance(document.get(key))
        if background is None or words is None:
            continue
        contrast = (max(words, background) + 0.05) / (min(words, background) + 0.05)
        if contrast < LEAST_CONTRAST:
            yield warn(
                "low-contrast",
                key,
                f"is hard to read on the background ({contrast:.1f} : 1, wanted {LEAST_CONTRAST:.0f} : 1); "
                "choose a lighter or darker colour",
            )


def _luminance(value: Any) -> float | None:
    """Relative luminance (WCAG 2.1)."""
    rgb = parse_colour(value) if isinstance(value, str) else None
    if rgb is None:
        return None
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in rgb)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def links(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Store identifiers and URLs."""
    stores = document.get("associatedStoreIdentifiers")
    for index, store in enumerate(stores if isinstance(stores, list) else ()):
        if not has_type(store, float):
            yield refuse("store-identifier", f"associatedStoreIdentifiers[{index}]", "must be a number")
    if "appLaunchURL" in document and not stores:
        yield refuse("app-launch-url", "appLaunchURL", "needs an entry in associatedStoreIdentifiers")
    for key, value in document.items():
        is_link = key.endswith("URL") and key != "webServiceURL" and isinstance(value, str)
        if is_link and (fault := url_fault(value)):
            yield refuse("url", key, fault)


def style_schemes(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Names of styles."""
    schemes = document.get("preferredStyleSchemes")
    for index, scheme in enumerate(schemes if isinstance(schemes, list) else ()):
        if not isinstance(scheme, str):
            yield refuse("style-scheme", f"preferredStyleSchemes[{index}]", "must be text")


def grouping(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Apple allows the key on two styles only."""
    if "groupingIdentifier" in document and not {"eventTicket", "boardingPass"} & set(document):
        yield warn("grouping", "groupingIdentifier", "is for event tickets and boarding passes; leave it out")


RULES: tuple[Rule, ...] = (
    required_keys, types, format_version, one_style, web_service, dates, colours, links, style_schemes,
    grouping,
)  # fmt: skip
