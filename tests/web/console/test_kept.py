"""A session that ends under a form loses nothing of it, and sends nothing by itself."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.accounts import sessions, staff, users
from app.web.console import kept, kept_words
from tests.web.console.house import PASSWORD, Desk, House

pytestmark = pytest.mark.once  # what was typed travels sealed in the page, and is in no table

STAFF = "/console/cafe/places/-/staff"
SIGN_IN = "/console/sign-in"
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def _names(house: House) -> list[str]:
    with house.database.read() as tx:
        return [person.name for person in staff.staff_of_brand(tx, house.cafe.brand.id)]


def _form(page: TestResponse, action: str) -> dict[str, list[str]]:
    """Hidden fields of the page's form that leads to ``action``."""
    found = re.search(rf'<form[^>]* action="{re.escape(action)}"[^>]*>(.*?)</form>', page.text, re.S)
    assert found, page.text
    fields: dict[str, list[str]] = {}
    for name, value in _HIDDEN.findall(found[1]):
        fields.setdefault(unescape(name), []).append(unescape(value))
    return fields


def _ended(house: House, desk: Desk, address: str = STAFF, at: str = STAFF, **typed: Any) -> TestResponse:
    """The page of the form is open, the session ends, the form is sent."""
    token = desk.token(at)
    assert desk.user
    with house.database.write() as tx:
        sessions.end_all(tx, desk.user, now=house.clock(), actor="test")
    headers = {"Referer": f"https://cards.example{at}?tab=1"}
    return desk.client.post(address, data={"csrf_token": token, **typed}, headers=headers)


def _sign_in(
    desk: Desk, page: TestResponse, who: str = "cafe-owner", password: str = PASSWORD
) -> TestResponse:
    data = {**_form(page, SIGN_IN), "email": f"{who}@example.com", "password": password}
    return desk.client.post(SIGN_IN, data=data)


def _typed(house: House) -> dict[str, str]:
    return {"name": "Вера Пирс", "monthly_target": "45", "venue": str(house.cafe.venue.id)}


def test_what_was_typed_arrives_after_signing_in_again(house: House) -> None:
    desk = house.desk()
    asked = _ended(house, desk, **_typed(house))
    assert asked.status_code == 401
    assert "Your session has ended" in asked.text
    assert "What you typed is kept" in asked.text
    again = _sign_in(desk, asked)
    assert again.status_code == 200
    for words in ("You are signed in again", "Add somebody who invites", "Вера Пирс", "Cafe Owner"):
        assert words in again.text
    assert f'href="{STAFF}?tab=1"' in again.text
    assert _names(house) == [], "nothing is done before they say so"
    sent = desk.client.post(STAFF, data=_form(again, STAFF))
    assert sent.status_code == 303
    assert _names(house) == ["Вера Пирс"]


def test_a_refused_sign_in_keeps_it_through_the_next(house: House) -> None:
    desk = house.desk()
    page = _ended(house, desk, **_typed(house))
    for _try in range(5):  # so many are allowed in a while
        page = _sign_in(desk, page, password="wrong")
        assert page.status_code == 422
    page = _sign_in(desk, page)
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) > 0
    again = _sign_in(desk, page, "cafe-marketer")
    assert desk.client.post(STAFF, data=_form(again, STAFF)).status_code == 303
    assert _names(house) == ["Вера Пирс"]


def test_lines_and_several_ticks_come_through_as_they_were(house: House) -> None:
    desk = house.desk()
    of_role = {"role": "manager", "venues": ["1", "2"], "name": "<b>Пётр & Ко</b>\r\nдве строки"}
    page = _ended(house, desk, "/console/cafe/people/invite", "/console/cafe/people/invite", **of_role)
    again = _sign_in(desk, page)
    fields = _form(again, "/console/cafe/people/invite")
    assert {name: fields[name] for name in of_role} == {
        "role": ["manager"], "venues": ["1", "2"], "name": ["<b>Пётр & Ко</b>\r\nдве строки"],
    }  # fmt: skip
    assert "<b>Пётр" not in again.text


