"""What is done to a guest's card: corrected, blocked, issued anew, handed out as a file and forgotten."""

from __future__ import annotations

import io
import json
import re
from html import unescape
from zipfile import ZipFile

import pytest

from app.loyalty import enrolment, till
from app.loyalty.enrolment import Enrolment
from app.web.links import Links
from tests.web.console.house import House
from tests.web.console.members_desk import act, balance, page_of, send
from tests.web.guests import ANDROID, NOW


def _card_page(house: House, card: Enrolment) -> str:
    links = Links(house.services.secret_key, house.services.public_url)
    whole = links.card_url(house.cafe.link.code, card.id, card.card_link_version)
    return whole.removeprefix(house.services.public_url)


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
