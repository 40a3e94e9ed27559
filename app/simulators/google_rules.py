"""What Google's prose demands of loyalty classes and objects, as a table: every rule names its source.

[D] is a description in the discovery document, [G] a page of developers.google.com/wallet, [F] what
implementers met on the wire, [S] our own strictness where Google is silent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from app.simulators.google_errors import Refused, invalid
from app.simulators.google_schema import Body, messages

IDENTIFIER = re.compile(r"\d{1,20}\.[A-Za-z0-9._-]+")
_HEX = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_TEXT_ID = re.compile(r"[A-Za-z0-9_-]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_FIELD_PATH = re.compile(r"(?:object|class)\.\w+(?:\['[A-Za-z0-9_-]+'\])?(?:\.\w+(?:\['[A-Za-z0-9_-]+'\])?)*")
_FRACTION = re.compile(r"\.\d{1,9}")
_OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d(?::\d\d)?)$")


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand on every object of a schema."""

    schema: str
    words: str  # told to the caller after the place
    source: str
    holds: Callable[[Body], bool]


def _has(*names: str) -> Callable[[Body], bool]:
    return lambda body: all(body.get(name) not in (None, "") for name in names)


def _one_of(*names: str) -> Callable[[Body], bool]:
    return lambda body: sum(name in body for name in names) == 1


def _at_most(name: str, count: int) -> Callable[[Body], bool]:
    return lambda body: len(body.get(name, ())) <= count


def _like(name: str, pattern: re.Pattern[str]) -> Callable[[Body], bool]:
    return lambda body: name not in body or pattern.fullmatch(body[name]) is not None


def _https(name: str) -> Callable[[Body], bool]:
    """Https; plain http to this machine too, as everything of the sandbox."""

    def holds(body: Body) -> bool:
        parts = urlsplit(body.get(name, "https://kofe.example"))
        return bool(parts.hostname) and (
            parts.scheme == "https"
            or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"})
        )

    return holds


def _in_degrees(body: Body) -> bool:
    latitude, longitude = body.get("latitude"), body.get("longitude")
    return latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180


def _interval(body: Body) -> bool:
    ends = [body[name].get("date", "") for name in ("start", "end") if name in body]
    return len({bool(_OFFSET.search(end)) for end in ends}) <= 1


def _moment(body: Body) -> bool:
    """ISO 8601 extended, to the nanosecond, offset or none."""
    said = body.get("date", "")
    try:
        datetime.fromisoformat(_FRACTION.sub("", said))
    except ValueError:
        return False
    return "T" in said


def _languages(body: Body) -> bool:
    told = [each.get("language", "") for each in body.get("translatedValues", ())]
    return len(told) == len(set(told))


