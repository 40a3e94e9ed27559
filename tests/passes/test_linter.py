"""Every reason for which iOS refuses a card is a rule: one row here for each, and what is merely ugly."""

from __future__ import annotations

import base64
import json
import shutil
import struct
import zlib
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from app.passes.bundle import PreparedDesign, build
from app.passes.findings import refusals
from app.passes.layout import merge
from app.passes.linter import lint_layout, lint_pass, lint_template
from tests.passes import card

TEMPLATES = Path(__file__).parents[2] / "pass_templates"
FILES = {
    f"{name}{scale}.png": card.png(width * times, height * times)
    for name, width, height in (("icon", 29, 29), ("logo", 160, 50), ("strip", 375, 144))
    for scale, times in (("", 1), ("@2x", 2), ("@3x", 3))
}
GONE = "(the key is gone)"
BEACON = {"proximityUUID": "F8F589E9-C07E-58B0-AEAB-A36BE4D48FAC"}
CODE = {"format": "PKBarcodeFormatQR", "message": "A", "messageEncoding": "utf-8"}
FIELD = "storeCard.primaryFields.0"
BACK = "storeCard.backFields.1"
EC_KEY = ec.derive_private_key(7, ec.SECP256R1()).public_key()
P384_KEY = ec.derive_private_key(7, ec.SECP384R1()).public_key()


KEYS = (
    "webServiceURL", "authenticationToken", "relevantDate", "expirationDate", "relevantDates", "locations",
    "beacons", "backgroundColor", "labelColor", "barcode", "barcodes", "nfc", "associatedStoreIdentifiers",
    "appLaunchURL", "preferredStyleSchemes", "storeCard", "generic", "primaryFields", "backFields", "key",
    "label", "value", "changeMessage", "dateStyle", "timeStyle", "numberStyle", "currencyCode", "row",
    "format", "message", "messageEncoding", "latitude", "longitude", "maxDistance", "proximityUUID",
    "major", "startDate", "endDate", "date", "empty", "optional", "dataDetectorTypes",
    "encryptionPublicKey", "formatVersion",
)  # fmt: skip


def compact_key(key: ec.EllipticCurvePublicKey = EC_KEY) -> str:
    """A DER SubjectPublicKeyInfo with a compressed point, as Apple asks for."""
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
    bits = b"\x03" + bytes([len(point) + 1]) + b"\0" + point
    return base64.b64encode(b"\x30" + bytes([len(algorithm) + len(bits)]) + algorithm + bits).decode()


