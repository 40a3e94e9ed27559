"""What no row is called and no column holds: numbers beyond 64 bits, NUL, powers of ten without end."""

from __future__ import annotations

import re

import pytest

from tests.web.console.house import Desk, House
from tests.web.console.test_roles import SAMPLES

_NUMBER = re.compile(r"<int:(\w+)>")
_ANY = re.compile(r"<(?:int:)?(\w+)>")
_HUGE = (str(2**63 - 1), str(2**63), "9" * 5000, "²")
_DIGITS = ("9" * 18, "9" * 19, "9" * 30, "9" * 5000, "²", "-1")


def _sample(house: House, name: str) -> str:
    if name in ("brand", "venue"):
        return {"brand": "cafe", "venue": "main"}[name]
    if (name, "cafe") not in house.made:
        house.made[name, "cafe"] = str(SAMPLES[name](house, house.cafe))
    return house.made[name, "cafe"]


def _addresses(house: House, value: str, which: re.Pattern[str]) -> list[tuple[str, str]]:
    """Every address with ``value`` in one of its parameters that ``which`` finds, and its method."""
    found: list[tuple[str, str]] = []
    for route in house.console.routes:
        for name in which.findall(route.rule):
            values = {each: _sample(house, each) for each in _ANY.findall(route.rule) if each != name}
            values[name] = value
            address = _ANY.sub("{}", route.rule).format(*map(values.__getitem__, _ANY.findall(route.rule)))
            found.append((route.method, f"/console{address}"))
    return found


def _statuses(desk: Desk, addresses: list[tuple[str, str]]) -> dict[str, int]:
    token = desk.token("/console/account")
    return {
        f"{method} {address[:80]}": (
            desk.get(address) if method == "GET" else desk.client.post(address, data={"csrf_token": token})
        ).status_code
        for method, address in addresses
    }


def test_a_number_that_no_row_has_leads_nowhere(house: House) -> None:
    addresses = [each for value in _HUGE for each in _addresses(house, value, _NUMBER)]
    assert len(addresses) > 40
    asked = _statuses(house.desk(house.operator), addresses)
    # 405: what it would be is a page that is only looked at.
    assert {each: status for each, status in asked.items() if status not in (404, 405)} == {}


def test_a_nul_in_an_address_leads_nowhere(house: House) -> None:
    addresses = _addresses(house, "%00", re.compile(r"<(\w+)>"))
    assert len(addresses) > 40
    addresses += [
        ("GET", f"/console/cafe/{page}=%00") for page in ("members?q", "funnel?venue", "audit?before")
    ]
    asked = _statuses(house.desk(house.operator), addresses)
    assert {each: status for each, status in asked.items() if status != 404} == {}


@pytest.mark.parametrize("typed", _DIGITS)
def test_a_number_in_a_question_or_a_form_is_one_or_none(house: House, typed: str) -> None:
    desk = house.desk()
    token = desk.token("/console/account")
    programme = _sample(house, "programme_id")
    pages = (f"audit?before={typed}", f"funnel?where=person-{typed}", f"funnel?days={typed}")
    asked = {page[:20]: desk.get(f"/console/cafe/{page}").status_code for page in pages}
    assert set(asked.values()) == {200}, asked
    forms = (
        ("people/invite", {"name": "Vera", "role": "manager", "venues": typed}),
        ("places/-/staff", {"name": "Vera", "venue": typed}),
        ("launch/publish", {"programme": typed}),
        ("places/main/hang", {"kind": "venue", "programme": typed}),
        (f"designs/{programme}/draft/undo", {"revision": typed, "expected": "x"}),
        (f"designs/{programme}/draft", {"revision": typed, "act": "save", "expected": "x"}),
        (f"designs/{programme}/reopen", {"draft": typed}),
    )
    for address, fields in forms:
        sent = desk.client.post(f"/console/cafe/{address}", data={"csrf_token": token, **fields})
        assert sent.status_code < 500, address


def test_a_nul_in_a_form_is_refused_beside_its_field(house: House) -> None:
    stranger = house.stranger()
    refused = stranger.send("/console/sign-in", email="a\0b@example.com", password="eleven blue herons")
    assert refused.status_code == 422
    assert "control character" in refused.text
    desk = house.desk()
    for page, fields in (
        ("places/-/new", {"name": "a\0b", "address": "c\0d", "time_zone": "Europe/Moscow"}),
        ("settings/brand", {"name": "a\0b"}),
        ("people/invite", {"name": "a\0b", "role": "marketer"}),
    ):
        sent = desk.client.post(
            f"/console/cafe/{page}", data={"csrf_token": desk.token("/console/account"), **fields}
        )
        assert sent.status_code in (404, 422), page


@pytest.mark.parametrize("typed", ["9e999999", "1e999999", "1e-999999", "NaN", "sNaN", "Infinity", "-0"])
def test_a_number_beyond_any_is_refused_beside_its_field(house: House, typed: str) -> None:
    desk = house.desk()
    token = desk.token("/console/account")
    member, card = _sample(house, "member_id"), _sample(house, "card_id")
    correct = {"way": "add", "amount": typed, "reason": "x", "form_key": "abcdabcdabcdabcd"}
    sent = desk.client.post(
        f"/console/cafe/members/{member}/cards/{card}/correct", data={"csrf_token": token, **correct}
    )
    assert sent.status_code == 422
    page = desk.get("/console/cafe/settings/programme?kind=bonus")
    assert page.status_code == 200
    fields = dict.fromkeys(re.findall(r'name="([a-z_0-9]+)"', page.text), typed)
    fields |= {"csrf_token": token, "kind": "bonus", "name": "Nina"}
    made = desk.client.post("/console/cafe/settings/programme", data=fields)
    assert made.status_code == 422