def test_passwords_and_files_are_never_in_the_page(house: House) -> None:
    desk = house.desk()
    page = _ended(
        house,
        desk,
        "/console/account/password",
        "/console/account",
        present=PASSWORD,
        password="another one!",
    )
    again = _sign_in(desk, page)
    assert "Passwords are not kept" in page.text
    assert "Passwords are never kept" in again.text
    upload = {"certificate": (io.BytesIO(b"-----BEGIN"), "a.p12"), "password": "of the file"}
    other = house.new_desk(house.team["cafe", "owner"])
    at = "/console/cafe/certificate"
    bare = _sign_in(other, _ended(house, other, at, at, **upload))
    assert "choose yours again" in bare.text
    assert "Send it now" not in bare.text
    assert f'href="{at}?tab=1"' in bare.text
    for shown in (page, again, bare):
        sealed = _form(shown, SIGN_IN)["kept"][0] if shown is page else ""
        with house.application.test_request_context():
            found = kept.opened(house.console, sealed)
        for secret in (PASSWORD, "another one!", "of the file", "-----BEGIN"):
            assert secret not in shown.text
            assert secret not in repr(found)
        assert "csrf_token" not in repr(found)


def test_every_field_for_a_password_is_known_as_one() -> None:
    """Wherever a template asks for one."""
    asked = {
        name
        for path in Path("app/web/templates/console").glob("*.html")
        for name in re.findall(r'parts\.field\(form, "(\w+)"[^}]*type="password"', path.read_text())
    }
    assert {"password", "present"} <= asked <= kept.SECRET


def test_nothing_is_kept_of_what_did_not_come_from_us(house: House) -> None:
    for headers, own_token, is_kept in (
        ({}, True, True), ({}, False, False),
        ({"Sec-Fetch-Site": "cross-site"}, True, False), ({"Sec-Fetch-Site": "same-site"}, True, False),
        ({"Sec-Fetch-Site": "none"}, False, False), ({"Sec-Fetch-Site": "same-origin"}, False, True),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, True, False),
    ):  # fmt: skip
        desk = house.new_desk(house.team["cafe", "owner"])
        token = desk.token(STAFF)
        house.clock.forward(sessions.IDLE + timedelta(seconds=1))
        data = {"csrf_token": token if own_token else "made up", "name": "Planted"}
        answer = desk.client.post(STAFF, data=data, headers=headers)
        expected = (401, True) if is_kept else (303, False)
        assert (answer.status_code, 'name="kept"' in answer.text) == expected, headers


def test_a_stranger_without_our_cookie_is_sent_to_sign_in(house: House) -> None:
    answer = house.stranger().client.post(STAFF, data={"csrf_token": "x", "name": "Planted"})
    assert (answer.status_code, answer.location) == (303, SIGN_IN)


def test_what_we_did_not_write_is_not_shown(house: House) -> None:
    for said in ("", "x", "WyIvaS94Il0.made.up", "a" * 3000):
        desk = house.stranger(address=f"198.51.100.{len(said) % 250}")
        answer = desk.send(SIGN_IN, email="cafe-owner@example.com", password=PASSWORD, kept=said)
        assert (answer.status_code, answer.location) == (303, "/console/"), said


def test_only_acts_of_the_console_are_kept(house: House) -> None:
    fields = (("name", "x"),)
    for address in ("/i/abc", "/api/v1/receipts", STAFF + "/9/nothing", "https://evil.example/", "/console/"):
        with house.application.test_request_context():
            sealed = kept.sealed(house.console, kept.Kept(address, "/console/", fields, ()))
            assert kept.opened(house.console, sealed) is None, address
    with house.application.test_request_context():
        mine = kept.Kept(STAFF, "/console/", fields, ())
        assert kept.opened(house.console, kept.sealed(house.console, mine)) == mine


