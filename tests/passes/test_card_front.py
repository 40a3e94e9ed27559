"""Cards as iPhones draw them: from the bundle's own bytes, with what has no room told at its field."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from app.db.identifiers import SerialNumber
from app.passes.barcode_shapes import shape
from app.passes.bundle import build, prepare
from app.passes.card_front import draw_front
from app.passes.card_screens import draw_back, draw_lock, draw_wallet
from app.passes.card_warnings import LARGE, SMALL, card_warnings
from app.passes.content import Language, LocalizedText, PassIdentity
from app.passes.drawing import Image, Words
from app.passes.layout import Design
from app.passes.lettering import DOUBT, shorten, verdict, width, wrap
from app.passes.proofs import Proofs, open_bundle
from app.passes.sample_guests import default_look, sample_guest
from app.passes.signing import Signer
from tests.passes import templates
from tests.passes.card import NOW

# Widths of letters in thousandths of an em: Adobe's metrics of Helvetica, published with the font.
HELVETICA = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        (556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278,
         556, 500, 722, 500, 500, 500),
        strict=True,
    )
) | {" ": 278}  # fmt: skip
PANGRAM = "the quick brown fox jumps over the lazy dog"


def drawn(name: templates.Name, language: Language = "ru", **changes: Any) -> tuple[Design, Any]:
    design = templates.design(name)
    content = sample_guest("regular", design.layout, language, look=default_look(design.layout), now=NOW)
    return design, Proofs(design.layout, design.files, now=NOW).pull(replace(content, **changes), language)


def test_words_are_as_wide_as_a_grotesque_of_that_size() -> None:
    """San Francisco is told from Helvetica by 7 % at large sizes and less at small ones."""
    helvetica = sum(HELVETICA[letter] for letter in PANGRAM) / 1000
    assert 0.88 < width(PANGRAM, 1000) / 1000 / helvetica < 1.0
    assert 0.94 < width(PANGRAM, 12) / 12 / helvetica < 1.06
    assert width("Баллы", 20, "SemiBold") > width("Баллы", 20)
    assert width("", 20) == 0


def test_verdicts_leave_room_for_doubt() -> None:
    assert verdict(100, 100 * (1 + DOUBT) + 1) == "fits"
    assert verdict(100, 100) == "close"
    assert verdict(100 / (1 - DOUBT) + 1, 100) == "cut"


@pytest.mark.parametrize("words", ["Последние сообщения", "a", "Wwwwwwwwwwwwwwwwwww", "слово " * 9])
@pytest.mark.parametrize("room", [30.0, 90.0])
def test_what_is_shortened_or_wrapped_fits(words: str, room: float) -> None:
    shown = shorten(words, 18, room)
    assert width(shown, 18) <= room
    assert shown == words or shown.endswith("\u2026")
    assert all(width(line, 18) <= room for line in wrap(words, 18, room))
    assert "".join(wrap(words, 18, room)).replace(" ", "") == words.replace(" ", "")


def test_a_proof_is_the_bundle_that_is_signed(signer: Signer) -> None:
    design, proof = drawn("tiered_card")
    content = sample_guest("regular", design.layout, "ru", look=default_look(design.layout), now=NOW)
    identity = PassIdentity(signer.pass_type_identifier, SerialNumber("S1"), "1" * 32, "https://x.example/s")
    signed = build(
        content,
        identity,
        prepare(design, signer, web_service_url="https://x.example/passkit"),
        signing_time=NOW,
    )
    opened = open_bundle(signed, "ru")
    assert opened.images == proof.images
    assert opened.strings == proof.strings
    own = {"serialNumber", "authenticationToken", "webServiceURL"}
    theirs = {key: each for key, each in opened.document.items() if key not in own}
    ours = {key: each for key, each in proof.document.items() if key not in own}
    assert str(theirs).replace("x.example/s", "") == str(ours).replace("proof.example/i/-/stop/1", "")
    with zipfile.ZipFile(io.BytesIO(signed)) as archive:
        assert archive.read("signature")


@pytest.mark.parametrize("name", templates.NAMES)
@pytest.mark.parametrize("device", [SMALL, LARGE], ids=["small", "large"])
def test_everything_stands_on_the_card(name: templates.Name, device: tuple[float, float]) -> None:
    _design, proof = drawn(name)
    front = draw_front(proof, device[0])
    assert front.width == device[0] - 16
    for mark in front.marks:
        if isinstance(mark, Words):
            assert mark.left >= 0, mark
            assert mark.left + mark.length <= front.width + 0.01, mark
        assert 0 <= mark.y <= front.height
    assert next(mark for mark in front.marks if isinstance(mark, Image)).data == proof.images["logo@2x.png"]
    for screen in (
        draw_wallet(proof, device, "dark"), draw_back(proof, device, "light"),
        draw_lock(proof, device, "dark", now=NOW),
    ):  # fmt: skip
        assert screen.width == device[0]
        assert screen.says


def test_the_phone_reads_its_own_language_and_look() -> None:
    _design, russian = drawn("stamp_card", stamps=4)
    _design, english = drawn("stamp_card", "en", stamps=4)
    assert "Штампы: 4" in draw_front(russian, 390).says
    assert "Stamps: 4" in draw_front(english, 390).says
    assert russian.images["strip.png"] == templates.design("stamp_card").files["stamps/4/strip.png"]


def test_shipped_templates_have_room_for_all_they_say() -> None:
    for name in templates.NAMES:
        design = templates.design(name)
        assert [
            each for each in card_warnings(design.layout, design.files, now=NOW) if each.verdict == "cut"
        ] == []


def test_what_is_cut_is_told_once_at_its_field_with_the_worst_of_it() -> None:
    design = templates.made(
        "bonus_card", templates.values("bonus_card", logo_text=LocalizedText("Ж" * 40, "Brief"))
    )
    document = dict(design.layout.document)
    groups = dict(document["storeCard"])
    groups["secondaryFields"] = [
        *groups["secondaryFields"],
        {"key": "since", "label": "Member of our club since the year", "value": "{text.rules}"},
    ]
    layout = replace(design.layout, document=document | {"storeCard": groups})
    found = {each.where: each for each in card_warnings(layout, design.files, now=NOW)}
    assert found["logoText"].language == "ru"
    assert found["logoText"].on_large
    assert found["logoText"].shown.endswith("\u2026")
    assert "storeCard.secondaryFields[1].label" in found
    assert not any(where.endswith("secondaryFields[0].value") for where in found)  # a guest's own name


def test_the_tier_with_the_longest_name_is_the_one_that_is_judged() -> None:
    design = templates.design("tiered_card")
    names = [
        LocalizedText("Почётный посетитель навсегда и везде", "One"),
        LocalizedText("Два", "An honoured visitor of every season"),
        LocalizedText("Три", "Three"),
    ]
    tiers = tuple(replace(tier, name=name) for tier, name in zip(design.layout.tiers, names, strict=True))
    found = card_warnings(replace(design.layout, tiers=tiers), design.files, now=NOW)
    told = {each.where: each for each in found}["storeCard.headerFields[0].value"]
    assert told.verdict == "cut"
    assert told.words in (names[0].ru, names[1].en)
    short = tuple(replace(tier, name=name) for tier, name in zip(tiers, names[2:] * 3, strict=True))
    found = card_warnings(replace(design.layout, tiers=short), design.files, now=NOW)
    assert "storeCard.headerFields[0].value" not in {each.where for each in found}


def test_a_large_number_shrinks_before_it_is_cut() -> None:
    _design, proof = drawn("bonus_card", balance=12_345_678_900_00)
    largest = max(mark.size for mark in draw_front(proof, 320).marks if isinstance(mark, Words))
    assert 30 <= largest < 50
    assert not [
        cut for cut in draw_front(proof, 320).cuts if cut.group == "primaryFields" and cut.verdict == "cut"
    ]


def test_codes_have_the_shape_of_their_kind() -> None:
    qr, aztec = shape("PKBarcodeFormatQR", "K7Q2M9XA"), shape("PKBarcodeFormatAztec", "K7Q2M9XA")
    assert qr.columns == qr.rows == 21
    assert qr.is_read
    assert aztec.columns == aztec.rows
    assert shape("PKBarcodeFormatPDF417", "x").columns > 5 * shape("PKBarcodeFormatPDF417", "x").rows
    assert shape("PKBarcodeFormatCode128", "x").rows == 1
    assert shape("PKBarcodeFormatCode128", "x").path != shape("PKBarcodeFormatCode128", "y").path


@pytest.mark.parametrize("style", ["generic", "coupon", "eventTicket"])
@pytest.mark.parametrize("format_name", ["PKBarcodeFormatPDF417", "PKBarcodeFormatAztec", None])
def test_every_style_is_drawn_with_every_code_and_without(style: str, format_name: str | None) -> None:
    design = templates.design("bonus_card")
    document = dict(design.layout.document)
    document[style] = document.pop("storeCard")
    document["barcodes"] = [document["barcodes"][0] | {"format": format_name}] if format_name else []
    layout = replace(design.layout, document=document)
    content = sample_guest("regular", layout, "en", look=0, now=NOW)
    front = draw_front(Proofs(layout, design.files, now=NOW).pull(content, "en"), 390)
    assert "Points: 1,250" in front.says
    assert ("K7Q2M9XA" in front.says) is (format_name is not None)
    assert front.height > front.width
