"""The guests' pages: found, shown, corrected, blocked, issued anew, handed out as a file and forgotten."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import event

from app.loyalty import card_acts, enrolment, merging, till
from app.loyalty.enrolment import Enrolment
from app.simulators.authority import Authority
from app.web.links import Links
from tests.web.console.house import Desk, House
from tests.web.console.members_guests import guest, ring_up, with_phone
from tests.web.guests import ANDROID, NOW

ALL = "/console/cafe/members"


@pytest.fixture
def anna(house: House) -> Enrolment:
    """A guest of the main venue with 300 points of welcome and 45 of a receipt."""
    with house.database.write() as tx:
        card = guest(tx, house.cafe, "Анна Петрова", "+79031234567")
        ring_up(tx, house.cafe, card, "R-1")
    house.clock.forward(timedelta(hours=1))
    return card


def page_of(card: Enrolment) -> str:
    return f"{ALL}/{card.member_id}"


def act(card: Enrolment, what: str) -> str:
    return f"{page_of(card)}/cards/{card.id}/{what}"


def send(desk: Desk, card: Enrolment, what: str, **fields: str) -> tuple[int, str]:
    """A form of the guest's page with the key it came with; the page that follows."""
    key = re.search(r'name="form_key" value="([^"]+)"', desk.get(page_of(card)).text)
    assert key
    fields = {"form_key": key[1], **fields}
    answer = desk.send(page_of(card), act(card, what), **fields)
    if answer.status_code == 303:
        shown = desk.get(answer.headers["Location"].partition("#")[0])
        assert shown.status_code == 200
        return 303, unescape(shown.text)
    return answer.status_code, unescape(answer.text)


def _card_page(house: House, card: Enrolment) -> str:
    links = Links(house.services.secret_key, house.services.public_url)
    whole = links.card_url(house.cafe.link.code, card.id, card.card_link_version)
    return whole.removeprefix(house.services.public_url)


def balance(house: House, card: Enrolment) -> int:
    with house.database.read() as tx:
        return enrolment.enrolment(tx, card.id).balance


@pytest.mark.parametrize("query", ["петр", "4567", "8 903 123-45-67", "code"])
def test_a_guest_is_found_and_shown(house: House, anna: Enrolment, query: str) -> None:
    desk = house.desk("marketer")
    found = desk.client.get(ALL, query_string={"q": anna.card_code if query == "code" else query})
    assert "Анна Петрова" in found.text
    assert f'href="{page_of(anna)}"' in found.text
    shown = unescape(desk.get(page_of(anna)).text)
    assert "+7 903 123-45-67" in shown
    assert "345 points" in shown
    assert "No phone has this card" in shown
    assert "Receipt R-1: RUB900.00, Main" in shown
    assert "Proved the number by a code" in shown


def test_who_may_not_see_numbers_sees_their_end_and_only_guests_of_their_venues(
    house: House, anna: Enrolment
) -> None:
    with house.database.write() as tx:
        other = guest(tx, house.cafe, "Анна Чужая", "+79035550000", venue_id=house.second["cafe"].id)
    manager = house.desk("manager")
    found = unescape(manager.get(f"{ALL}?q=анна").text)
    assert "+• ••• •••-45-67" in found
    assert "123-45" not in found
    assert "Чужая" not in found
    assert manager.get(page_of(other)).status_code == 404
    assert manager.get(f"{act(other, '').rstrip('/')}.svg").status_code == 404
    assert house.desk("owner", "bakery").get(f"/console/bakery/members/{anna.member_id}").status_code == 404
    with house.database.write() as tx:
        ring_up(tx, house.cafe, other, "R-2")
    assert manager.get(page_of(other)).status_code == 200
    assert house.desk("cashier").get(ALL).status_code == 403


def test_a_phone_that_holds_the_newest_card_is_said_so(house: House, anna: Enrolment) -> None:
    with house.database.write() as tx:
        with_phone(tx, anna)
    shown = unescape(house.desk().get(page_of(anna)).text)
    assert "The phone holds the newest card" in shown
    picture = house.desk().get(f"{page_of(anna)}/cards/{anna.id}.svg")
    assert picture.mimetype == "image/svg+xml"
    assert "Анна Петрова" in picture.text


