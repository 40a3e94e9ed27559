"""The link on the back of the pass: whoever looks changes nothing, one tap ends advertising, as evidence."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update

from app.db import Database
from app.db.identifiers import WalletPassId
from app.loyalty import members
from app.loyalty.enrolment import enrolment_of_pass
from app.loyalty.tables import consent, enrolment
from app.passes.tables import wallet_pass
from app.web.links import Links
from tests.web.guests import SECRET, World, form_action, form_fields, open_world


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def a_card(world: World, **words: str) -> tuple[WalletPassId, str]:
    """A guest's pass, and the way to the page that its back names."""
    world.phone().join(world.cafe, **({"advertising": "yes"} | words))
    with world.database.read() as tx:
        pass_id = tx.execute(
            select(enrolment.c.pass_id).order_by(enrolment.c.id.desc()).limit(1)
        ).scalar_one()
    url = Links(SECRET, "https://cards.example").stop_url(pass_id, 1)
    return pass_id, urlsplit(url).path


def said(world: World) -> list[tuple[bool, str, str, str]]:
    """Every word about advertising, oldest first."""
    with world.database.read() as tx:
        rows = tx.execute(
            select(consent.c.granted, consent.c.text, consent.c.language, consent.c.source)
            .where(consent.c.purpose == "advertising")
            .order_by(consent.c.id)
        )
        return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("language", "heading", "done"),
    [("en", "No more advertising?", "You get no advertising"),
     ("ru", "Отказаться от рекламы?", "Реклама отключена")],
)  # fmt: skip
def test_one_tap_ends_it(world: World, language: str, heading: str, done: str) -> None:
    _, path = a_card(world)
    guest = world.phone(language=language)
    page = guest.get(path)
    assert page.status_code == 200
    assert heading in page.text
    assert "no-store" in page.headers["Cache-Control"]
    assert [granted for granted, *_ in said(world)] == [True]  # who looks changes nothing
    world.clock.forward(timedelta(days=1))
    answer = guest.client.post(form_action(page), data=form_fields(page))
    assert answer.status_code == 303
    after = guest.get(answer.location)
    assert done in after.text
    assert "<form" not in after.text
    assert guest.client.post(path).status_code == 303  # a second tap
    rows = said(world)
    assert [granted for granted, *_ in rows] == [True, False]
    _, words, spoken, source = rows[1]
    assert words.startswith(world.cafe.brand.name)
    assert (spoken, source) == (language, "link on the card")


def test_who_never_agreed_is_told_so(world: World) -> None:
    _, path = a_card(world, advertising="")
    page = world.phone().get(path)
    assert "You get no advertising" in page.text
    assert world.phone().client.post(path).status_code == 303
    assert [granted for granted, *_ in said(world)] == [False]


def test_a_made_up_link_leads_nowhere_and_one_of_an_ended_card_has_ended(world: World) -> None:
    pass_id, path = a_card(world)
    assert world.phone().get(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 404
    assert world.phone().client.post("/i/-/stop/1.1~x").status_code == 404
    with world.database.write() as tx:
        tx.execute(update(wallet_pass).where(wallet_pass.c.id == pass_id).values(key_version=2))
    assert world.phone().get(path).status_code == 410
    newer = Links(SECRET, "https://cards.example").stop_path(pass_id, 2)
    assert world.phone().get(newer).status_code == 200
    with world.database.write() as tx:
        members.remove(tx, enrolment_of_pass(tx, pass_id).member_id, now=world.clock())
    assert world.phone().get(newer).status_code == 410
    assert world.phone().client.post(newer).status_code == 410


def test_the_card_page_leads_there_too(world: World) -> None:
    card = world.phone().join(world.cafe, advertising="yes")
    with world.database.read() as tx:
        pass_id = tx.execute(select(enrolment.c.pass_id)).scalar_one()
    assert f'href="{Links(SECRET, "https://cards.example").stop_path(pass_id, 1)}?lang=en"' in card.text


def test_the_shipped_templates_name_it_on_the_back() -> None:
    for layout in sorted((Path(__file__).parents[2] / "pass_templates").glob("*/layout.toml")):
        back = layout.read_text(encoding="utf-8").split('key = "withdrawal"')[1].split("[[")[0]
        assert 'value = "{withdrawal_url}"' in back, layout
