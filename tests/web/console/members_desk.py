"""The guests' pages as somebody at a desk uses them: for their tests."""

from __future__ import annotations

import re
from html import unescape

from app.loyalty import enrolment
from app.loyalty.enrolment import Enrolment
from tests.web.console.house import Desk, House

ALL = "/console/cafe/members"


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


def balance(house: House, card: Enrolment) -> int:
    with house.database.read() as tx:
        return enrolment.enrolment(tx, card.id).balance
