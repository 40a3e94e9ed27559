"""The design editor as requests: nothing typed is lost, everything wrong is told where it is wrong."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from html import unescape

from PIL import Image
from werkzeug.test import TestResponse

from app.passes import template_folders
from tests.web.console import designs_stage
from tests.web.console.designs_form import AT, DRAFT, edit, inputs, now_is, png
from tests.web.console.house import House


def test_a_draft_begins_from_a_template_a_version_or_a_file(house: House) -> None:
    desk = house.desk("marketer")
    shown = desk.get(AT)
    assert "Choose how" in shown.text or "Begin anew" in shown.text
    assert shown.text.count('<svg class="proof"') >= 3  # every template is drawn
    begun = desk.send(AT, f"{AT}/start", template="bonus_card")
    assert begun.status_code == 303
    assert begun.headers["Location"].endswith("/draft")
    assert now_is(house).template.name == "bonus_card"
    assert desk.send(AT, f"{AT}/start", version="1").status_code == 409
    taken = desk.get(f"{AT}/draft.zip")
    with zipfile.ZipFile(io.BytesIO(taken.data)) as archive:
        assert any(name.endswith("layout.toml") for name in archive.namelist())
    assert desk.send(AT, f"{AT}/discard").status_code == 303
    brought = desk.send(AT, f"{AT}/import", files={"zip": (io.BytesIO(taken.data), "design.zip")})
    assert brought.status_code == 303
    assert now_is(house).template.document == template_folders.from_zip(taken.data, "x").template.document
    hostile = io.BytesIO(b"PK\x03\x04 no archive")
    desk.send(AT, f"{AT}/discard")
    refused = desk.send(AT, f"{AT}/import", files={"zip": (hostile, "x.zip")})
    assert refused.status_code == 422
    assert "no design as an export has it" in refused.text
    assert '<details class="import" open>' in refused.text  # beside its field, on the page it came from
    assert 'id="zip-fault"' in refused.text
    with zipfile.ZipFile(io.BytesIO(taken.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for name, content, said in (
        ("layout.toml", b"[storeCard\n", "layout.toml: This file cannot be read: look at line 1."),
        ("icon@2x.png", b"no picture", "icon@2x.png: This is no PNG, JPEG or WebP"),
    ):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path, held in files.items():
                archive.writestr(path, content if path.endswith(f"/{name}") else held)
        packed.seek(0)
        refused = desk.send(AT, f"{AT}/import", files={"zip": (packed, "x.zip")})
        assert refused.status_code == 422
        assert said in unescape(refused.text)
        assert "[layout-unreadable]" not in refused.text


def test_a_form_that_nobody_touched_changes_nothing(house: House) -> None:
    for template in ("bonus_card", "stamp_card", "tiered_card"):
        before = designs_stage.begin(house, template=template)
        assert edit(house.desk()).status_code == 303
        assert now_is(house).revision == before.revision, template
        house.desk().send(DRAFT, f"{AT}/discard")


def test_colours_words_code_and_places_are_saved_and_undone(house: House) -> None:
    before = designs_stage.begin(house)
    saved = edit(
        house.desk(), colour__backgroundColor="#102030", text__programme__ru="Моя карта",
        barcode="PKBarcodeFormatAztec", f__secondaryFields__0__label__ru="Имя",
        f__secondaryFields__0__place="headerFields",
    )  # fmt: skip
    assert saved.status_code == 303
    made = now_is(house).template
    assert made.document["backgroundColor"] == "rgb(16, 32, 48)"
    assert made.texts["programme"].ru == "Моя карта"
    assert made.document["barcodes"][0]["format"] == "PKBarcodeFormatAztec"
    assert [each["key"] for each in made.document["storeCard"]["headerFields"]] == ["member_name"]
    assert made.strings["ru"][made.document["storeCard"]["headerFields"][0]["label"]] == "Имя"
    assert "changeMessage" in made.document["storeCard"]["backFields"][0]
    page = house.desk().get(DRAFT)
    undo = dict(re.findall(r'<input type="hidden" name="(revision|expected)" value="([^"]+)"', page.text))
    assert undo
    restored = house.desk().send(
        DRAFT, f"{DRAFT}/undo", revision=str(before.revision), expected=now_is(house).updated_at.isoformat()
    )
    assert restored.status_code == 303
    assert now_is(house).template == before.template


def test_fields_move_go_and_come_by_buttons_alone(house: House) -> None:
    designs_stage.begin(house)
    desk = house.desk()

    def keys() -> list[str]:
        return [each["key"] for each in now_is(house).template.document["storeCard"]["backFields"]]

    before = keys()
    gone_down = edit(desk, act="down.backFields.1")
    assert gone_down.headers["Location"].endswith("#f.backFields.2")
    assert keys() == [before[0], before[2], before[1], *before[3:]]
    edit(desk, act="up.backFields.2")
    assert keys() == before
    edit(desk, act="remove.backFields.2", f__backFields__1__label__en="Told")  # typed beside it: kept
    assert keys() == [*before[:2], *before[3:]]
    assert "Told" in str(now_is(house).template.document)
    edit(desk, act="remove.backFields.0")
    assert keys()[0] == "latest_message"  # what speaks on the lock screen stays
    edit(desk, act="link.backFields")
    count = len(keys())
    address = f"f__backFields__{count - 1}__words__en"
    wrong = edit(desk, **{address: "javascript:alert(1)"})
    assert wrong.status_code == 422
    assert "javascript:alert(1)" in unescape(wrong.text)  # as it was typed
    assert "Write the whole address" in wrong.text
    assert edit(desk, **{address: "https://zerno.example/menu"}).status_code == 303
    assert "https://zerno.example/menu" in {text.en for text in now_is(house).template.texts.values()}


def test_a_field_that_changes_its_place_or_meaning_brings_nothing_that_iphones_ignore(house: House) -> None:
    designs_stage.begin(house)
    desk = house.desk()
    back = len(now_is(house).template.document["storeCard"]["backFields"]) - 1  # the card's number
    edit(desk, **{f"f__backFields__{back}__place": "headerFields"})
    edit(desk, f__primaryFields__0__value="words")
    made = now_is(house).template.document["storeCard"]
    assert made["headerFields"] == [{"key": "card_code", "label": "Card number", "value": "{card_code}"}]
    assert made["primaryFields"][0].keys() == {"key", "label", "value"}
    edit(desk, f__primaryFields__0__words__ru="Скидка 5 %", f__primaryFields__0__words__en="5 % off")
    assert "5 % off" in {text.en for text in now_is(house).template.texts.values()}
    edit(desk, f__primaryFields__0__value="balance")
    assert (
        now_is(house).template.document["storeCard"]["primaryFields"][0]["numberStyle"]
        == "PKNumberStyleDecimal"
    )
    assert 'class="note wrong"' not in desk.get(DRAFT).text


def test_two_who_save_at_once_lose_nothing(house: House) -> None:
    designs_stage.begin(house)
    one, two = house.desk("owner"), house.desk("marketer")
    mine, theirs = inputs(one.get(DRAFT)), inputs(two.get(DRAFT))
    house.clock.forward(timedelta(seconds=5))
    theirs |= {"act": "down.backFields.1", "colour.backgroundColor": "#ff0000"}
    assert two.client.post(DRAFT, data=theirs).status_code == 303
    mine |= {"act": "save", "f.backFields.3.words.ru": "Мои правила", "f.backFields.3.label.ru": "Условия"}
    told = one.client.post(DRAFT, data=mine)
    assert told.status_code == 409
    assert "Somebody else saved this draft" in told.text
    again = inputs(told)
    assert again["f.backFields.3.words.ru"] == "Мои правила"
    assert again["f.backFields.3.label.ru"] == "Условия"
    assert now_is(house).template.document["backgroundColor"] == "rgb(255, 0, 0)"  # theirs, so far
    assert one.client.post(DRAFT, data=again | {"act": "save"}).status_code == 303
    made = now_is(house).template
    assert made.texts["rules"].ru == "Мои правила"
    assert made.document["backgroundColor"] == "rgb(18, 52, 45)"  # exactly what the form showed


def test_who_saved_in_another_tab_is_not_told_of_somebody_else(house: House) -> None:
    designs_stage.begin(house)
    desk = house.desk("owner")
    one = two = inputs(desk.get(DRAFT))
    house.clock.forward(timedelta(seconds=5))
    assert desk.client.post(DRAFT, data=one | {"act": "down.backFields.1"}).status_code == 303
    told = desk.client.post(DRAFT, data=two | {"act": "down.backFields.2"})
    assert told.status_code == 409
    assert "You saved this draft in another tab at" in told.text
    assert "Somebody else saved" not in told.text


def test_pictures_are_taken_fitted_and_hostile_ones_refused(house: House) -> None:
    designs_stage.begin(house)
    desk = house.desk()

    def upload(data: bytes, slot: str = "strip", words: str = "Typed beside") -> TestResponse:
        fields = inputs(desk.get(DRAFT)) | {"act": "save", "text.programme.en": words}
        files = {f"picture.{slot}": (io.BytesIO(data), "x.png")}
        return desk.client.post(DRAFT, data=fields | files, content_type="multipart/form-data")

    assert upload(png()).status_code == 303
    made = now_is(house).template
    assert Image.open(io.BytesIO(made.files["strip@2x.png"])).size == (750, 288)
    assert made.texts["programme"].en == "Typed beside"
    page = desk.get(DRAFT)
    assert "Hard to read on the picture" in page.text  # white picture under light words
    for hostile in (b"<svg onload=alert(1)>", b"GIF89a" + b"\0" * 40, png()[:200]):
        refused = upload(hostile)
        assert refused.status_code == 422
        assert 'id="picture.strip-fault"' in refused.text
        assert 'value="Typed beside"' in refused.text
    refused = upload(b"GIF89a" + b"\0" * 40, words="Typed later")
    beside = re.search(r'id="picture.strip-fault">(.*?)</strong>', refused.text, re.S)
    assert beside  # the field that has the focus
    assert "The picture was not taken. What you typed is still here, and not saved yet" in beside[1]
    assert now_is(house).template.texts["programme"].en == "Typed beside"
    kept = desk.client.post(DRAFT, data=inputs(refused) | {"act": "save"})
    assert kept.status_code == 303
    assert now_is(house).template.texts["programme"].en == "Typed later"
    assert "Saved." in desk.get(DRAFT).text
    edit(desk)
    assert "Nothing to save" in desk.get(DRAFT).text
    assert now_is(house).template.files == made.files
    edit(desk, act="clear.strip")
    assert not any(path.startswith("strip") for path in now_is(house).template.files)


def test_who_may_only_look_neither_edits_nor_publishes(house: House) -> None:
    designs_stage.begin(house)
    manager = house.desk("manager")
    assert manager.get(DRAFT).status_code == 403
    assert house.desk("owner", "bakery").get(DRAFT).status_code == 404