def plain_key(key: ec.EllipticCurvePublicKey) -> str:
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with other values at dotted paths; a number is a place in a list, `GONE` takes a key out."""
    document = deepcopy(document)
    for path, value in changes.items():
        target: Any = document
        *parents, last = path.split(".")
        for part in parents:
            target = target[int(part)] if isinstance(target, list) else target[part]
        if value is GONE:
            del target[last]
        elif isinstance(target, list):
            target[int(last)] = value
        else:
            target[last] = value
    return document


@pytest.fixture(scope="module")
def good(prepared: PreparedDesign) -> dict[str, Any]:
    bundle = build(card.content(), card.IDENTITY, prepared, signing_time=card.NOW)
    document: dict[str, Any] = json.loads(card.unpacked(bundle)["pass.json"])
    return document


def said(document: dict[str, Any], files: dict[str, bytes] = FILES) -> set[tuple[str, str]]:
    return {(each.severity, each.code) for each in lint_pass(document, files, now=card.NOW)}


def test_a_good_card_has_nothing_to_hear(good: dict[str, Any]) -> None:
    assert lint_pass(good, FILES, now=card.NOW) == []


ACCEPTED = [
    {"relevantDate": "1980-05-07T10:30-05:00"},
    {"expirationDate": "2030-05-07T10:30:59Z"},
    {"locations.0.altitude": -3.5, "locations.0.maxDistance": 80, "locations.0.name": "Кафе"},
    {"foregroundColor": "#ffFFff"},
    {"stripColor": "rgb( 255,255 , 255 )"},
    {"appLaunchURL": "berezka://card", "associatedStoreIdentifiers": [123456]},
    {"nfc": {"message": "K7Q2M9XA", "encryptionPublicKey": compact_key()}},
    {"beacons": [BEACON | {"major": 0, "minor": 65535}]},
    {"relevantDates": [{"startDate": "2026-12-31T00:00Z", "endDate": "2026-12-31T23:00Z"}]},
    {"relevantDates": [{"date": "2026-12-31T00:00Z", "relevantDate": "2026-12-31T00:00Z"}]},
    {"webServiceURL": "http://127.0.0.1:8000/passkit"},
    {"webServiceURL": "http://localhost:8000/passkit"},
    {f"{BACK}.dataDetectorTypes": ["PKDataDetectorTypeLink"]},
    {f"{FIELD}.currencyCode": "RUB", f"{FIELD}.numberStyle": GONE},
    {
        f"{BACK}.value": "2026-12-31T00:00Z",
        f"{BACK}.dateStyle": "PKDateStyleFull",
        f"{BACK}.timeStyle": "PKDateStyleNone",
    },
    {"storeCard.backFields.0.changeMessage": "На 100 %% вашe: %@"},
    {"storeCard.auxiliaryFields.0.row": 1},
    {"userInfo": {"any": [1, None]}, "preferredStyleSchemes": ["storeCard"]},
    {"tellURL": "tel:+78120000000"},
]  # fmt: skip


@pytest.mark.parametrize("changes", ACCEPTED, ids=str)
def test_what_ios_takes_is_not_refused(good: dict[str, Any], changes: dict[str, Any]) -> None:
    assert not refusals(lint_pass(changed(good, changes), FILES, now=card.NOW))


WRONG_TYPES: list[tuple[str, Any]] = [
    (key, None)
    for key in (
        "formatVersion", "passTypeIdentifier", "serialNumber", "teamIdentifier", "organizationName",
        "description", "webServiceURL", "authenticationToken", "relevantDate", "expirationDate",
        "relevantDates", "locations", "beacons", "foregroundColor", "backgroundColor", "labelColor",
        "stripColor", "footerBackgroundColor", "barcode", "barcodes", "nfc", "associatedStoreIdentifiers",
        "appLaunchURL", "sellURL", "preferredStyleSchemes", "voided", "sharingProhibited",
        "groupingIdentifier", "logoText", "userInfo", "semantics", "storeCard", "maxDistance",
    )
] + [
    ("formatVersion", "1"), ("formatVersion", True), ("serialNumber", 17), ("organizationName", ["Берёзка"]),
    ("voided", 1), ("voided", "true"), ("sharingProhibited", "no"), ("groupingIdentifier", 5),
    ("logoText", {}), ("userInfo", "x"), ("semantics", []), ("locations", {}), ("beacons", "x"),
    ("barcodes", {}), ("barcode", []), ("nfc", "x"), ("relevantDates", "2026"), ("backgroundColor", 0),
    ("associatedStoreIdentifiers", 5), ("preferredStyleSchemes", "storeCard"), ("storeCard", []),
    ("maxDistance", "100"), ("maxDistance", float("nan")), ("webServiceURL", 5), ("authenticationToken", 5),
    ("sellURL", 5), ("expirationDate", 1798675200),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), WRONG_TYPES, ids=repr)
def test_another_json_type_is_refused(good: dict[str, Any], key: str, value: Any) -> None:
    found = lint_pass(changed(good, {key: value}), FILES, now=card.NOW)
    assert ("wrong-type", key) in {(each.code, each.where) for each in refusals(found)}


REFUSED: list[tuple[dict[str, Any], str]] = [
    *(
        ({key: gone}, "required-key-missing")
        for key in (
            "formatVersion", "passTypeIdentifier", "serialNumber", "teamIdentifier", "organizationName",
            "description",
        )
        for gone in ((GONE, "") if key != "formatVersion" else (GONE,))
    ),
    ({"formatVersion": 2}, "format-version"),
    ({"storeCard": GONE}, "style-missing"),
    ({"generic": {}}, "two-styles"),
    ({"webServiceURL": "http://cards.example.com/passkit"}, "web-service-url"),
    ({"webServiceURL": "cards.example.com"}, "web-service-url"),
    ({"webServiceURL": "https://cards.example.com/passkit/v1"}, "web-service-url"),
    ({"webServiceURL": "http://localhost.example.com/passkit"}, "web-service-url"),
    ({"authenticationToken": GONE}, "authentication-token"),
    ({"authenticationToken": "0123456789abcde"}, "authentication-token"),
    *(
        ({key: value}, "date-unreadable")
        for key in ("relevantDate", "expirationDate")
        for value in (
            "", "2026-12-31", "2026-12-31T10:30", "2026-12-31T10Z", "2026-12-31T10:30:00.5Z", "31.12.2026",
            "2026-02-31T10:30Z",
        )
    ),
    ({"locations.0.latitude": 90.01}, "location"),
    ({"locations.0.latitude": -91}, "location"),
    ({"locations.0.latitude": "59.9"}, "location"),
    ({"locations.0.latitude": GONE}, "location"),
    ({"locations.0.latitude": True}, "location"),
    ({"locations.0.longitude": 180.5}, "location"),
    ({"locations.0.longitude": None}, "location"),
    ({"locations.0.altitude": None}, "location"),
    ({"locations.0.relevantText": None}, "location"),
    ({"locations.0.name": 5}, "location"),
    ({"locations.0.maxDistance": 0}, "location"),
    ({"locations.0.maxDistance": None}, "location"),
    ({"locations.0": "Невский, 1"}, "location"),
    ({"beacons": ["F8F589E9-C07E-58B0-AEAB-A36BE4D48FAC"]}, "beacon"),
    *(
        ({key: value}, "colour-unreadable")
        for key in ("foregroundColor", "backgroundColor", "labelColor", "stripColor", "footerBackgroundColor")
        for value in ("red", "rgb(1,2)", "rgb(256,0,0)", "#FFF", "")
    ),
    *(
        ({"barcode": CODE | change}, "barcode")
        for change in (
            {"message": None}, {"messageEncoding": 5}, {"format": "QR"}, {"messageEncoding": "koi-9"},
            {"message": "КОД", "messageEncoding": "iso-8859-1"}, {"altText": 5},
        )
    ),
    ({"barcodes.0.message": GONE}, "barcode"),
    ({"barcodes.0.format": GONE}, "barcode"),
    ({"barcodes.0.format": "PKBarcodeFormatEAN8"}, "barcode"),
    ({"barcodes.0.messageEncoding": GONE}, "barcode"),
    ({"barcodes.0.messageEncoding": "latin-17"}, "barcode"),
    ({"barcodes.0.message": "КАРТА"}, "barcode"),
    ({"barcodes.0.altText": None}, "barcode"),
    ({"barcodes.0": "K7Q2M9XA"}, "barcode"),
    ({"nfc": {}}, "nfc"),
    ({"nfc": {"message": "A"}}, "nfc"),
    ({"nfc": {"message": "A" * 65, "encryptionPublicKey": compact_key()}}, "nfc"),
    ({"nfc": {"message": None, "encryptionPublicKey": compact_key()}}, "nfc"),
    ({"nfc": {"message": "A", "encryptionPublicKey": "не ключ"}}, "nfc"),
    ({"nfc": {"message": "A", "encryptionPublicKey": base64.b64encode(b"key").decode()}}, "nfc"),
    ({"nfc": {"message": "A", "encryptionPublicKey": plain_key(EC_KEY)}}, "nfc"),
    ({"nfc": {"message": "A", "encryptionPublicKey": plain_key(P384_KEY)}}, "nfc"),
    ({"associatedStoreIdentifiers": ["123"]}, "store-identifier"),
    ({"associatedStoreIdentifiers": [True]}, "store-identifier"),
    ({"appLaunchURL": "berezka://card"}, "app-launch-url"),
    ({"appLaunchURL": "berezka://card", "associatedStoreIdentifiers": []}, "app-launch-url"),
    ({"appLaunchURL": "не ссылка", "associatedStoreIdentifiers": [1]}, "url"),
    ({"sellURL": "example.com"}, "url"),
    ({"sellURL": "https://exa mple.com"}, "url"),
    ({"sellURL": "https://[::1"}, "url"),
    ({"preferredStyleSchemes": [1]}, "style-scheme"),
    ({"storeCard.backFields": {}}, "wrong-type"),
    ({"storeCard.backFields": None}, "wrong-type"),
    ({BACK: "текст"}, "wrong-type"),
    ({f"{FIELD}.key": GONE}, "field-key"),
    ({f"{BACK}.key": ""}, "field-key"),
    ({f"{BACK}.key": 5}, "field-key"),
    ({f"{BACK}.label": None}, "field-label"),
    ({f"{BACK}.value": None}, "field-value"),
    ({f"{BACK}.value": True}, "field-value"),
    ({f"{BACK}.value": ["a"]}, "field-value"),
    ({f"{BACK}.attributedValue": {}}, "field-value"),
    ({f"{FIELD}.textAlignment": "left"}, "field-style"),
    ({f"{BACK}.dateStyle": "PKDateStyleHuge", f"{BACK}.timeStyle": "PKDateStyleFull"}, "field-style"),
    ({f"{BACK}.timeStyle": None}, "field-style"),
    ({f"{FIELD}.numberStyle": "PKNumberStyleRoman"}, "field-style"),
    ({f"{BACK}.dataDetectorTypes": "PKDataDetectorTypeLink"}, "field-detectors"),
    ({f"{BACK}.dataDetectorTypes": ["Link"]}, "field-detectors"),
    ({f"{BACK}.isRelative": "yes"}, "field-flag"),
    ({f"{BACK}.ignoresTimeZone": None}, "field-flag"),
    ({f"{FIELD}.currencyCode": "₽", f"{FIELD}.numberStyle": GONE}, "field-currency"),
    ({f"{BACK}.key": "balance"}, "duplicate-key"),
    ({"storeCard.backFields.0.changeMessage": 5}, "change-message"),
    ({"storeCard.backFields.0.changeMessage": "Новости"}, "change-message"),
    ({"storeCard.backFields.0.changeMessage": "%@ и %@"}, "change-message"),
    ({"storeCard.backFields.0.changeMessage": "%@ %d"}, "change-message"),
    ({"storeCard.backFields.0.changeMessage": "%@ на 50 %"}, "change-message"),
    ({f"{FIELD}.changeMessage": "Баллы: %@"}, "two-announce"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code"), REFUSED, ids=str)
def test_what_ios_refuses_is_refused(good: dict[str, Any], changes: dict[str, Any], code: str) -> None:
    found = refusals(lint_pass(changed(good, changes), FILES, now=card.NOW))
    assert code in {each.code for each in found}
    assert all(each.message and each.where for each in found)


STRICT = ["storeCard.headerFields.0", "storeCard.primaryFields.0", "storeCard.auxiliaryFields.0"]
LENIENT = ["storeCard.secondaryFields.0", "storeCard.backFields.1"]
FORMAT_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"value": GONE}, "field-value-missing"),
    ({"value": "завтра", "dateStyle": "PKDateStyleFull", "timeStyle": "PKDateStyleFull"}, "field-date"),
    (
        {
            "value": "2026-12-31T00:00Z",
            "dateStyle": "PKDateStyleFull",
            "timeStyle": "PKDateStyleFull",
            "numberStyle": "PKNumberStyleDecimal",
        },
        "field-formats",
    ),
    ({"value": 5, "numberStyle": "PKNumberStyleDecimal", "currencyCode": "RUB"}, "field-formats"),
    ({"value": "пять", "numberStyle": "PKNumberStyleDecimal"}, "field-number"),
    ({"value": "пять", "currencyCode": "RUB"}, "field-number"),
    ({"row": 2}, "field-row"),
    ({"row": True}, "field-row"),
]


@pytest.mark.parametrize("field", STRICT + LENIENT)
@pytest.mark.parametrize(("changes", "code"), FORMAT_FAULTS, ids=str)
def test_faults_of_format_cost_the_card_on_its_front_and_look_wrong_elsewhere(
    good: dict[str, Any], field: str, changes: dict[str, Any], code: str
) -> None:
    document = changed(good, {f"{field}.{key}": value for key, value in changes.items()})
    assert ("refuse" if field in STRICT else "warn", code) in said(document)


WARNED: list[tuple[dict[str, Any], str]] = [
    ({"locations": [{"latitude": 1, "longitude": 2}] * 11}, "too-many-locations"),
    ({"beacons": [BEACON] * 11}, "too-many-beacons"),
    ({"beacons": [{"proximityUUID": "маяк"}]}, "beacon-dropped"),
    ({"beacons": [{}]}, "beacon-dropped"),
    ({"beacons": [BEACON | {"major": 65536}]}, "beacon-dropped"),
    ({"beacons": [BEACON | {"minor": 1.5}]}, "beacon-dropped"),
    ({"relevantDates": ["2026-12-31T00:00Z"]}, "relevant-date-dropped"),
    ({"relevantDates": [{"startDate": "2026-12-31T00:00Z"}]}, "relevant-date-dropped"),
    ({"relevantDates": [{"date": "завтра"}]}, "relevant-date-dropped"),
    ({"relevantDates": [{"date": 5}]}, "relevant-date-dropped"),
    (
        {"relevantDates": [{"startDate": "2026-12-30T00:00Z", "endDate": "2026-12-31T00:01Z"}]},
        "relevant-date-dropped",
    ),
    ({"storeCard.backFields.0.changeMessage": GONE}, "nothing-announced"),
    ({"expirationDate": "2026-11-21T09:30Z"}, "expired-already"),
    ({"foregroundColor": "rgb(60, 50, 40)"}, "low-contrast"),
    ({"labelColor": "rgb(38, 28, 22)"}, "low-contrast"),
    ({"barcodes": GONE}, "barcode-missing"),
    ({"barcode": CODE}, "barcode-legacy"),
    ({"barcodes.0.message": "КАРТА", "barcodes.0.messageEncoding": "utf-8"}, "barcode-not-ascii"),
    ({"groupingIdentifier": "a"}, "grouping"),
    ({f"{FIELD}.textAlignment": "PKTextAlignmentLeft"}, "alignment-ignored"),
    ({f"{FIELD}.dataDetectorTypes": []}, "detectors-ignored"),
    ({f"{BACK}.value": "2026-12-31T00:00Z", f"{BACK}.dateStyle": "PKDateStyleFull"}, "field-date"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code"), WARNED, ids=str)
def test_what_would_look_wrong_is_warned_of(good: dict[str, Any], changes: dict[str, Any], code: str) -> None:
    document = changed(good, changes)
    assert ("warn", code) in said(document)
    assert not refusals(lint_pass(document, FILES, now=card.NOW))


anything: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["2026-12-31T00:00Z", "rgb(1,2,3)", "https://example.com", "PKBarcodeFormatQR"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(changes=st.dictionaries(st.sampled_from(KEYS), anything, max_size=6))
def test_no_document_whatever_makes_the_linter_stumble(changes: dict[str, Any]) -> None:
    assert all(each.message for each in lint_pass(changes, FILES, now=card.NOW))
    layout = merge(changes, {"ru": {}, "en": {}}, card.values())
    assert all(each.message for each in lint_layout(layout, FILES, now=card.NOW))


def test_what_no_ios_reads_is_worth_a_word(good: dict[str, Any]) -> None:
    assert ("inform", "key-unknown") in said(good | {"colour": "red"})
    assert ("inform", "key-unknown") in said(changed(good, {f"{BACK}.lable": "Правила"}))
    assert ("inform", "barcode-ios-27") in said(changed(good, {"barcodes.0.format": "PKBarcodeFormatEAN13"}))


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"icon.png": None, "icon@2x.png": None, "icon@3x.png": None}, ("refuse", "icon-missing")),
        ({"icon.png": b"GIF89a"}, ("refuse", "image-unreadable")),
        ({"icon@3x.png": None}, ("warn", "image-scale-missing")),
        ({"strip@2x.png": card.png(700, 300)}, ("warn", "image-size")),
        ({"logo.png": card.png(161, 50)}, ("warn", "image-size")),
        ({"thumbnail.png": card.png(90, 90)}, ("warn", "image-unused")),
        ({"photo.png": card.png(90, 90)}, ("warn", "image-unknown")),
        ({"ru.lproj/logo.png": FILES["logo.png"] + b"\0" * 102_400}, ("warn", "bundle-large")),
    ],
    ids=str,
)
def test_images_are_looked_at(
    good: dict[str, Any], changes: dict[str, bytes | None], finding: tuple[str, str]
) -> None:
    files = {name: data for name, data in (FILES | changes).items() if data is not None}
    assert finding in said(good, files)


def test_one_icon_of_any_scale_is_enough(good: dict[str, Any]) -> None:
    only = {"icon@2x.png": FILES["icon@2x.png"]}
    assert not refusals(lint_pass(good, only))


def test_a_strip_stands_alone_on_a_ticket(good: dict[str, Any]) -> None:
    ticket = {key: value for key, value in good.items() if key != "storeCard"}
    ticket["eventTicket"] = good["storeCard"]
    files = FILES | {"background.png": card.png(180, 220), "strip.png": card.png(375, 98)}
    assert ("warn", "strip-alone") in said(ticket, files)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("{balanse}", "placeholder"),
        ("У вас {balance}", "placeholder"),
        ("", "field-value-missing"),
        (GONE, "field-value-missing"),
    ],
)
def test_a_hole_that_nobody_fills_is_refused(value: Any, code: str) -> None:
    document = changed(card.document(), {"storeCard.secondaryFields.0.value": value})
    layout = merge(document, {"ru": card.LABELS, "en": card.LABELS}, card.values())
    assert code in {each.code for each in refusals(lint_layout(layout, FILES))}


def test_only_the_latest_message_is_announced() -> None:
    document = changed(
        card.document(),
        {"storeCard.backFields.0.changeMessage": GONE, f"{FIELD}.changeMessage": "Баллы: %@"},
    )
    layout = merge(document, {"ru": card.LABELS, "en": card.LABELS}, card.values())
    assert "changes-silently" in {each.code for each in refusals(lint_layout(layout, FILES))}


def test_words_without_a_translation_are_named() -> None:
    document = changed(card.document(), {f"{BACK}.label": "Archive"})
    layout = merge(document, {"ru": card.LABELS, "en": card.LABELS}, card.values())
    found = [each for each in lint_layout(layout, FILES) if each.code == "not-translated"]
    assert {each.where for each in found} == {"ru.lproj/pass.strings", "en.lproj/pass.strings"}
    assert '"Archive"' in found[0].message


@pytest.mark.parametrize("group", [{}, "поле", ["поле"], None])
def test_a_layout_of_another_shape_is_refused_without_a_crash(group: Any) -> None:
    for document in (
        changed(card.document(), {"storeCard.backFields": group}),
        changed(card.document(), {"storeCard": group}),
        changed(card.document(), {"barcodes": group if group != ["поле"] else "x"}),
    ):
        layout = merge(document, {"ru": {}, "en": {}}, card.values())
        assert refusals(lint_layout(layout, FILES)) or document["storeCard"] == {}


@pytest.mark.parametrize("name", ["bonus_card", "stamp_card", "tiered_card"])
def test_the_templates_that_we_ship_are_clean(name: str) -> None:
    found = lint_template(TEMPLATES / name, now=card.NOW)
    assert [(each.severity, each.code, each.where) for each in found] == [
        ("inform", "newer-key", "featuredActions")
    ]
    assert lint_template(TEMPLATES / name, now=card.NOW, oldest_ios=27) == []


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("layout.toml", "это не TOML", "layout-unreadable"),
        ("layout.toml", b"\xff\xfe", "layout-unreadable"),
        ("layout.toml", None, "layout-unreadable"),
        ("layout.toml", 'serialNumber = "1"\n[storeCard]\n', "key-not-the-templates"),
        ("layout.toml", "maxDistance = nan\n[storeCard]\n", "wrong-type"),
        ("ru.lproj/pass.strings", None, "strings-missing"),
        ("ru.lproj/pass.strings", "/* слова */\n", "strings-unreadable"),
        ("ru.lproj/pass.strings", '"Points" = "Баллы"', "strings-unreadable"),
        ("en.lproj/pass.strings", b'"Points" = "\xff";', "strings-unreadable"),
        ("layout.toml", "a = " + "[" * 5000 + "]" * 5000, "layout-unreadable"),
        ("layout.toml", "a = " + "[" * 40 + "]" * 40, "layout-unreadable"),
        ("google.toml", "a = " + "[" * 5000 + "]" * 5000, "layout-unreadable"),
        ("google.toml", "", "google-field"),
        ("значок.png", card.png(29, 29), "image-name"),
        ("icon.png", "не картинка", "image-unreadable"),
    ],
    ids=str,
)
def test_a_broken_folder_is_refused(
    tmp_path: Path, path: str, content: str | bytes | None, code: str
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(TEMPLATES / "tiered_card", folder)
    if content is None:
        (folder / path).unlink()
    else:
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert code in {each.code for each in refusals(lint_template(folder))}


def announcing(width: int, height: int) -> bytes:
    """A PNG whose header says so, and which holds a single pixel."""
    header = b"IHDR" + struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0)
    return card.png(1, 1)[:12] + header + struct.pack(">L", zlib.crc32(header)) + card.png(1, 1)[33:]


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("stamps/earned.png", announcing(30_000, 30_000), "image-too-large"),
        ("strip@3x.png", announcing(4_501, 100), "image-too-large"),
        ("logo.png", announcing(30_000, 30_000), "image-too-large"),
        ("google/hero.png", announcing(30_000, 10_000), "image-too-large"),
        ("google/hero.png", announcing(1_032, 0), "image-unreadable"),
        ("logo.png", announcing(0, 50), "image-unreadable"),
        ("stamps/empty.png", b"GIF89a", "image-unreadable"),
        ("stamps/earned.png", card.png(96, 96)[:-20], "image-damaged"),
        ("stamps/earned.png", announcing(96, 96), "image-damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_picture_that_cannot_be_drawn_is_refused_by_its_own_name(
    tmp_path: Path, path: str, content: bytes, code: str
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(TEMPLATES / "stamp_card", folder)
    (folder / path).write_bytes(content)
    assert [(each.where, each.code) for each in refusals(lint_template(folder))] == [(path, code)]


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert [each.code for each in lint_template(tmp_path / "nowhere")] == ["template-missing"]


def test_stray_files_stay_out_of_the_card(tmp_path: Path) -> None:
    folder = tmp_path / "stray"
    shutil.copytree(TEMPLATES / "tiered_card", folder)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "notes.txt").write_text("заметки", "utf-8")
    (found,) = lint_template(folder, oldest_ios=27)
    assert (found.severity, found.where) == ("inform", "notes.txt")


def test_a_date_in_toml_is_a_date_on_the_card(tmp_path: Path) -> None:
    folder = tmp_path / "dated"
    shutil.copytree(TEMPLATES / "tiered_card", folder)
    layout = folder / "layout.toml"
    for moment, code in (("2026-01-01T00:00:00Z", "expired-already"), ("2027-01-01", "date-unreadable")):
        layout.write_text(
            f"expirationDate = {moment}\n" + (TEMPLATES / "tiered_card/layout.toml").read_text("utf-8"),
            "utf-8",
        )
        assert [
            each.code for each in lint_template(folder, now=card.NOW + timedelta(days=1), oldest_ios=27)
        ] == [code]
