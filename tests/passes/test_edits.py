"""What the editor changes: read back as it was written, with nothing left behind that says nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from app.errors import BadInput
from app.passes import edits, field_edits, link_edits
from app.passes.assembly import assemble
from app.passes.content import LocalizedText
from app.passes.linter import lint_layout
from app.passes.template import Template, read_template
from tests.passes import card, templates
from tests.passes.test_pictures import PICTURE
from tests.passes.test_template_folders import TEXTS, edited

BONUS = read_template(templates.FOLDER / "bonus_card")[0]
TIERED = read_template(templates.FOLDER / "tiered_card")[0]


def codes(template: Template) -> set[str]:
    made = assemble(template, templates.values("tiered_card"))
    return {finding.code for finding in (*made.findings, *lint_layout(made.layout, made.files))}


def test_a_colour_is_set_on_the_card_and_on_a_tier_and_taken_away() -> None:
    made = edits.with_colour(TIERED, "backgroundColor", "#4a1c14")
    assert made.document["backgroundColor"] == "rgb(74, 28, 20)"
    assert edits.colour(made, "backgroundColor") == "#4a1c14"
    gold = edits.with_colour(made, "labelColor", "#ffd700", tier=3)
    assert edits.colour(gold, "labelColor", tier=3) == "#ffd700"
    assert edits.colour(gold, "labelColor") == edits.colour(TIERED, "labelColor")
    assert "labelColor" not in edits.with_colour(TIERED, "labelColor", None).document
    for key, value, tier in (
        ("logo", "#000000", None),
        ("labelColor", "red", None),
        ("labelColor", "#000000", 4),
    ):
        with pytest.raises(BadInput):
            edits.with_colour(TIERED, key, value, tier=tier)


def test_an_own_text_stands_in_place_of_the_brands_and_goes_again() -> None:
    own = edits.with_text(BONUS, "programme", LocalizedText("Свой\r\nклуб", ""))
    layout = assemble(own, templates.values("bonus_card")).layout
    assert layout.texts["logo_text"] == LocalizedText("Свой\nклуб", "")
    assert edits.with_text(own, "programme", None) == BONUS
    for name in ("description", "logo_text", "Rules", "a.b", ""):
        with pytest.raises(BadInput):
            edits.with_text(BONUS, name, LocalizedText("x", "x"))
    with pytest.raises(BadInput, match="cannot be shown"):
        edits.with_text(BONUS, "rules", LocalizedText("a\0b", ""))


def test_the_kind_of_code_is_the_same_on_both_wallets() -> None:
    aztec = edits.with_barcode(BONUS, "PKBarcodeFormatAztec")
    assert edits.barcode(aztec) == "PKBarcodeFormatAztec"
    assert aztec.google is not None
    assert aztec.google["loyaltyObject"]["barcode"]["type"] == "AZTEC"
    assert aztec.document["barcodes"][0]["altText"] == BONUS.document["barcodes"][0]["altText"]
    none = edits.with_barcode(aztec, None)
    assert (edits.barcode(none), "barcode-missing" in codes(none)) == (None, True)
    assert edits.with_barcode(none, "PKBarcodeFormatQR") == BONUS
    with pytest.raises(BadInput):
        edits.with_barcode(BONUS, "PKBarcodeFormatEAN13")


def test_an_image_replaces_all_scales_of_the_one_before() -> None:
    made = edits.with_images(BONUS, "logo", {"logo.png": PICTURE})
    assert [path for path in made.files if path.startswith("logo")] == ["logo.png"]
    assert not [path for path in edits.without_images(made, "logo").files if path.startswith("logo")]
    assert made.files.keys() - BONUS.files.keys() == set()


@settings(max_examples=60)
@given(edited(), TEXTS, TEXTS, TEXTS)
def test_a_fields_words_are_read_back_and_change_no_other_field(
    made: Template, label: LocalizedText, value: LocalizedText, empty: LocalizedText
) -> None:
    known = {field.key: field for field in field_edits.fields(made)}
    key = next(iter(known))
    after = field_edits.with_field(made, key, label=label, value=value, empty=empty)
    now_known = {field.key: field for field in field_edits.fields(after)}

    def shown(text: LocalizedText) -> LocalizedText:
        ru, en = (words.replace("\r\n", "\n").strip() for words in (text.ru, text.en))
        return LocalizedText(ru or en, en or ru)

    assert (now_known[key].label, now_known[key].value, now_known[key].empty) == (
        shown(label), shown(value), shown(empty),
    )  # fmt: skip
    assert {name: field for name, field in now_known.items() if name != key} == {
        name: field for name, field in known.items() if name != key
    }


def test_a_word_that_two_fields_share_gets_a_line_of_its_own_where_they_part() -> None:
    first = field_edits.add_field(
        BONUS, "backFields", key="one", label=LocalizedText("Час", "Time"), value=LocalizedText("1", "1")
    )
    both = field_edits.add_field(
        first, "backFields", key="two", label=LocalizedText("Раз", "Time"), value="{member_name}"
    )
    labels = [field_edits.field(both, key).label for key in ("one", "two")]
    assert labels == [LocalizedText("Час", "Time"), LocalizedText("Раз", "Time")]
    alone = field_edits.without_field(field_edits.without_field(both, "one"), "two")
    assert alone == BONUS  # no line of pass.strings was left
    changed = field_edits.with_field(
        first, "one", label=LocalizedText("Срок", "Time"), value=LocalizedText("1", "1")
    )
    assert changed.strings["ru"]["Time"] == "Срок"


def test_fields_move() -> None:
    moved = field_edits.moved_field(BONUS, "card_code", "auxiliaryFields", 99)
    assert field_edits.field(moved, "card_code").group == "auxiliaryFields"


def test_a_field_that_makes_no_sense_is_refused() -> None:
    words = LocalizedText("Слово", "Word")
    with pytest.raises(BadInput, match="already"):
        field_edits.add_field(BONUS, "backFields", key="balance", label=words, value=words)
    with pytest.raises(BadInput, match="Latin"):
        field_edits.add_field(BONUS, "backFields", key="ключ", label=words, value=words)
    with pytest.raises(BadInput, match="where on the card"):
        field_edits.add_field(BONUS, "footFields", key="x", label=words, value=words)
    for value in ("{password}", "plain", LocalizedText("", ""), LocalizedText("{balance} баллов", "x")):
        with pytest.raises(BadInput):
            field_edits.add_field(BONUS, "backFields", key="x", label=words, value=value)


def test_the_announcing_field_keeps_its_announcement() -> None:
    words = LocalizedText("Вести", "News")
    changed = field_edits.with_field(
        BONUS, "latest_message", label=words, value="{latest_message}", empty=words
    )
    assert "nothing-announced" not in codes(changed)
    anew = field_edits.add_field(
        field_edits.without_field(BONUS, "latest_message"),
        "backFields",
        key="news",
        label=words,
        value="{latest_message}",
        empty=words,
    )
    assert "nothing-announced" not in codes(anew)


def test_a_link_stands_on_both_wallets_and_goes_without_a_trace() -> None:
    label = LocalizedText("Меню", "Menu")
    made = link_edits.add_link(BONUS, label, LocalizedText("https://example.com/menu", ""))
    assert made.texts["link_1_url"] == LocalizedText("https://example.com/menu", "https://example.com/menu")
    assert made.google is not None
    assert made.google["loyaltyClass"]["linksModuleData"][-1] == {
        "id": "link_1_url", "uri": "{text.link_1_url}", "description": "Menu",
    }  # fmt: skip
    assert codes(made) == codes(BONUS)
    other = link_edits.with_address(made, "link_1_url", LocalizedText("tel:+74951234567", ""))
    assert other.texts["link_1_url"].en == "tel:+74951234567"
    assert link_edits.without_link(made, "link_1_url") == BONUS
    for address in ("javascript:alert(1)", "example.com", "https://", "https://a b", "http://[", ""):
        with pytest.raises(BadInput, match="whole address"):
            link_edits.add_link(BONUS, label, LocalizedText(address, ""))


def test_a_finding_names_the_field_as_the_layout_has_it() -> None:
    """The card of a brand without such texts leaves fields out; the one that is at fault keeps its place."""
    made = field_edits.add_field(
        BONUS, "backFields", key="bad", label=None, value=LocalizedText("Слово", "Word"), alignment=None
    )
    made = edits.changed(
        made, lambda document: document["storeCard"]["backFields"][-1].update(textAlignment="nonsense")
    )
    last = len(made.document["storeCard"]["backFields"]) - 1
    layout = assemble(made, card.values(texts={})).layout
    found = [each for each in lint_layout(layout, made.files) if each.code == "field-style"]
    assert [each.where for each in found] == [f"storeCard.backFields[{last}].textAlignment"]
