"""Bodies against the schemas of the discovery document: names, types, ranges, enumerations."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from app.simulators.google_discovery import discovery
from app.simulators.google_errors import malformed

Body = dict[str, Any]
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_KINDS = {"Message": "walletObjectMessage"}  # of the deprecated "kind", where it is not the schema's name


def checked(document: Body, schema: str, lints: list[str]) -> Body:
    """``document`` in Google's own spelling: enumerations in upper case, int64 as strings.

    Nulls stay (PATCH clears by them). What Google takes with a frown is told to ``lints``. Raises Refused
    (400) for an unknown name, a wrong type, a number out of range, an unknown enumeration.
    """
    return _object(document, schema, "", lints)


def messages(document: Body, schema: str, path: str = "") -> Iterator[tuple[str, str, Body]]:
    """Every object within a checked body: its schema, where it stands, itself; the outermost first."""
    yield schema, path, document
    properties = discovery().schemas[schema].get("properties", {})
    for name, value in document.items():
        about = properties[name]
        inner = about.get("$ref") or about.get("items", {}).get("$ref")
        if inner is None or value is None:
            continue
        below = f"{path}.{name}" if path else name
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from messages(item, inner, f"{below}[{number}]")
        else:
            yield from messages(value, inner, below)


def in_legacy_casing(document: Body, schema: str) -> Body:
    """The same as answers of the old interface spell it: lower camel enumerations, ``kind`` everywhere."""
    properties = discovery().schemas[schema].get("properties", {})
    said: Body = {}
    if "kind" in properties:
        said["kind"] = f"walletobjects#{_KINDS.get(schema, schema[0].lower() + schema[1:])}"
    for name, value in document.items():
        if name == "hasUsers" and not value:  # was left out of the answers that were seen
            continue
        about = properties[name]
        many = about.get("type") == "array"
        about = about.get("items", about) if many else about
        values = [_legacy_value(each, about) for each in (value if many else [value])]
        said[name] = values if many else values[0]
    return said


def _legacy_value(value: Any, about: dict[str, Any]) -> Any:
    if "$ref" in about:
        return in_legacy_casing(value, about["$ref"])
    if "enum" in about:
        return _aliases(tuple(about["enum"]))[1].get(value, _camel(value))
    return value


def _camel(word: str) -> str:
    first, *others = word.lower().split("_")
    return first + "".join(other.capitalize() for other in others)


@cache
def _aliases(words: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Old spelling → today's, and today's → the first old one."""
    today = {word.replace("_", "").lower(): word for word in words if word.isupper() and "_" in word}
    today |= {word.lower(): word for word in words if word.isupper() and word.lower() not in today}
    to_today: dict[str, str] = {}
    to_old: dict[str, str] = {}
    for word in words:
        upper = today[word.replace("_", "").lower()]
        if word != upper:
            to_today[word] = upper
            to_old.setdefault(upper, word)
    return to_today, to_old


def _object(value: Any, schema: str, path: str, lints: list[str]) -> Body:
    if not isinstance(value, dict):
        raise malformed(f"Invalid value at '{_snake(path)}' (Map), {value!r}")
    properties = discovery().schemas[schema].get("properties", {})
    said: Body = {}
    for name, inner in value.items():
        about = properties.get(name)
        if about is None:
            at = f" at '{_snake(path)}'" if path else ""
            raise malformed(f'Unknown name "{name}"{at}: Cannot find field.')
        below = f"{path}.{name}" if path else name
        if about.get("deprecated"):
            lints.append(f"{schema}.{name} is deprecated")
        said[name] = None if inner is None else _value(inner, about, below, lints)
    return said


def _value(value: Any, about: dict[str, Any], path: str, lints: list[str]) -> Any:
    if "$ref" in about:
        return _object(value, about["$ref"], path, lints)
    kind = about.get("format") or about["type"]
    match kind:
        case "array" if isinstance(value, list):
            items = about["items"]
            return [_value(each, items, f"{path}[{number}]", lints) for number, each in enumerate(value)]
        case "boolean" if isinstance(value, bool):
            return value
        case "int32" if type(value) is int and -(2**31) <= value < 2**31:
            return value
        case "double" if type(value) in {int, float} and math.isfinite(value):
            return value
        case "int64" if (number := _int64(value)) is not None:
            return str(number)
        case "string" if isinstance(value, str):
            return _enumerated(value, about, path, lints)
    raise malformed(f"Invalid value at '{_snake(path)}' (TYPE_{kind.upper()}), {value!r}")


def _int64(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value):
        value = int(value)
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def _enumerated(value: str, about: dict[str, Any], path: str, lints: list[str]) -> str:
    words = about.get("enum")
    if words is None:
        return value
    if value not in words:
        raise malformed(f"Invalid value at '{_snake(path)}' (TYPE_ENUM), \"{value}\"")
    today = _aliases(tuple(words))[0].get(value, value)
    if today != value:
        lints.append(f"{path}: {value} is an old spelling of {today}")
    return today


def _snake(path: str) -> str:
    return _CAPITAL.sub("_", path).lower()
