"""After the card: what the page knows, a birthday that can be left out, and the card on another phone."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.db import Database
from app.db.identifiers import DeviceLibraryIdentifier, PushToken
from app.loyalty import members
from app.loyalty.tables import enrolment, member
from app.passes import issuing, registrations
from app.places.tables import visit_event
from app.web import qr
from tests.web.guests import ANDROID, DESKTOP, NOW, World, open_world
from tests.web.user_agents import APPS, BROWSERS

MAC = next(known.user_agent for known in BROWSERS if "Mac" in known.name)


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def next_address(card: TestResponse) -> str:
    found = re.search(r'href="(/i/[^"]+/next/[^"]+)"', card.text)
    assert found, card.text
    return unescape(found[1])


def add_to_a_phone(world: World) -> None:
    with world.database.write() as tx:
        card = issuing.wallet_pass(tx, tx.execute(select(enrolment.c.pass_id)).scalar_one())
        registrations.register(
            tx,
            device_library_identifier=DeviceLibraryIdentifier("library-of-a-phone"),
            pass_type_identifier=card.pass_type_identifier,
            pass_id=card.id,
            push_token=PushToken("beef" * 16),
            now=NOW,
        )


def birthday(world: World) -> str | None:
    with world.database.read() as tx:
        found: str | None = tx.execute(select(member.c.birthday)).scalar_one()
    return found


def test_the_page_asks_until_a_phone_has_the_card_and_then_says_so(world: World) -> None:
    guest = world.phone()
    address = next_address(guest.join(world.cafe))
    page = guest.get(address)
    assert page.status_code == 200
    assert "Is the card in your Wallet?" in page.text
    assert ".pkpass" in page.text
    part = re.search(r'data-after="([^"]+)"', page.text)
    assert part
    assert guest.get(part[1]).text.strip() in page.text
    add_to_a_phone(world)
    for shown in (guest.get(part[1]), guest.get(address)):
        assert "data-added" in shown.text
        assert "The card is in your Wallet" in shown.text
        assert ".pkpass" not in shown.text
        assert shown.headers["Cache-Control"] == "no-store"
        assert shown.headers["Referrer-Policy"] == "no-referrer"
    with world.database.read() as tx:  # reading is no step of the visit
        assert sorted(tx.execute(select(visit_event.c.kind)).scalars()) == ["form", "page", "scan"]


def test_a_birthday_is_kept_as_day_and_month_and_can_be_changed(world: World) -> None:
    guest = world.phone(language="ru")
    page = guest.get(next_address(guest.join(world.cafe)))
    assert "Когда у вас день рождения?" in page.text
    assert page.text.count("<option") == 1 + 31 + 1 + 12
    action = unescape(page.text.split('method="post" action="')[1].split('"')[0])
    for day in ("5", "7"):
        answers = [guest.client.post(action, data={"month": "3", "day": day}) for _ in range(2)]
        assert {answer.status_code for answer in answers} == {303}
    assert birthday(world) == "03-07"
    kept = guest.get(answers[0].location)
    assert "7 марта. Спасибо, запомнили." in kept.text


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"month": "2", "day": "30"},
        {"month": "2"},
        {"month": "²", "day": "1"},
        {"month": "1" * 999, "day": "1"},
    ],
)
def test_a_day_that_there_is_not_is_asked_again_as_it_was_chosen(world: World, said: dict[str, str]) -> None:
    guest = world.phone()
    page = guest.get(next_address(guest.join(world.cafe)))
    action = unescape(page.text.split('method="post" action="')[1].split('"')[0])
    back = guest.client.post(action, data=said)
    assert back.status_code == 422
    assert "Choose a month and a day that it has." in back.text
    assert birthday(world) is None
    if said.get("day") == "30":
        assert "<option selected>30</option>" in back.text
        assert '<option value="2" selected>February</option>' in back.text


def test_who_does_not_want_to_tell_leaves_it_out(world: World) -> None:
    guest = world.phone()
    address = next_address(guest.join(world.cafe))
    assert 'href="?later=1"' in guest.get(address).text
    left = guest.get(f"{address.split('?')[0]}?later=1")
    assert "birthday" not in left.text
    assert "Another phone?" in left.text


@pytest.mark.parametrize("user_agent", [ANDROID, DESKTOP])
def test_every_device_goes_on_and_shows_the_way_to_another_phone(world: World, user_agent: str) -> None:
    guest = world.phone(user_agent)
    card = guest.join(world.cafe)
    page = guest.get(f"{card.request.path.replace('/card/', '/next/')}?lang=en")
    assert page.status_code == 200
    own = f"https://cards.example{card.request.path}"
    assert qr.inline_svg(own) in page.text
    assert f'value="{own}"' in page.text
    assert "Is the card in your Wallet" not in page.text


def test_a_made_up_address_and_a_card_that_ended_lead_nowhere(world: World) -> None:
    guest = world.phone()
    address = next_address(guest.join(world.cafe)).split("?")[0]
    for path in (address, f"{address}/state"):
        assert guest.get(path.replace("~", "~A")).status_code == 404
        assert guest.get(path.replace(world.cafe.link.code, world.bakery.link.code)).status_code == 404
    assert (
        guest.client.post(
            f"{address}/birthday".replace("~", "~A"), data={"month": "1", "day": "1"}
        ).status_code
        == 404
    )
    with world.database.write() as tx:
        members.remove(tx, tx.execute(select(enrolment.c.member_id)).scalar_one(), now=NOW, actor="test")
    assert guest.get(address).status_code == guest.get(f"{address}/state").status_code == 410
    gone = guest.client.post(f"{address}/birthday", data={"month": "1", "day": "1"})
    assert gone.status_code == 410
    assert birthday(world) is None


def test_the_page_lives_as_long_as_the_card(world: World) -> None:
    guest = world.phone()
    address = next_address(guest.join(world.cafe))
    world.clock.forward(timedelta(days=400))
    assert guest.get(address).status_code == 200


def test_the_card_page_goes_on_from_wallet_and_helps_out_of_an_apps_window(world: World) -> None:
    card = world.phone().join(world.cafe)
    onward = re.search(r'data-onward="([^"]+)" href="([^"]+)"', card.text)
    assert onward
    assert onward[1].split("?")[0] == f"{onward[2].split('?')[0]}/state"
    assert "data-wallet" in card.text
    assert 'id="way-out"' not in card.text
    in_app = world.phone(APPS[0].user_agent).get(card.request.path)
    assert f'href="x-safari-https://cards.example{card.request.path}"' in in_app.text
    assert "data-wallet" in in_app.text  # whoever is wrong about the window has the button all the same


def test_a_mac_may_take_the_card_for_its_owners_iphone_and_other_desktops_may_not(world: World) -> None:
    card = world.phone(MAC).join(world.cafe)
    assert ".pkpass" in card.text
    assert 'class="hand-over"' in card.text
    assert ".pkpass" not in world.phone(DESKTOP).get(card.request.path).text
    with world.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(enrolment)).scalar_one() == 1
