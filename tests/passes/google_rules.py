"""What a body that is sent to Google must be: the discovery document's shapes, and the rules of its prose.

The shapes are those of the copy inside google-api-python-client; it never changes with the service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

REVISION = "20260806"
_ID = re.compile(r"\d{1,20}\.[A-Za-z0-9._-]+")
_MODULE_ID = re.compile(r"[A-Za-z0-9_-]+")
_PATH = re.compile(r"(class|object)\.([a-zA-Z]+)(\.[a-zA-Z]+|\['[A-Za-z0-9_-]+'\])?")
_REQUIRED = {
    "LoyaltyClass": ("id", "issuerName", "programName", "programLogo", "reviewStatus"),
    "LoyaltyObject": ("id", "classId", "state"),
    "LoyaltyPoints": ("balance",),
    "LocalizedString": ("defaultValue",),
    "TranslatedString": ("language", "value"),
    "MerchantLocation": ("latitude", "longitude"),
}


@cache
def schemas() -> dict[str, Any]:
    place = files("googleapiclient") / "discovery_cache" / "documents" / "walletobjects.v1.json"
    document = json.loads(place.read_text("utf-8"))
    assert document["revision"] == REVISION
    found: dict[str, Any] = document["schemas"]
    return found


def faults(body: Mapping[str, Any], schema: str, *, patch: bool = False) -> list[str]:
    """Every reason why Google would refuse this ``schema``; a ``patch`` needs nothing and may clear."""
    return list(_object(body, schema, schema, patch=patch))


def _object(body: Any, name: str, at: str, *, patch: bool) -> Iterator[str]:
    if not isinstance(body, Mapping):
        yield f"{at}: no object"
        return
    known = schemas()[name]["properties"]
    for field in () if patch and at == name else _REQUIRED.get(name, ()):
        if field not in body:
            yield f"{at}.{field}: required"
    for field, value in body.items():
        if field not in known:
            yield f"{at}.{field}: unknown name"
        elif value is None:
            if not (patch and at == name):
                yield f"{at}.{field}: null"
        else:
            yield from _value(value, known[field], f"{at}.{field}", patch=patch)
    yield from _prose(body, name, at)


def _value(value: Any, shape: Mapping[str, Any], at: str, *, patch: bool) -> Iterator[str]:
    if reference := shape.get("$ref"):
        yield from _object(value, reference, at, patch=patch)
    elif shape["type"] != "array":
        if not _SCALARS[shape["type"]](value):
            yield f"{at}: no {shape['type']}"
        elif shape.get("format") == "int64" and not re.fullmatch(r"-?\d{1,19}", value):
            yield f"{at}: no int64"
        elif "enum" in shape and value not in _allowed(shape):
            yield f"{at}: {value!r} is none of {shape['enum']}"
    elif not isinstance(value, list):
        yield f"{at}: no array"
    else:
        for number, each in enumerate(value):
            yield from _value(each, shape["items"], f"{at}[{number}]", patch=patch)


_SCALARS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int and -(2**31) <= value < 2**31,
    "number": lambda value: type(value) in (int, float) and value == value,
    "boolean": lambda value: type(value) is bool,
}


def _allowed(shape: Mapping[str, Any]) -> list[str]:
    """The values that are not mere aliases of old."""
    deprecated = shape.get("enumDeprecated", [False] * len(shape["enum"]))
    return [each for each, old in zip(shape["enum"], deprecated, strict=True) if not old]


def _prose(body: Mapping[str, Any], name: str, at: str) -> Iterator[str]:
    for field, most in (("messages", 10), ("merchantLocations", 10), ("cardRowTemplateInfos", 3)):
        if len(body.get(field) or ()) > most:
            yield f"{at}.{field}: more than {most}"
    for said, ok in _RULES.get(name, {}).items():
        if not ok(body):
            yield f"{at}: {said}"


def _ids(body: Mapping[str, Any]) -> bool:
    return all(_ID.fullmatch(body[field]) for field in ("id", "classId") if field in body)


def _ten_texts(body: Mapping[str, Any]) -> bool:
    return len(body.get("textModulesData") or ()) <= 10


def _colour(body: Mapping[str, Any]) -> bool:
    return re.fullmatch("#[0-9a-fA-F]{6}", body.get("hexBackgroundColor") or "#000000") is not None


def _path(body: Mapping[str, Any]) -> bool:
    match = _PATH.fullmatch(body["fieldPath"])
    if match is None:
        return False
    known: list[str] = list(
        schemas()["LoyaltyClass" if match[1] == "class" else "LoyaltyObject"]["properties"]
    )
    return bool(match[2] in known)


def _on_earth(body: Mapping[str, Any]) -> bool:
    latitude, longitude = float(body["latitude"]), float(body["longitude"])
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


_Rules = Mapping[str, Callable[[Mapping[str, Any]], bool]]
_RULES: Mapping[str, _Rules] = {
    "LoyaltyClass": {
        "an id is ISSUER.suffix": _ids,
        "ten text modules are shown": _ten_texts,
        "APPROVED is refused, use UNDER_REVIEW": lambda body: (
            body.get("reviewStatus") in (None, "UNDER_REVIEW")
        ),
        "a colour is #rrggbb": _colour,
    },
    "LoyaltyObject": {"an id is ISSUER.suffix": _ids, "ten text modules are shown": _ten_texts},
    "Image": {
        "exactly one of sourceUri and privateImageId": lambda body: (
            ("sourceUri" in body) != ("privateImageId" in body)
        )
    },
    "ImageUri": {"Google fetches it": lambda body: body["uri"].startswith("https://")},
    "CallbackOptions": {"https": lambda body: body["url"].startswith("https://")},
    "Uri": {"a scheme": lambda body: re.match(r"(https?|geo|tel|mailto):.", body["uri"]) is not None},
    "LoyaltyPointsBalance": {"exactly one kind of balance": lambda body: len(body) == 1},
    "MerchantLocation": {"on earth": _on_earth},
    "TextModuleData": {"no dots": lambda body: _MODULE_ID.fullmatch(body["id"]) is not None},
    "CardRowTemplateInfo": {"exactly one of the three": lambda body: len(body) == 1},
    "FieldReference": {"a field that there is": _path},
    "Message": {"supported": lambda body: body.get("messageType") in ("TEXT", "TEXT_AND_NOTIFY")},
}
