"""The design editor as requests: nothing typed is lost, everything wrong is told where it is wrong."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.accounts.tables import audit_entry
from app.db.identifiers import DeviceLibraryIdentifier, PassTypeIdentifier, PushToken
from app.delivery import google
from app.passes import designs, drafts, registrations, rollouts, template_folders
from app.passes.drafts import Draft
from app.passes.google_tables import google_account
from app.passes.tables import pass_evidence, wallet_pass
from app.reports.google_outlook import GoogleOutlook, google_outlook
from app.web.console.google_words import outlook_words
from tests.reports.google_settling import ISSUER, at_google, held, promise
from tests.web.console import designs_stage
from tests.web.console.house import Desk, House

AT = "/console/cafe/designs/1"  # the cafe's programme is the first
DRAFT = f"{AT}/draft"


def inputs(page: TestResponse) -> dict[str, str]:
    """Everything that the editor's form would send."""
    form = re.search(r'<form class="designer".*?</form>', page.text, re.S)
    assert form, page.text[:500]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        named = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if named.get("type") in ("file",) or (named.get("type") == "radio" and " checked" not in tag):
            continue
        if "name" in named:
            found[named["name"]] = unescape(named.get("value", ""))
    for name, words in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form[0], re.S):
        found[name] = unescape(words)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form[0], re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = unescape(chosen[1]) if chosen else ""
    return found


def edit(desk: Desk, **changed: Any) -> TestResponse:
    """The form as it is, with these inputs typed anew (dots as __)."""
    typed = {name.replace("__", "."): value for name, value in changed.items()}
    return desk.client.post(DRAFT, data=inputs(desk.get(DRAFT)) | {"act": "save"} | typed)


def now_is(house: House) -> Draft:
    with house.database.read() as tx:
        found = drafts.open_draft(tx, house.cafe.programme.id)
    assert found
    return found


def png(size: tuple[int, int] = (1200, 500), colour: str = "#ffffff") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


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


def test_warnings_stand_beside_their_field_in_the_readers_language(house: House) -> None:
    designs_stage.begin(house)
    desk = house.desk()
    shown = desk.client.post(
        f"{DRAFT}/preview",
        data=inputs(desk.get(DRAFT))
        | {
            "colour.foregroundColor": "#12342e",
            "f.secondaryFields.0.label.ru": "Уважаемый держатель карты " * 3,
        },
    )
    assert shown.status_code == 200
    notes = dict(re.findall(r'data-of="([^"]*)">(.*?)</div>', shown.text, re.S))
    assert "Hard to read" in notes["colour.foregroundColor"]
    assert "Cut on every iPhone, in Russian: “УВАЖАЕМЫЙ" in notes["f.secondaryFields.0"]
    assert "f.primaryFields.0" not in notes
    assert now_is(house).revision == 1  # a preview saves nothing


def test_the_preview_is_the_bundles_card(house: House) -> None:
    designs_stage.begin(house)
    desk = house.desk()
    fields = inputs(desk.get(DRAFT))

    def seen(**chosen: str) -> str:
        typed = {f"see.{name}": value for name, value in chosen.items()}
        return unescape(desk.client.post(f"{DRAFT}/preview", data=fields | typed).text)

    assert "1 250" in seen(reader="ru").replace("\xa0", " ")
    assert "1,250" in seen(reader="en")
    assert 'viewBox="0 0 320' in seen(phone="small")
    assert 'viewBox="0 0 430' in seen(phone="large")
    assert "Stop advertising" in seen(screen="back", reader="en")
    assert "45 points added" in seen(screen="lock", reader="en")
    assert "#000000" in seen(screen="back", theme="dark")
    assert "style=" not in seen()


@pytest.mark.parametrize(("shop", "template"), [("cafe", "bonus_card"), ("bakery", "stamp_card")])
def test_google_s_card_is_drawn_from_the_bodies_that_would_be_sent(
    house: House, shop: str, template: str
) -> None:
    own = house.cafe if shop == "cafe" else house.bakery
    designs_stage.begin(house, own, template)
    desk = house.desk("owner", shop)
    at = f"/console/{shop}/designs/{own.programme.id}/draft"
    fields = inputs(desk.get(at))

    def seen(**chosen: str) -> str:
        typed = {f"see.{name}": value for name, value in ({"screen": "google"} | chosen).items()}
        return unescape(desk.client.post(f"{at}/preview", data=fields | typed).text).replace("\xa0", " ")

    russian, english = seen(reader="ru", theme="dark"), seen(reader="en", phone="small")
    for words, picture in (
        ("Вам начислено 45 баллов", russian),
        ("Анна", russian),
        ("Anna", english),
        ("45 points added", english),
    ):
        assert words in picture
    assert own.brand.name in english  # as issuerName
    assert "K7Q2M9XA" in english
    assert english.count("<image") == 2  # logo and hero image
    assert 'viewBox="0 0 320' in english
    assert "Google Wallet lays the card out by itself" in english
    assert "style=" not in english
    assert "deliver" not in english