def test_a_certificate_that_is_missing_or_over_is_the_cause(
    house: House, anna: Enrolment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house.database.write() as tx:
        with_phone(tx, anna)
        ring_up(tx, house.cafe, anna, "R-2")
    brand = house.cafe.brand
    assert "certificate cannot be used" in verdict(house, anna)
    folder = Authority.create(tmp_path / "authority", now=NOW - timedelta(days=1)).pass_credentials(
        tmp_path / "own",
        pass_type_identifier=brand.pass_type_identifier,
        team_identifier=brand.team_identifier,
        organization="Cafe",
    )
    prefix = brand.credentials.removeprefix("env:")
    for name, file in (("CERTIFICATE", "certificate.pem"), ("KEY", "key.pem"), ("WWDR", "wwdr.pem")):
        monkeypatch.setenv(f"{prefix}_{name}", (folder / file).read_text())
    assert "certificate" not in verdict(house, anna)
    house.clock.forward(timedelta(days=500))
    assert "certificate has expired" in verdict(house, anna)


def verdict(house: House, card: Enrolment) -> str:
    """What stands above the card."""
    shown = unescape(house.new_desk(house.team["cafe", "owner"]).get(page_of(card)).text)
    return shown.partition('<section class="member-card"')[2].partition("member-sides")[0]


def test_the_balance_is_corrected_once_with_a_reason_and_undone(house: House, anna: Enrolment) -> None:
    desk = house.desk("marketer")
    form = {"way": "add", "amount": "12,5", "reason": "Не прошёл чек", "form_key": "k" * 16}
    for _ in range(2):
        status, shown = send(desk, anna, "correct", **form)
        assert status == 303
    assert balance(house, anna) == 345_00 + 12_50
    assert "Balance corrected by hand: +12.5 points. Не прошёл чек" in shown
    undo = dict(
        re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">', shown.split('class="done"')[1])
    )
    assert (undo["way"], undo["amount"]) == ("take", "12.5")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"way": "take", "amount": "500"}, "There is less on the card"),
        ({"way": "add", "amount": "much"}, "A number above 0"),
        ({"way": "add", "amount": "-5"}, "A number above 0"),
        ({"way": "add", "amount": "0.001"}, "A number above 0"),
        ({"way": "add", "amount": "1e99"}, "too much"),
        ({"way": "add", "amount": "NaN"}, "A number above 0"),
        ({"way": "add", "amount": ""}, "Please fill this in"),
        ({"way": "add", "amount": "5", "reason": " "}, "Write down why"),
        ({"way": "sideways", "amount": "5"}, ""),
    ],
)
def test_a_correction_that_cannot_be_comes_back_with_what_was_typed(
    house: House, anna: Enrolment, fields: dict[str, str], said: str
) -> None:
    status, shown = send(house.desk(), anna, "correct", **({"reason": "Ошибка"} | fields))
    assert status == 422
    assert said in shown
    assert f'value="{fields["amount"]}"' in shown
    assert balance(house, anna) == 345_00


def test_all_there_is_can_be_taken_where_that_is_said(house: House, anna: Enrolment) -> None:
    fields = {"way": "take", "amount": "500", "reason": "Обман", "all_there_is": "yes"}
    assert send(house.desk(), anna, "correct", **fields)[0] == 303
    assert balance(house, anna) == 0


def test_a_card_is_blocked_and_unblocked(house: House, anna: Enrolment) -> None:
    manager = house.desk("manager")
    assert send(manager, anna, "block", reason="")[0] == 422
    status, shown = send(manager, anna, "block", reason="Потерял телефон")
    assert status == 303
    assert "Card blocked. Потерял телефон" in shown
    assert act(anna, "unblock") in shown
    with house.database.read() as tx:
        assert enrolment.enrolment(tx, anna.id).blocked_at is not None
    assert anna.card_code not in manager.get(f"{page_of(anna)}/cards/{anna.id}.svg").text
    guests = house.world.phone(user_agent=ANDROID).get(_card_page(house, anna)).text
    assert "This card is blocked" in guests
    assert anna.card_code not in guests
    status, shown = send(manager, anna, "unblock")
    assert "Card unblocked" in shown
    with house.database.read() as tx:
        assert till.card(tx, anna.card_code, brand_id=house.cafe.brand.id, now=NOW).balance == 345_00


def test_a_card_is_issued_anew_and_handed_over(house: House, anna: Enrolment) -> None:
    desk = house.desk("manager")
    before = re.search(r'data-copy="([^"]+)"', desk.get(page_of(anna)).text)
    status, shown = send(desk, anna, "reissue", reason="Ссылка ушла")
    after = re.search(r'data-copy="([^"]+)"', shown)
    assert status == 303
    assert before
    assert after
    assert before[1] != after[1]
    guests = house.world.phone()
    assert guests.get(before[1].removeprefix(house.services.public_url)).status_code == 410
    assert guests.get(after[1].removeprefix(house.services.public_url)).status_code == 200