def test_it_is_kept_only_up_to_a_size(house: House) -> None:
    desk = house.desk()
    page = _ended(house, desk, name="й" * 40_000)
    assert page.status_code == 401
    assert "too long to be kept" in page.text
    assert len(page.text) < 20_000
    again = _sign_in(desk, page)
    assert "too long to be kept" in again.text
    assert "Send it now" not in again.text


def test_somebody_else_who_signs_in_may_do_no_more_than_ever(house: House) -> None:
    desk = house.desk()
    page = _ended(
        house, desk, "/console/cafe/people/invite", "/console/cafe/people", name="Ivan", role="owner"
    )
    again = _sign_in(desk, page, "cafe-cashier")
    assert "Cafe Cashier" in again.text
    assert (
        desk.client.post(
            "/console/cafe/people/invite", data=_form(again, "/console/cafe/people/invite")
        ).status_code
        == 403
    )
    other = house.desk("marketer")
    page = _ended(house, other, **_typed(house))
    again = _sign_in(other, page, "bakery-owner")
    assert other.client.post(STAFF, data=_form(again, STAFF)).status_code == 404
    assert _names(house) == []


def test_a_form_of_another_session_is_not_lost_either(house: House) -> None:
    """Two tabs: in one of them somebody signed in anew meanwhile."""
    desk = house.desk()
    desk.token(STAFF)
    stale = {"csrf_token": "of the session before", **_typed(house)}
    blind = desk.client.post(STAFF, data=stale)
    assert (blind.status_code, "Send it now" in blind.text) == (400, False)
    for site in ("cross-site", "same-site", "none"):
        answer = desk.client.post(STAFF, data=stale, headers={"Sec-Fetch-Site": site})
        assert (answer.status_code, "Send it now" in answer.text) == (400, False), site
    answer = desk.client.post(STAFF, data=stale, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 400
    assert "The form was too old" in answer.text
    assert _names(house) == []
    assert desk.client.post(STAFF, data=_form(answer, STAFF)).status_code == 303
    assert _names(house) == ["Вера Пирс"]


def test_two_tabs_whose_session_ended_both_keep_theirs(house: House) -> None:
    desk = house.desk()
    token = desk.token(STAFF)
    house.clock.forward(sessions.IDLE + timedelta(seconds=1))
    ours = {"Sec-Fetch-Site": "same-origin"}
    tabs = [
        desk.client.post(STAFF, data={"csrf_token": token, "name": name}, headers=ours)
        for name in ("Анна", "Борис")
    ]
    assert [tab.status_code for tab in tabs] == [401, 401]
    first = _sign_in(desk, tabs[0])
    data = {**_form(tabs[1], SIGN_IN), "email": "cafe-owner@example.com", "password": PASSWORD}
    second = desk.client.post(SIGN_IN, data=data, headers=ours)
    assert second.status_code == 400
    for page in (first, second):
        assert desk.client.post(STAFF, data=_form(page, STAFF)).status_code == 303
    assert sorted(_names(house)) == ["Анна", "Борис"]


def test_it_speaks_the_language_of_who_signed_in(house: House) -> None:
    desk = house.desk()
    with house.database.write() as tx:
        users.set_language(tx, house.team["cafe", "marketer"].id, "ru")
    again = _sign_in(desk, _ended(house, desk, **_typed(house)), "cafe-marketer")
    assert '<html lang="ru">' in again.text
    assert "Отправить" in again.text


def test_every_act_says_what_it_is_for(house: House) -> None:
    with house.application.test_request_context():
        silent = [
            route.endpoint
            for route in house.console.routes
            if route.method == "POST"
            and not route.endpoint.startswith("console.entrance_")
            and kept_words.purpose(route.endpoint) == "A form of the console"
        ]
    assert silent == []
