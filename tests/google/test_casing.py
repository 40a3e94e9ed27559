"""Both casings of Google's enums, against its own discovery document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import googleapiclient
import pytest

from app.google import casing

DOCUMENT = json.loads(
    (Path(googleapiclient.__file__).parent / "discovery_cache/documents/walletobjects.v1.json").read_bytes()
)
OURS = ("LoyaltyClass", "LoyaltyObject", "Message", "Issuer", "LoyaltyClassListResponse")


def fields(schema: str, seen: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field that a loyalty class, object or message can hold, however deep."""
    if schema in seen:
        return
    seen.add(schema)
    for name, one in DOCUMENT["schemas"][schema].get("properties", {}).items():
        kind = one["items"] if one.get("type") == "array" else one
        if "$ref" in kind:
            yield from fields(kind["$ref"], seen)
        else:
            yield name, kind


ALL = [found for schema in OURS for found in fields(schema, set())]


def test_the_revision_is_the_one_that_was_read() -> None:
    assert DOCUMENT["revision"] == "20260806"


def test_every_enum_field_is_known_and_no_other_field_is_called_so() -> None:
    enums = {name for name, kind in ALL if "enum" in kind}
    assert enums == casing.ENUMS
    plain = {name for name, kind in ALL if "enum" not in kind and kind.get("type") == "string"}
    assert not plain & casing.ENUMS


def test_every_old_alias_becomes_a_value_of_today() -> None:
    aliases = 0
    for name, kind in ALL:
        if "enum" not in kind:
            continue
        deprecated = kind.get("enumDeprecated", [False] * len(kind["enum"]))
        today = {value for value, old in zip(kind["enum"], deprecated, strict=True) if not old}
        for value in kind["enum"]:
            assert casing.told({name: value}) in [{name: one} for one in today], value
            aliases += value not in today
    assert aliases > 40


def test_what_was_seen_on_the_wire_is_understood() -> None:
    answered = {
        "state": "active",
        "multipleDevicesAndHoldersAllowedStatus": "statusUnspecified",
        "reviewStatus": "underReview",
        "barcode": {"type": "qrcode", "value": "active", "alternateText": "qrCode"},
        "messages": [{"messageType": "textAndNotify", "body": "underReview", "id": "text"}],
        "hasUsers": False,
        "loyaltyPoints": {"balance": {"int": 7}},
        "nothing": None,
    }
    before = json.dumps(answered)
    assert casing.told(answered) == {
        "state": "ACTIVE",
        "multipleDevicesAndHoldersAllowedStatus": "STATUS_UNSPECIFIED",
        "reviewStatus": "UNDER_REVIEW",
        "barcode": {"type": "QR_CODE", "value": "active", "alternateText": "qrCode"},
        "messages": [{"messageType": "TEXT_AND_NOTIFY", "body": "underReview", "id": "text"}],
        "hasUsers": False,
        "loyaltyPoints": {"balance": {"int": 7}},
        "nothing": None,
    }
    assert json.dumps(answered) == before


@pytest.mark.parametrize("value", ["NOTIFY_ON_UPDATE", "CODE_39", "TOTP_SHA1", "", "ACTIVE"])
def test_what_is_so_already_stays(value: str) -> None:
    assert casing.told({"state": value}) == {"state": value}
