"""The preview of the design editor and the notes beside it, as requests."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from app.passes import drafts
from tests.web.console import designs_stage
from tests.web.console.designs_form import DRAFT, inputs, now_is
from tests.web.console.house import House


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
