"""Looks: each card carries the strip with its own stamps or of its own tier, and nobody else's."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, ImageChops

from app.passes import stamp_strips
from app.passes.bundle import build, prepare
from app.passes.content import LocalizedText, PassContent
from app.passes.layout import Design, Layout
from app.passes.linter import lint_layout
from app.passes.looks import image_paths, look_number, looks
from app.passes.signing import Signer
from tests.passes import card, templates
from tests.passes.templates import FOR_REWARD, TIERS

SCALES = ((1, ""), (2, "@2x"), (3, "@3x"))
RED = "rgb(120, 0, 0)"


def opened(signer: Signer, design: Design, content: PassContent) -> dict[str, bytes]:
    prepared = prepare(design, signer, web_service_url=card.SERVICE)
    return card.unpacked(build(content, card.IDENTITY, prepared, signing_time=card.NOW))


def pixels(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGBA")


@pytest.mark.parametrize("name", templates.NAMES)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_guests_bundle_is_small_and_whole(signer: Signer, name: templates.Name, language: Any) -> None:
    design = templates.design(name)
    prepared = prepare(design, signer, web_service_url=card.SERVICE)
    full = templates.guest(name, language=language, messages=card.content().messages * 2)
    guests = [replace(full, stamps=n) for n in range(FOR_REWARD + 1)] if name == "stamp_card" else []
    guests += [replace(full, tier=tier) for tier in TIERS] if name == "tiered_card" else [full]
    for content in guests:
        bundle = build(content, card.IDENTITY, prepared, signing_time=card.NOW)
        assert len(bundle) <= 60 * 1024
        files = card.unpacked(bundle)
        manifest = json.loads(files["manifest.json"])
        assert manifest == {
            path: hashlib.sha1(data).hexdigest()
            for path, data in files.items()
            if path not in ("manifest.json", "signature")
        }
        assert set(manifest) == {
            *(f"{image}{suffix}.png" for image in ("icon", "logo", "strip") for _, suffix in SCALES),
            "ru.lproj/pass.strings", "en.lproj/pass.strings", "pass.json",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("stamps", "shown"),
    [(-1, 0), (0, 0), (1, 1), (3, 3), (FOR_REWARD, FOR_REWARD), (FOR_REWARD + 5, FOR_REWARD)],
)
def test_a_stamp_card_shows_as_many_stamps_as_its_guest_has(signer: Signer, stamps: int, shown: int) -> None:
    design = templates.design("stamp_card")
    files = opened(signer, design, templates.guest("stamp_card", stamps=stamps))
    for _, suffix in SCALES:
        assert files[f"strip{suffix}.png"] == design.files[f"stamps/{shown}/strip{suffix}.png"]


def test_one_more_stamp_changes_its_own_place_alone() -> None:
    design = templates.design("stamp_card")
    where = stamp_strips.places(FOR_REWARD, (16, 14, 343, 116))
    for scale, suffix in SCALES:
        strips = [pixels(design.files[f"stamps/{n}/strip{suffix}.png"]) for n in range(FOR_REWARD + 1)]
        assert {strip.size for strip in strips} == {(375 * scale, 144 * scale)}
        for number, place in enumerate(where):
            changed = ImageChops.difference(strips[number], strips[number + 1]).getbbox(alpha_only=False)
            assert changed is not None
            left, top, right, bottom = (each / scale for each in changed)
            assert place.left - 1 <= left < right <= place.left + place.side + 1
            assert place.top - 1 <= top < bottom <= place.top + place.side + 1


@pytest.mark.parametrize("count", [1, 5, 6, 10, 17, 20])
def test_stamps_stand_in_their_area_and_not_on_one_another(count: int) -> None:
    left, top, width, height = area = (16, 14, 343, 116)
    where = stamp_strips.places(count, area)
    assert len(where) == count
    for place in where:
        assert left - 0.01 <= place.left <= left + width - place.side + 0.01
        assert top - 0.01 <= place.top <= top + height - place.side + 0.01
        assert place.side >= 28  # points: smaller ones nobody recognises
    for one in where:
        for other in where:
            apart = max(abs(one.left - other.left), abs(one.top - other.top))
            assert one is other or apart > one.side


def test_strips_are_drawn_alike_every_time() -> None:
    again = templates.made("stamp_card", templates.values("stamp_card"))
    assert again.files == templates.design("stamp_card").files


def test_a_voided_card_keeps_neither_stamps_nor_tier(signer: Signer) -> None:
    stamped = templates.design("stamp_card")
    files = opened(signer, stamped, templates.guest("stamp_card", stamps=4, voided=True))
    assert files["strip.png"] == stamped.files["stamps/0/strip.png"]
    tiered = templates.design("tiered_card")
    files = opened(signer, tiered, templates.guest("tiered_card", voided=True))
    assert files["strip.png"] == tiered.files["strip.png"]
    document = json.loads(files["pass.json"])
    assert document["backgroundColor"] == tiered.layout.document["backgroundColor"]


def test_the_numbers_say_what_the_strip_shows(signer: Signer) -> None:
    def shown(stamps: int) -> dict[str, Any]:
        files = opened(signer, templates.design("stamp_card"), templates.guest("stamp_card", stamps=stamps))
        document = json.loads(files["pass.json"])
        return {f["key"]: f["value"] for group in document["storeCard"].values() for f in group}

    assert (shown(0)["stamps"], shown(0)["stamps_missing"]) == (0, 6)
    assert (shown(4)["stamps"], shown(4)["stamps_missing"]) == (4, 2)
    assert "rewards" not in shown(5)
    assert (shown(6)["rewards"], shown(6)["stamps_missing"]) == (1, 6)
    assert (shown(13)["rewards"], shown(13)["stamps_missing"]) == (2, 5)


def test_a_card_that_collects_nothing_says_nothing_of_it(signer: Signer) -> None:
    design = templates.made("stamp_card", templates.values("stamp_card", for_reward=None))
    files = opened(signer, design, templates.guest("stamp_card"))
    assert files["strip@2x.png"] == design.files["strip@2x.png"]
    document = json.loads(files["pass.json"])
    keys = [field["key"] for group in document["storeCard"].values() for field in group]
    assert "rewards" not in keys
    assert "stamps_missing" not in keys


def test_more_stamps_than_can_be_recognised_are_told_by_the_number_alone(signer: Signer) -> None:
    design = templates.made("stamp_card", templates.values("stamp_card", for_reward=50))
    files = opened(signer, design, templates.guest("stamp_card", stamps=49))
    assert files["strip.png"] == design.files["strip.png"]
    assert len(looks(design.layout, design.files)) == 51
    assert b'"value":49' in files["pass.json"]


def test_a_tier_has_its_own_colours_and_strip(signer: Signer) -> None:
    design = templates.design("tiered_card")
    grounds = set()
    for number, tier in enumerate(TIERS, 1):
        files = opened(signer, design, templates.guest("tiered_card", tier=tier))
        assert files["strip@3x.png"] == design.files[f"tiers/{number}/strip@3x.png"]
        document = json.loads(files["pass.json"])
        assert document["labelColor"] == design.layout.tiers[number - 1].colours["labelColor"]
        grounds.add(document["backgroundColor"])
    assert len(grounds) == 3
    for unknown in (None, LocalizedText("Бывший", "Former")):
        files = opened(signer, design, templates.guest("tiered_card", tier=unknown))
        assert files["strip@3x.png"] == design.files["strip@3x.png"]


def test_a_tiers_small_picture_hides_every_scale_of_the_common_one(signer: Signer) -> None:
    whole = templates.design("tiered_card")
    gone = {"tiers/2/strip@2x.png", "tiers/2/strip@3x.png"}
    design = replace(whole, files={path: data for path, data in whole.files.items() if path not in gone})
    guest = templates.guest("tiered_card", tier=TIERS[1])
    assert image_paths(design, "strip", guest, "ru") == {1: "tiers/2/strip.png"}
    files = opened(signer, design, guest)
    assert {path for path in files if path.startswith("strip")} == {"strip.png"}
    assert json.loads(files["manifest.json"]).keys() == files.keys() - {"manifest.json", "signature"}
    for other, folder in ((TIERS[2], "tiers/3/"), (None, "")):  # theirs are as they were
        files = opened(signer, design, templates.guest("tiered_card", tier=other))
        for _, suffix in SCALES:
            assert files[f"strip{suffix}.png"] == design.files[f"{folder}strip{suffix}.png"]
    found = lint_layout(design.layout, design.files)
    assert [each.where for each in found if each.code == "image-scale-missing"] == ["tiers/2/strip.png"]


def test_a_languages_picture_without_its_scales_is_told() -> None:
    whole = templates.design("bonus_card")
    found = lint_layout(whole.layout, dict(whole.files) | {"ru.lproj/logo.png": card.png(50, 50)})
    assert [each.where for each in found if each.code == "image-scale-missing"] == ["ru.lproj/logo.png"]


def test_a_tiers_hard_to_read_picture_is_told_of_that_tier() -> None:
    whole = templates.design("tiered_card")
    white = io.BytesIO()
    Image.new("RGB", (375, 144), "white").save(white, "PNG")
    gone = {"tiers/2/strip@2x.png", "tiers/2/strip@3x.png"}
    kept = {path: data for path, data in whole.files.items() if path not in gone}
    found = lint_layout(whole.layout, kept | {"tiers/2/strip.png": white.getvalue()})
    where = {each.where for each in found if each.code == "low-contrast"}
    assert where == {"foregroundColor on tiers/2/strip.png"}
    second = whole.layout.tiers[1]
    ground = dict(second.colours) | {"labelColor": second.colours["backgroundColor"]}
    tiers = (whole.layout.tiers[0], replace(second, colours=ground), *whole.layout.tiers[2:])
    unread = replace(whole.layout, tiers=tiers)
    where = {each.where for each in lint_layout(unread, whole.files) if each.code == "low-contrast"}
    assert where == {"tiers[1].labelColor"}


def test_a_colour_of_the_brand_stands_on_every_tier(signer: Signer) -> None:
    design = templates.made("tiered_card", templates.values("tiered_card", colours={"backgroundColor": RED}))
    labels = set()
    for tier in TIERS:
        document = json.loads(opened(signer, design, templates.guest("tiered_card", tier=tier))["pass.json"])
        assert document["backgroundColor"] == RED
        labels.add(document["labelColor"])
    assert len(labels) == 3


@pytest.mark.parametrize(
    ("tiers", "folders"), [(1, [1]), (2, [1, 3]), (3, [1, 2, 3]), (5, [1, 1, 2, 3, 3]), (0, [])]
)
def test_the_lowest_tier_has_the_first_look_and_the_highest_the_last(tiers: int, folders: list[int]) -> None:
    names = tuple(LocalizedText(f"Т{n}", f"T{n}") for n in range(tiers))
    layout = templates.made("tiered_card", templates.values("tiered_card", tiers=names)).layout
    assert [tier.folder for tier in layout.tiers] == [f"tiers/{number}/" for number in folders]
    assert [tier.name for tier in layout.tiers] == list(names)


def test_a_page_finds_the_picture_that_the_phone_gets() -> None:
    stamped, guest = templates.design("stamp_card"), templates.guest("stamp_card", stamps=2)
    assert image_paths(stamped, "strip", guest, "ru") == {
        1: "stamps/2/strip.png", 2: "stamps/2/strip@2x.png", 3: "stamps/2/strip@3x.png",
    }  # fmt: skip
    assert image_paths(stamped, "logo", guest, "ru")[2] == "logo@2x.png"
    assert image_paths(stamped, "thumbnail", guest, "ru") == {}
    tiered = templates.design("tiered_card")
    assert image_paths(tiered, "strip", templates.guest("tiered_card"), "en")[1] == "tiers/2/strip.png"
    own = replace(stamped, files=dict(stamped.files) | {"ru.lproj/logo.png": card.png(50, 50)})
    assert image_paths(own, "logo", guest, "ru") == {1: "ru.lproj/logo.png"}


def test_buttons_below_the_card_lead_to_the_pages_that_a_brand_has(signer: Signer) -> None:
    def actions(texts: dict[str, LocalizedText], language: Any) -> Any:
        design = templates.made("bonus_card", templates.values("bonus_card", texts=texts))
        content = templates.guest("bonus_card", language=language)
        return json.loads(opened(signer, design, content)["pass.json"]).get("featuredActions")

    offers = {
        "identifier": "offers",
        "type": "viewOffersRewards",
        "url": "https://example.com/en/offers_url",
    }
    benefits = {
        "identifier": "benefits",
        "type": "membershipBenefits",
        "url": "https://example.com/en/benefits_url",
    }
    assert actions(templates.PAGES, "en") == [offers, benefits]
    assert actions({"offers_url": templates.PAGES["offers_url"]}, "en") == [offers]
    assert actions(templates.PAGES, "ru")[0]["url"] == "https://example.com/ru/offers_url"
    assert actions({}, "en") is None
    assert actions({"offers_url": LocalizedText("", "")}, "en") is None


def test_a_version_from_before_there_were_looks_is_read() -> None:
    layout = card.design().layout
    document = {key: value for key, value in layout.to_json().items() if key not in ("tiers", "for_reward")}
    assert Layout.from_json(json.loads(json.dumps(document))) == layout
    assert look_number(layout, card.content(stamps=7)) == 0


def test_looks_are_stored_with_the_design() -> None:
    for name in templates.NAMES:
        layout = templates.design(name).layout
        assert Layout.from_json(json.loads(json.dumps(layout.to_json()))) == layout


@pytest.mark.parametrize("name", templates.NAMES)
def test_no_look_is_refused_or_warned_of(name: templates.Name) -> None:
    design = templates.design(name)
    found = lint_layout(design.layout, design.files, now=card.NOW)
    assert [each for each in found if each.severity != "inform"] == []


def test_a_look_that_cannot_be_read_is_warned_of() -> None:
    brand = templates.values("tiered_card", colours={"backgroundColor": "rgb(226, 170, 130)"})
    design = templates.made("tiered_card", brand)
    found = lint_layout(design.layout, design.files, now=card.NOW)
    assert ("low-contrast", "labelColor") in {(each.code, each.where) for each in found}