def test_a_design_without_google_says_so_in_the_preview(house: House) -> None:
    draft = designs_stage.begin(house)
    desk = house.desk()
    with house.database.write() as tx:
        drafts.save(
            tx, draft.id, replace(draft.template, google=None), expected_updated_at=draft.updated_at,
            now=house.clock(), actor="user:1",
        )  # fmt: skip
    shown = desk.client.post(f"{DRAFT}/preview", data=inputs(desk.get(DRAFT)) | {"see.screen": "google"})
    assert "has no google.toml" in unescape(shown.text)


def test_two_who_save_at_once_lose_nothing(house: House) -> None:
    designs_stage.begin(house)
    one, two = house.desk("owner"), house.desk("marketer")
    mine, theirs = inputs(one.get(DRAFT)), inputs(two.get(DRAFT))
    house.clock.forward(timedelta(seconds=5))
    theirs |= {"act": "down.backFields.1", "colour.backgroundColor": "#ff0000"}
    assert two.client.post(DRAFT, data=theirs).status_code == 303
    mine |= {"act": "save", "f.backFields.2.words.ru": "Мои правила", "f.backFields.2.label.ru": "Условия"}
    told = one.client.post(DRAFT, data=mine)
    assert told.status_code == 409
    assert "Somebody else saved this draft" in told.text
    again = inputs(told)
    assert again["f.backFields.2.words.ru"] == "Мои правила"
    assert again["f.backFields.2.label.ru"] == "Условия"
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

    def upload(data: bytes, slot: str = "strip") -> TestResponse:
        fields = inputs(desk.get(DRAFT)) | {"act": "save", "text.programme.en": "Typed beside"}
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
    assert now_is(house).template.files == made.files
    edit(desk, act="clear.strip")
    assert not any(path.startswith("strip") for path in now_is(house).template.files)


def test_publish_roll_out_numbers_and_back(house: House) -> None:
    cards = designs_stage.issue_cards(house, house.cafe, 12)
    for card in cards[:3]:
        made = at_google(house.database, card, house.cafe.brand.id, now=house.clock())
        held(house.database, made, by_somebody=True, now=house.clock())
    designs_stage.begin(house)
    desk = house.desk("marketer")
    edit(desk, colour__backgroundColor="#102030")
    review = desk.get(f"{DRAFT}/publish")
    at_googles = "3 cards in Google Wallet: Google takes at most 20 changes a second"
    assert f"{at_googles}, so all of them need less than a minute." in review.text
    assert "Google has no stages" in review.text
    assert "12 cards in phones stay as they are" in review.text
    assert desk.send(f"{DRAFT}/publish").status_code == 303
    page = desk.get(AT)
    assert "Version 2 waits to be rolled out" in page.text
    assert at_googles in page.text
    assert "Cafe Marketer" in page.text  # who published it
    assert desk.send(AT, f"{AT}/rollout/start").status_code == 303
    _all_steps(house)
    waits = desk.get(AT).text
    assert "waits for you" in waits
    assert "<dt>Moved</dt><dd>0<" in waits
    assert "No card fell into this 1 %: go on." in waits
    assert "This stage is over" not in waits
    desk.send(AT, f"{AT}/rollout/go-on")
    _all_steps(house)
    desk.send(AT, f"{AT}/rollout/go-on")
    _all_steps(house)
    with house.database.write() as tx:
        registrations.register(
            tx, device_library_identifier=DeviceLibraryIdentifier("phone"), pass_id=cards[0],
            pass_type_identifier=PassTypeIdentifier(house.cafe.brand.pass_type_identifier),
            push_token=PushToken("beef" * 16), now=house.clock(),
        )  # fmt: skip
        version = tx.execute(select(wallet_pass.c.version).where(wallet_pass.c.id == cards[0])).scalar_one()
        tx.execute(pass_evidence.delete().where(pass_evidence.c.pass_id == cards[0]))
        tx.execute(
            pass_evidence.insert().values(pass_id=cards[0], fetched_version=version, fetched_at=house.clock())
        )
    page = desk.get(AT)
    figures = re.findall(r"<dt>([^<]+)</dt><dd>(\d+)<small>([^<]+)", page.text)
    assert figures == [
        ("Moved", "12", "of 12"), ("Fetched by phones", "1", "of 1 on phones"),
        ("Removed by guests", "0", "since it began"),
    ]  # fmt: skip
    assert "everywhere" in page.text
    desk.send(AT, f"{AT}/rollout/back")
    _all_steps(house)
    with house.database.read() as tx:
        assert [each.cards for each in designs.versions(tx, house.cafe.programme.id)] == [12, 0]
        told = set(tx.execute(select(audit_entry.c.action)).scalars())
    assert {"design.published", "rollout.started", "rollout.continued", "rollout.taken_back"} <= told
    assert "withdrawn" in desk.get(AT).text
    assert desk.send(AT, f"{AT}/rollout/stop").status_code == 409


