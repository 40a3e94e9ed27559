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
from app.web.guest_limits import GuestLimits
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


def add_to_a_phone(world: World, name: str = "a-phone", later: timedelta = timedelta()) -> None:
    with world.database.write() as tx:
        card = issuing.wallet_pass(tx, tx.execute(select(enrolment.c.pass_id)).scalar_one())
        registrations.register(
            tx,
            device_library_identifier=DeviceLibraryIdentifier(f"library-of-{name}"),
            pass_type_identifier=card.pass_type_identifier,
            pass_id=card.id,
            push_token=PushToken("beef" * 16),
            now=NOW + later,
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
    assert "The card is in your Wallet" not in page.text.split("<template")[0]
    part = re.search(r'data-after="([^"]+)"', page.text)
    assert part
    assert guest.get(part[1]).text == "0"
    add_to_a_phone(world)
    state, shown = guest.get(part[1]), guest.get(address)
    assert state.text == str(int(NOW.timestamp() * 1000))
    assert "The card is in your Wallet" in shown.text
    assert "data-after" not in shown.text  # there is nothing left to ask
    for answer in (state, shown):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    with world.database.read() as tx:  # reading is no step of the visit
        assert sorted(tx.execute(select(visit_event.c.kind)).scalars()) == ["form", "page", "scan"]


def test_a_second_phone_is_told_apart_from_the_first_and_still_gets_the_card(world: World) -> None:
    guest = world.phone()
    card = guest.join(world.cafe)
    onward = re.search(r'data-onward="([^"]+)"', card.text)
    assert onward
    add_to_a_phone(world)
    before = int(guest.get(onward[1]).text)
    page = guest.get(next_address(card))
    assert "Add it to this iPhone too" in page.text
    download = re.search(r'href="(/i/[^"]+\.pkpass[^"]*)" data-wallet', page.text)
    assert download
    assert guest.get(unescape(download[1])).status_code == 200
    add_to_a_phone(world, "another", timedelta(seconds=20))
    assert int(guest.get(onward[1]).text) > before
    assert "iPhone too" not in world.phone(ANDROID).get(next_address(card)).text


def test_what_is_asked_every_few_seconds_changes_with_the_registration_alone(world: World) -> None:
    guest = world.phone()
    state = next_address(guest.join(world.cafe)).replace("?", "/state?")
    first = guest.get(state)
    world.clock.forward(timedelta(seconds=5))
    again = guest.get(state)
    assert first.text == again.text
    assert len(again.text) < 20


def test_the_forms_own_address_leads_to_the_page_in_the_same_language(world: World) -> None:
    guest = world.phone(language="ru")
    address = next_address(guest.join(world.cafe)).split("?")[0]
    again = guest.get(f"{address}/birthday?lang=en")
    assert (again.status_code, again.location) == (303, f"{address}?lang=en#birthday")
    assert again.headers["Referrer-Policy"] == "no-referrer"


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


@pytest.mark.once
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
    left = re.search(r'href="([^"]+)">Not now', back.text)
    assert left
    assert "lang=en" in left[1]
    assert guest.get(unescape(left[1])).status_code == 200
    if said.get("day") == "30":
        assert "<option selected>30</option>" in back.text
        assert '<option value="2" selected>February</option>' in back.text


def test_who_does_not_want_to_tell_leaves_it_out(world: World) -> None:
    guest = world.phone()
    address = next_address(guest.join(world.cafe))
    way = re.search(r'href="([^"]+)">Not now', guest.get(address).text)
    assert way
    left = guest.get(unescape(way[1]))
    assert "birthday" not in left.text
    assert "Another phone?" in left.text


@pytest.mark.once
@pytest.mark.parametrize("user_agent", [ANDROID, DESKTOP])
def test_every_device_goes_on_and_shows_the_way_to_another_phone(world: World, user_agent: str) -> None:
    guest = world.phone(user_agent)
    card = guest.join(world.cafe)
    page = guest.get(f"{card.request.path.replace('/card/', '/next/')}?lang=en")
    assert page.status_code == 200
    own = f"https://cards.example{card.request.path}?lang=en"  # the language goes along to that phone
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


@pytest.mark.once
def test_the_card_page_goes_on_from_wallet_and_helps_out_of_an_apps_window(world: World) -> None:
    card = world.phone().join(world.cafe)
    onward = re.search(r'data-onward="([^"]+)" href="([^"]+)"', card.text)
    assert onward
    assert onward[1].split("?")[0] == f"{onward[2].split('?')[0]}/state"
    assert "data-wallet" in card.text
    assert 'id="way-out"' not in card.text
    for chosen in ("", "?lang=ru"):
        in_app = world.phone(APPS[0].user_agent).get(card.request.path + chosen)
        assert f'href="x-safari-https://cards.example{card.request.path}{chosen}"' in in_app.text
    assert "data-wallet" in in_app.text  # whoever is wrong about the window has the button all the same


@pytest.mark.once
def test_after_wallet_an_apps_window_shows_the_way_out_and_no_button_that_does_nothing(world: World) -> None:
    address = next_address(world.phone().join(world.cafe))
    own = f"https://cards.example{address.replace('/next/', '/card/')}"
    in_app = world.phone(APPS[0].user_agent)
    before = in_app.get(address).text
    assert f'href="x-safari-{own}"' in before
    assert "data-wallet" not in before
    assert before.count('id="way-out"') == before.count('id="address"') == 1
    add_to_a_phone(world)
    after = in_app.get(address).text
    assert f'href="x-safari-{own}" rel="nofollow">Add it to this iPhone too' in after
    assert "data-wallet" not in after
    assert 'id="way-out"' not in world.phone().get(address).text
    telegram = next(known.user_agent for known in APPS if "Android" in known.user_agent)
    assert 'id="way-out"' not in world.phone(telegram).get(address).text  # some phone has it already


@pytest.mark.once
def test_on_android_an_apps_window_says_where_the_card_is_kept(world: World) -> None:
    address = next_address(world.phone().join(world.cafe))
    android = next(known.user_agent for known in APPS if "Android" in known.user_agent)
    assert world.phone(android).get(address).text.count('id="way-out"') == 1
    assert 'id="way-out"' not in world.phone(ANDROID).get(address).text


@pytest.mark.once
def test_a_mac_may_take_the_card_for_its_owners_iphone_and_other_desktops_may_not(world: World) -> None:
    card = world.phone(MAC).join(world.cafe)
    assert ".pkpass" in card.text
    assert 'class="hand-over"' in card.text
    assert ".pkpass" not in world.phone(DESKTOP).get(card.request.path).text
    with world.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(enrolment)).scalar_one() == 1


class ForgottenMeanwhile(GuestLimits):
    """Between the page's reading of the card and its writing of the birthday the member is removed."""

    def __init__(self, database: Database) -> None:
        super().__init__("memory://")
        self._database, self.armed = database, False

    def count_form(self, address: str) -> None:
        if self.armed:
            with self._database.write() as tx:
                removed = tx.execute(select(enrolment.c.member_id)).scalar_one()
                members.remove(tx, removed, now=NOW, actor="test")
        super().count_form(address)


def test_whoever_is_forgotten_while_the_birthday_is_under_way_stays_forgotten(database: Database) -> None:
    limits = ForgottenMeanwhile(database)
    world = open_world(database, limits=limits)
    guest = world.phone()
    address = next_address(guest.join(world.cafe)).split("?")[0]
    limits.armed = True
    assert guest.client.post(f"{address}/birthday", data={"month": "3", "day": "7"}).status_code == 410
    assert birthday(world) is None
