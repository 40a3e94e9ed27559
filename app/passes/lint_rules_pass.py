"""What iOS checks in the top level of pass.json when a card is added.

Any key with another JSON type than these, null included, keeps the whole card from being added, and the
guest sees nothing that would help. Source of the rules: Apple, "Pass", and the validator inside iOS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from app.colours import Colour, contrast, parse_colour
from app.passes.findings import Finding, inform, refuse, warn
from app.passes.layout import STYLES
from app.passes.lint_rules_values import (
    LEAST_CONTRAST,
    colour_fault,
    date_fault,
    has_type,
    url_fault,
    web_service_url_fault,
)

Rule = Callable[[Mapping[str, Any]], Iterator[Finding]]

SHORTEST_TOKEN = 16
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
    | dict.fromkeys(("nfc", "userInfo", "semantics", "barcode", "posterGeneric", *STYLES), dict)
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
            yield inform("key-unknown", key, "no iOS that we know reads this key; check its spelling")
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
    """Moments of the whole card."""
    for key in ("relevantDate", "expirationDate"):
        value = document.get(key)
        if isinstance(value, str) and (fault := date_fault(value)):
            yield refuse("date-unreadable", key, fault)


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
    background = _colour(document, "backgroundColor")
    for key in ("foregroundColor", "labelColor"):
        words = _colour(document, key)
        if background is None or words is None:
            continue
        if (found := contrast(words, background)) < LEAST_CONTRAST:
            yield warn(
                "low-contrast",
                key,
                f"is hard to read on the background ({found:.1f} : 1, wanted {LEAST_CONTRAST:.0f} : 1); "
                "choose a lighter or darker colour",
            )


def _colour(document: Mapping[str, Any], key: str) -> Colour | None:
    value = document.get(key)
    return parse_colour(value) if isinstance(value, str) else None


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


def amounts(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A semantic amount of money is text with its currency, wherever it stands."""
    pending = [
        (f"{where}semantics", holder["semantics"])
        for where, holder in _semantic(document)
        if "semantics" in holder
    ]
    while pending:
        where, value = pending.pop()
        if not isinstance(value, dict):
            continue
        if "currencyCode" in value and not isinstance(value.get("amount"), str):
            yield warn("semantic-amount", where, 'write the amount as text: amount = "12.50"')
        pending += [(f"{where}.{key}", each) for key, each in value.items()]


def _semantic(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "", document
    for style in STYLES:
        groups = document.get(style)
        for group, fields in groups.items() if isinstance(groups, dict) else ():
            for index, field in enumerate(fields if isinstance(fields, list) else ()):
                if isinstance(field, dict):
                    yield f"{style}.{group}[{index}].", field


RULES: tuple[Rule, ...] = (
    required_keys, types, format_version, one_style, web_service, dates, colours, links, style_schemes,
    grouping, amounts,
)  # fmt: skip