def test_how_long_google_takes_counts_what_waits_before_and_nothing_twice(house: House) -> None:
    def outlook() -> GoogleOutlook | None:
        with house.database.read() as tx:
            return google_outlook(tx, house.cafe.programme.id, rate=0.01, now=house.clock())

    assert outlook() is None
    with house.database.write() as tx:
        for shop in (house.cafe, house.bakery):
            tx.execute(
                google_account.insert().values(
                    brand_id=shop.brand.id, issuer_id=ISSUER, credentials="file:nowhere",
                    email="robot@example.com", changed_at=house.clock(), changed_by="test",
                )
            )  # fmt: skip
    for shop, count in ((house.cafe, 3), (house.bakery, 2)):
        for card in designs_stage.issue_cards(house, shop, count):
            made = at_google(house.database, card, shop.brand.id, now=house.clock())
            held(house.database, made, by_somebody=True, now=house.clock())
            promise(house.database, made.id, "silent", now=house.clock())
    # Three of its own, which a change joins, behind two of a brand with the same issuer.
    assert outlook() == GoogleOutlook(cards=3, takes=timedelta(seconds=500), rate=0.01)
    with house.application.test_request_context():
        assert outlook_words(outlook()).endswith("so all of them need about 9 minutes.")
        long = GoogleOutlook(cards=120_000, takes=google.estimate(120_000, notifying=False), rate=20.0)
        assert outlook_words(long).endswith("so all of them need about 100 minutes.")
        assert outlook_words(replace(long, takes=2 * long.takes)).endswith("need about 4 hours.")


def _all_steps(house: House) -> None:
    """What the worker does."""
    for _ in range(40):
        house.clock.forward(timedelta(minutes=2))
        with house.database.write() as tx:
            if not rollouts.step(tx, now=house.clock(), most=200).more:
                return


def test_a_design_that_iphones_refuse_is_not_published(house: House) -> None:
    begun = designs_stage.begin(house)
    with house.database.write() as tx:
        broken = drafts.draft(tx, begun.id).template
        files = {path: data for path, data in broken.files.items() if not path.startswith("icon")}
        drafts.save(
            tx, begun.id, replace(broken, files=files), expected_updated_at=begun.updated_at,
            now=house.clock(), actor="test",
        )  # fmt: skip
    desk = house.desk()
    review = desk.get(f"{DRAFT}/publish")
    assert "iPhones would not take this card" in review.text
    assert "The icon is missing" in review.text
    assert "Publish version" not in review.text
    assert desk.send(f"{DRAFT}/publish").status_code == 303
    with house.database.read() as tx:
        assert len(designs.versions(tx, house.cafe.programme.id)) == 1


def test_a_test_card_follows_the_draft(house: House) -> None:
    designs_stage.begin(house)
    desk = house.desk()
    made = desk.send(f"{DRAFT}/publish", f"{DRAFT}/test-card")
    assert made.status_code == 303
    page = desk.get(f"{DRAFT}/publish")
    address = re.search(r'href="(https?://[^"]*/i/-/test-card/[^"]+)"', page.text)
    assert address
    assert "Open the test card" in page.text
    with house.database.read() as tx:
        before = tx.execute(select(wallet_pass.c.version)).scalar_one()
    house.clock.forward(timedelta(minutes=1))
    edit(desk, colour__backgroundColor="#102030")
    with house.database.read() as tx:
        assert tx.execute(select(wallet_pass.c.version)).scalar_one() > before


def test_who_may_only_look_neither_edits_nor_publishes(house: House) -> None:
    designs_stage.begin(house)
    manager = house.desk("manager")
    assert manager.get(DRAFT).status_code == 403
    assert house.desk("owner", "bakery").get(DRAFT).status_code == 404