_REQUIRED = '[D] descriptions that begin with "Required."'
RULES = (
    Rule(
        "LoyaltyClass",
        "id, issuerName, programName, programLogo and reviewStatus are required.",
        _REQUIRED,
        _has("id", "issuerName", "programName", "programLogo", "reviewStatus"),
    ),
    Rule(
        "LoyaltyObject",
        "id, classId and state are required.",
        _REQUIRED,
        _has("id", "classId", "state"),
    ),
    Rule(
        "LoyaltyClass",
        "merchantLocations: at most 10.",
        "[D] merchantLocations",
        _at_most("merchantLocations", 10),
    ),
    Rule(
        "LoyaltyObject",
        "merchantLocations: at most 10.",
        "[D] merchantLocations",
        _at_most("merchantLocations", 10),
    ),
    Rule("LoyaltyClass", "messages: at most 10.", "[D] messages", _at_most("messages", 10)),
    Rule("LoyaltyObject", "messages: at most 10.", "[D] messages", _at_most("messages", 10)),
    Rule("LoyaltyClass", "valueAddedModuleData: at most 15.", "[D]", _at_most("valueAddedModuleData", 15)),
    Rule("LoyaltyObject", "valueAddedModuleData: at most 15.", "[D]", _at_most("valueAddedModuleData", 15)),
    Rule(
        "LoyaltyClass",
        "hexBackgroundColor: expected #rrggbb or #rgb.",
        "[D]",
        _like("hexBackgroundColor", _HEX),
    ),
    Rule(
        "LoyaltyClass",
        "countryCode: expected two letters of ISO 3166-1.",
        "[S]",
        _like("countryCode", re.compile("[A-Z]{2}")),
    ),
    Rule(
        "LoyaltyObject",
        "smartTapRedemptionValue: only ASCII characters are supported.",
        "[D] smartTapRedemptionValue",
        lambda body: body.get("smartTapRedemptionValue", "").isascii(),
    ),
    Rule(
        "LoyaltyObject",
        "linkedObjectIds: at most 50.",
        "[G] linked passes",
        _at_most("linkedObjectIds", 50),
    ),
    Rule(
        "LoyaltyObject",
        "disableExpirationNotification: can only be set for offers.",
        "[D] disableExpirationNotification",
        lambda body: not body.get("disableExpirationNotification"),
    ),
    Rule("LoyaltyPoints", "balance is required.", "[D] LoyaltyPoints.balance", _has("balance")),
    Rule(
        "LoyaltyPointsBalance",
        "only one of string, int, double, money should be populated.",
        "[D] LoyaltyPointsBalance",
        _one_of("string", "int", "double", "money"),
    ),
    Rule(
        "Money",
        "micros and currencyCode (ISO 4217) are required.",
        "[S]",
        lambda body: "micros" in body and re.fullmatch("[A-Z]{3}", body.get("currencyCode", "")) is not None,
    ),
    Rule(
        "Image",
        "exactly one of sourceUri and privateImageId.",
        "[D] Image",
        _one_of("sourceUri", "privateImageId"),
    ),
    Rule(
        "ImageUri",
        "uri must have a scheme.",
        "[D] ImageUri.uri",
        lambda body: bool(urlsplit(body.get("uri", "")).scheme),
    ),
    Rule(
        "Uri",
        "uri must have a scheme.",
        "[D] Uri.uri",
        lambda body: bool(urlsplit(body.get("uri", "")).scheme),
    ),
    Rule(
        "TextModuleData",
        "id: alphanumeric characters, '_' or '-'.",
        "[D] TextModuleData.id",
        _like("id", _TEXT_ID),
    ),
    Rule(
        "Barcode",
        "alternateText is not for TEXT_ONLY.",
        "[D] Barcode.alternateText",
        lambda body: body.get("type") != "TEXT_ONLY" or "alternateText" not in body,
    ),
    Rule(
        "Barcode",
        "renderEncoding is for QR_CODE only.",
        "[D] Barcode.renderEncoding",
        lambda body: (
            body.get("type") == "QR_CODE"
            or body.get("renderEncoding", "UTF_8") != "UTF_8"
            or "renderEncoding" not in body
        ),
    ),
    Rule(
        "RotatingBarcode",
        "type must be QR_CODE or PDF_417.",
        "[G] rotating barcodes",
        lambda body: body.get("type") in {"QR_CODE", "PDF_417"},
    ),
    Rule(
        "RotatingBarcode",
        "initialRotatingBarcodeValues: only available for the transit vertical.",
        "[D] RotatingBarcode",
        lambda body: "initialRotatingBarcodeValues" not in body,
    ),
    Rule("TimeInterval", "start and end: both with an offset, or none.", "[D] TimeInterval", _interval),
    Rule("DateTime", "date: expected ISO 8601 with date and time.", "[D] DateTime.date", _moment),
    Rule("MerchantLocation", "out of bounds.", "[D] MerchantLocation", _in_degrees),
    Rule("LatLongPoint", "out of bounds.", "[D] LatLongPoint", _in_degrees),
    Rule(
        "Message",
        "EXPIRATION_NOTIFICATION is currently not supported.",
        "[D] Message.messageType",
        lambda body: body.get("messageType") != "EXPIRATION_NOTIFICATION",
    ),
    Rule("ValueAddedModuleData", "header and uri are required.", "[D]", _has("header", "uri")),
    Rule("LocalizedString", "defaultValue is required.", "[S]", _has("defaultValue")),
    Rule("LocalizedString", "translatedValues: one a language.", "[S]", _languages),
    Rule(
        "TranslatedString",
        "language (BCP 47) and value are required.",
        "[D] TranslatedString",
        lambda body: bool(body.get("value")) and _LANGUAGE.fullmatch(body.get("language", "")) is not None,
    ),
    Rule(
        "CardTemplateOverride",
        "cardRowTemplateInfos: at most 3.",
        "[D] CardTemplateOverride",
        _at_most("cardRowTemplateInfos", 3),
    ),
    Rule(
        "CardRowTemplateInfo",
        "exactly one of oneItem, twoItems, threeItems must be set.",
        "[D] CardRowTemplateInfo",
        _one_of("oneItem", "twoItems", "threeItems"),
    ),
    Rule(
        "TemplateItem",
        "only one of firstValue and predefinedItem may be set; secondValue needs firstValue.",
        "[D] TemplateItem",
        lambda body: (
            _one_of("firstValue", "predefinedItem")(body)
            and ("secondValue" not in body or "firstValue" in body)
        ),
    ),
    Rule("FieldReference", "fieldPath: no such path.", "[D] FieldReference", _like("fieldPath", _FIELD_PATH)),
    Rule("CallbackOptions", "url must be https.", "[D] CallbackOptions.url", _https("url")),
    Rule("JwtResource", "jwt is required.", _REQUIRED, _has("jwt")),
    Rule("JsonResource", "json is required.", _REQUIRED, _has("json")),
    Rule(
        "JwtValidateRequest",
        "exactly one of jwtResource and jsonResource.",
        "[D] JwtValidateRequest",
        _one_of("jwtResource", "jsonResource"),
    ),
)
_OF_SCHEMA: dict[str, list[Rule]] = {}
for _rule in RULES:
    _OF_SCHEMA.setdefault(_rule.schema, []).append(_rule)


def judge(body: Body, schema: str) -> None:
    """Raises Refused (400) for the first rule that a checked body breaks."""
    for inner, path, part in messages(body, schema):
        for rule in _OF_SCHEMA.get(inner, ()):
            if not rule.holds(part):
                raise invalid(f"{path or schema}: {rule.words}")


def judge_identifier(identifier: Any) -> None:
    """``issuer.suffix``; raises Refused (400) worded as on the wire. [D] [F google-wallet/rest-samples#60]"""
    if not isinstance(identifier, str) or not IDENTIFIER.fullmatch(identifier):
        raise Refused(400, f"Invalid resource ID: {identifier}", "invalidResource")
