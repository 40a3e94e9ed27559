"""Newer keys, relevance, looks and words on pictures: a row for each rule that is not about one field."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.passes.bundle import PreparedDesign, build
from app.passes.findings import refusals
from app.passes.layout import merge
from app.passes.lint_rules_versions import SINCE
from app.passes.linter import lint_layout, lint_pass, lint_template
from tests.passes import card, templates
from tests.passes.test_linter import BACK, CODE, FIELD, FILES, GONE, changed

OFFERS = {"identifier": "offers", "type": "viewOffersRewards", "url": "https://example.com/offers"}
BENEFITS = {"identifier": "benefits", "type": "membershipBenefits", "url": "https://example.com/club"}
SMALL = [{"key": f"small{n}", "label": "A", "value": "б"} for n in range(3)]
NEW_CODE = {"format": "PKBarcodeFormatEAN13", "message": "4006381333931", "messageEncoding": "iso-8859-1"}
DAY = "2026-12-31T10:00Z"


@pytest.fixture(scope="module")
def good(prepared: PreparedDesign) -> dict[str, Any]:
    bundle = build(card.content(), card.IDENTITY, prepared, signing_time=card.NOW)
    document: dict[str, Any] = json.loads(card.unpacked(bundle)["pass.json"])
    return document


def said(document: dict[str, Any], **more: Any) -> set[tuple[str, str]]:
    found = lint_pass(document, more.pop("files", FILES), now=card.NOW, **more)
    assert all(each.message and each.where for each in found)
    return {(each.severity, each.code) for each in found}


FINE: list[dict[str, Any]] = [
    {"featuredActions": [OFFERS, BENEFITS]},
    {"featuredActions": [{"identifier": "here", "type": "place", "placeIdentifier": "I1C2"}]},
    {"featuredActions": [{"identifier": "ring", "type": "call", "url": "tel:+78120000000"}]},
    {"posterGeneric": {"footerFields": [SMALL[0]]}},
    {"barcodes": [NEW_CODE, CODE]},
    {f"{BACK}.attributedValue": "<a href='https://example.com'>здесь</a>"},
    {"semantics": {"balance": {"amount": "12.50", "currencyCode": "RUB"}}},
    {"storeCard.auxiliaryFields": SMALL},
]


@pytest.mark.parametrize("changes", FINE, ids=str)
def test_newer_keys_that_are_right_are_no_more_than_told(
    good: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert {severity for severity, _ in said(changed(good, changes))} <= {"inform"}


ROWS: list[tuple[dict[str, Any], str, str]] = [
    ({"featuredActions": [OFFERS]}, "inform", "newer-key"),
    ({"relevantDates": [{"date": DAY, "relevantDate": DAY}]}, "inform", "newer-key"),
    ({"posterGeneric": {}}, "inform", "newer-key"),
    ({"stripColor": "rgb(255, 255, 255)"}, "inform", "key-undocumented"),
    ({"featuredActions": [OFFERS, BENEFITS, OFFERS | {"identifier": "more"}]}, "warn", "too-many-actions"),
    *(
        ({"featuredActions": [action]}, "warn", "action-dropped")
        for action in (
            "offers", {}, OFFERS | {"identifier": ""}, OFFERS | {"identifier": 5}, OFFERS | {"type": None},
            OFFERS | {"type": "viewOffers"}, OFFERS | {"url": "example.com"}, OFFERS | {"url": None},
            {"identifier": "a", "type": "shop"}, OFFERS | {"type": "place"},
        )
    ),
    ({"featuredActions": [OFFERS, BENEFITS | {"identifier": "offers"}]}, "warn", "action-dropped"),
    (
        {"featuredActions": [OFFERS], "preferredStyleSchemes": ["posterEventTicket", "eventTicket"]},
        "warn", "action-dropped",
    ),
    ({"featuredActions": {}}, "refuse", "wrong-type"),
    ({"posterGeneric": []}, "refuse", "wrong-type"),
    ({"posterGeneric": {"footerFields": SMALL[:2]}}, "warn", "poster-footer"),
    ({"storeCard": GONE, "eventTicket": {}, "posterGeneric": {}}, "warn", "poster-alone"),
    ({"storeCard": GONE, "posterGeneric": {}}, "refuse", "style-missing"),
    ({"upcomingPassInformation": [{"identifier": "a"}, {"identifier": "a"}]}, "warn", "upcoming-dropped"),
    ({"upcomingPassInformation": [{}]}, "warn", "upcoming-dropped"),
    ({"eventLogoText": "Матч"}, "warn", "key-of-tickets"),
    ({"barcodes": [NEW_CODE]}, "warn", "barcode-new-alone"),
    ({"barcodes": [CODE, NEW_CODE]}, "warn", "barcode-unused"),
    ({"barcodes": [NEW_CODE, CODE]}, "inform", "barcode-ios-27"),
    ({"relevantDate": DAY}, "inform", "key-deprecated"),
    ({"relevantDate": DAY}, "warn", "relevance-unused"),
    ({"relevantDates": [{"date": DAY}]}, "inform", "relevant-date-half"),
    ({"relevantDates": [{"date": DAY, "relevantDate": DAY}]}, "warn", "relevance-unused"),
    ({"locations": GONE, "beacons": [{"proximityUUID": "F8F589E9-C07E-58B0-AEAB-A36BE4D48FAC"}]},
     "warn", "relevance-needs-places"),
    ({"storeCard.auxiliaryFields": [*SMALL, {"key": "small9", "label": "A", "value": "б"}]},
     "warn", "too-many-fields"),
    ({"storeCard.auxiliaryFields.0.row": 1}, "warn", "row-ignored"),
    ({f"{BACK}.attributedValue": "<b>важно</b>"}, "warn", "attributed-value"),
    ({"semantics": {"balance": {"amount": 12.5, "currencyCode": "RUB"}}}, "warn", "semantic-amount"),
    ({f"{FIELD}.semantics": {"balance": {"currencyCode": "RUB"}}}, "warn", "semantic-amount"),
    ({"nfc": {"message": "A", "encryptionPublicKey": "A", "requiresAuthentication": "yes"}}, "refuse", "nfc"),
    ({"nfc": {"message": "A", "encryptionPublicKey": "A"}}, "inform", "nfc-certificate"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "severity", "code"), ROWS, ids=str)
def test_each_rule_is_told(good: dict[str, Any], changes: dict[str, Any], severity: str, code: str) -> None:
    assert (severity, code) in said(changed(good, changes))


def test_a_date_on_a_ticket_is_no_fault(good: dict[str, Any]) -> None:
    ticket = changed(good, {"storeCard": GONE, "eventTicket": good["storeCard"], "locations": GONE})
    ticket["relevantDates"] = [{"date": DAY, "relevantDate": DAY}]
    assert not {code for _, code in said(ticket)} & {"relevance-unused", "relevance-needs-places"}


@pytest.mark.parametrize("key", SINCE)
def test_a_key_is_new_to_older_phones_alone(good: dict[str, Any], key: str) -> None:
    document = good | {key: None}
    new = [lint_pass(document, FILES, oldest_ios=SINCE[key] + more) for more in (-0.1, 0)]
    told = [{each.where for each in found if each.code == "newer-key"} for found in new]
    assert key in told[0] - told[1]


def painted(width: int, height: int, colour: tuple[int, ...], right: tuple[int, ...]) -> bytes:
    """A strip with one colour on its left half and another on its right."""
    image = Image.new("RGBA", (width, height), right)
    image.paste(colour, (0, 0, width // 2 + 1, height))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("left", "right", "hard"),
    [
        ((250, 250, 250, 255), (0, 0, 0, 255), True),
        ((0, 0, 0, 255), (250, 250, 250, 255), False),
        ((250, 250, 250, 0), (250, 250, 250, 255), False),  # the dark card shows through
        ((250, 250, 250, 200), (0, 0, 0, 0), True),
    ],
)
def test_words_must_be_read_on_the_left_of_the_strip(
    good: dict[str, Any], left: tuple[int, ...], right: tuple[int, ...], hard: bool
) -> None:
    files = FILES | {"strip.png": painted(375, 144, left, right)}
    found = {(each.code, each.where) for each in lint_pass(good, files)}
    assert (("low-contrast", "foregroundColor on strip.png") in found) is hard
    without = changed(good, {"storeCard.primaryFields": []})
    assert "low-contrast" not in {each.code for each in lint_pass(without, files)}


def test_a_strip_that_is_no_picture_is_told_once(good: dict[str, Any]) -> None:
    files = FILES | {"strip.png": FILES["strip.png"][:60]}
    assert ("refuse", "image-damaged") in said(good, files=files)


@pytest.mark.parametrize(
    ("name", "image", "finding"),
    [
        ("thumbnail.png", card.png(90, 30), ("warn", "image-size")),
        ("personalizationLogo.png", card.png(150, 40), ("warn", "image-unused")),
    ],
)
def test_images_of_other_styles_are_looked_at(
    good: dict[str, Any], name: str, image: bytes, finding: tuple[str, str]
) -> None:
    assert finding in said(good, files=FILES | {name: image})


LAYOUTS: list[tuple[str, str, str, str, str]] = [
    ("stamp_card", "area = [16, 14, 343, 116]", "area = [16, 14, 343, 200]", "refuse", "stamps-area"),
    ("stamp_card", "area = [16, 14, 343, 116]", 'area = "all"', "refuse", "stamps-area"),
    ("stamp_card", "area = [16, 14, 343, 116]", "rows = 2", "refuse", "stamps-table"),
    ("stamp_card", "sharingProhibited = true", 'logoText = "{member_name}"', "refuse", "placeholder"),
    (
        "tiered_card",
        'labelColor = "rgb(226, 168, 128)"',
        'labelColor = "bronze"',
        "refuse",
        "colour-unreadable",
    ),
    ("tiered_card", 'labelColor = "rgb(226, 168, 128)"', 'logoText = "Бронза"', "refuse", "tier-key"),
    ("bonus_card", "sharingProhibited = true", 'tiers = "gold"', "refuse", "wrong-type"),
    (
        "tiered_card",
        'labelColor = "rgb(236, 200, 118)"',
        'labelColor = "rgb(30, 30, 30)"',
        "warn",
        "low-contrast",
    ),
    ("bonus_card", 'label = "Contact"', 'label = "Guest"', "inform", "translation-unused"),
]


@pytest.mark.parametrize(("name", "before", "after", "severity", "code"), LAYOUTS)
def test_a_changed_copy_of_a_template_is_judged(
    tmp_path: Path, name: str, before: str, after: str, severity: str, code: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(templates.FOLDER / name, folder)
    layout = folder / "layout.toml"
    text = layout.read_text("utf-8")
    assert before in text
    layout.write_text(text.replace(before, after), "utf-8")
    assert (severity, code) in {(each.severity, each.code) for each in lint_template(folder)}


def test_tables_of_another_shape_are_refused_without_a_crash() -> None:
    shapes: list[Any] = [{}, ["gold"], "gold", [{"backgroundColor": 5}]]
    for tiers in shapes:
        template = {"tiers": tiers, "storeCard": {}}
        layout = merge(template, {"ru": {}, "en": {}}, card.values(tiers=templates.TIERS))
        assert isinstance(lint_layout(layout, FILES), list)


FOLDERS: list[tuple[str, str, bytes | None, str, str]] = [
    ("stamp_card", "stamps/earned.png", None, "refuse", "stamps-half"),
    ("stamp_card", "stamps/earned.png", b"GIF89a", "refuse", "image-unreadable"),
    ("stamp_card", "stamps/earned.png", card.png(96, 97), "warn", "image-size"),
    ("stamp_card", "stamps/cup.png", card.png(96, 96), "warn", "image-unknown"),
    ("stamp_card", "strip@3x.png", b"\x89PNG\r\n\x1a\n", "refuse", "image-unreadable"),
    ("tiered_card", "tiers/4/strip.png", card.png(375, 144), "warn", "image-unused"),
    ("tiered_card", "tiers/gold/strip.png", card.png(375, 144), "inform", "file-left-out"),
    ("tiered_card", "tiers/2/strip.png", card.png(300, 144), "warn", "image-size"),
    ("bonus_card", "google/spare.png", card.png(20, 20), "warn", "image-unused"),
]


@pytest.mark.parametrize(("name", "path", "data", "severity", "code"), FOLDERS)
def test_pictures_of_looks_are_judged(
    tmp_path: Path, name: str, path: str, data: bytes | None, severity: str, code: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(templates.FOLDER / name, folder)
    if data is None:
        (folder / path).unlink()
    else:
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data)
    assert (severity, code) in {(each.severity, each.code) for each in lint_template(folder)}


def test_too_many_stamps_to_draw_are_warned_of_when_published() -> None:
    from app.passes.assembly import assemble
    from app.passes.template import read_template

    template, _ = read_template(templates.FOLDER / "stamp_card")
    made = assemble(template, templates.values("stamp_card", for_reward=21))
    assert [(each.severity, each.code) for each in made.findings] == [("warn", "stamps-not-drawn")]
    assert refusals(lint_layout(made.layout, made.files)) == []