def test_a_guest_gets_everything_and_is_forgotten(house: House, anna: Enrolment) -> None:
    desk = house.desk()
    file = desk.send(page_of(anna), f"{page_of(anna)}/file")
    assert file.mimetype == "application/zip"
    with ZipFile(io.BytesIO(file.data)) as bundle:
        said = json.loads(bundle.read("data.json"))
        readable = bundle.read("data.html").decode()
    assert said["member"][0]["name"] == "Анна Петрова"
    assert "+79031234567" in readable
    assert house.desk("marketer").send(page_of(anna), f"{page_of(anna)}/file").status_code == 403

    forget = f"{page_of(anna)}/forget"
    assert "member-large" in desk.get(page_of(anna)).text
    assert desk.send(forget).status_code == 422
    assert desk.send(forget, sure="yes").status_code == 303
    gone = unescape(desk.get(page_of(anna)).text)
    assert "Forgotten on" in gone
    assert "Анна" not in gone
    assert "45-67" not in gone
    assert "member-large" not in gone  # the points went with the name


def test_a_guest_who_was_found_twice_is_shown_as_the_one_who_lives_on(house: House, anna: Enrolment) -> None:
    with house.database.write() as tx:
        other = guest(tx, house.cafe, "Анна")
        merging.merge(tx, living=anna.id, ending=other.id, now=house.clock())
    shown = house.desk().get(page_of(other))
    assert shown.status_code == 303
    assert shown.headers["Location"].endswith(page_of(anna))
    assert "The card was united" in unescape(house.desk().get(page_of(anna)).text)


def test_a_page_asks_as_many_questions_for_a_long_past_as_for_a_short_one(house: House) -> None:
    def questions(card: Enrolment) -> int:
        asked: list[str] = []

        def hear(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            asked.append(statement)

        event.listen(house.database.engine, "before_cursor_execute", hear)
        try:
            assert house.desk().get(page_of(card)).status_code == 200
        finally:
            event.remove(house.database.engine, "before_cursor_execute", hear)
        return len(asked)

    with house.database.write() as tx:
        newcomer, regular = guest(tx, house.cafe, "Яна"), guest(tx, house.cafe, "Анна", "+79031234567")
        with_phone(tx, newcomer, "only")
        for number in range(30):
            ring_up(tx, house.cafe, regular, f"R-{number}")
        for number in range(5):
            reason = {"reason": "Ошибка", "form_key": f"form-{number:04}", "now": NOW, "actor": "x"}
            card_acts.correct(tx, regular.id, points=100, **reason)  # type: ignore[arg-type]
            with_phone(tx, regular, f"phone-{number}")
    questions(newcomer)  # the first that somebody asks looks at their session
    assert questions(regular) <= questions(newcomer) + 2  # whose pushes, and which codes went to the number


def test_hostile_names_and_queries_are_words_like_others(house: House) -> None:
    with house.database.write() as tx:
        card = guest(tx, house.cafe, '<script>alert("x")</script>')
    desk = house.desk()
    for address in (ALL, f"{ALL}?q=<script>", page_of(card)):
        assert "<script>alert" not in desk.get(address).text
    assert desk.get(f"{ALL}?q=%ff'--").status_code == 200
    assert desk.get(f"{ALL}?q=%00").status_code == 404  # no page asks so
    assert desk.get(f"{ALL}/99999999").status_code == 404
    assert desk.get(f"{page_of(card)}?topic=nothing").status_code == 200


def test_what_shares_a_minute_is_told_to_the_second_and_in_the_order_of_its_causes(house: House) -> None:
    with house.database.write() as tx:
        card = guest(tx, house.cafe, "Анна")
        with_phone(tx, card)
    house.clock.forward(timedelta(hours=1))
    page = house.desk("owner").get(f"/console/cafe/members/{card.member_id}").text
    held, downloaded = (page.index(said) for said in ("confirmed that it holds", "A phone downloaded"))
    assert held < downloaded, "the newest comes first"
    shown = re.findall(r'<time class="soft small" datetime="[^"]+">([^<]+)</time>', page)
    seconds = [time for time in shown if re.search(r"\d:\d\d:\d\d$", time)]
    assert len(seconds) == len(shown) > 3, shown
    with house.database.write() as tx:
        card_acts.block(tx, card.id, reason="x", form_key="form-0001", now=house.clock(), actor="user:1")
    page = house.desk("owner").get(f"/console/cafe/members/{card.member_id}").text
    first = re.findall(r'<time class="soft small" datetime="[^"]+">([^<]+)</time>', page)
    assert first[-1] == shown[-1]
