"""Signing in and out: where one lands, what is told to whom, how often it may be tried."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Response
from sqlalchemy import select

from app.accounts import audit, passwords, sessions
from app.accounts.tables import user_session
from app.errors import TooMany
from app.web.console.sign_in_limits import SignInLimits
from tests.web.console.house import PASSWORD, Desk, House
from tests.web.console.test_statements import counting

OWNER = "cafe-owner@example.com"


def _sign_in(desk: Desk, email: str = OWNER, password: str = PASSWORD, **fields: str) -> int:
    return desk.send("/console/sign-in", email=email, password=password, **fields).status_code


def test_signing_in_leads_where_one_was_going_and_out_again(house: House) -> None:
    desk = house.stranger()
    sent = desk.get("/console/cafe/people")
    assert sent.status_code == 303
    assert sent.location == "/console/sign-in?next=/console/cafe/people"
    there = desk.send(
        sent.location, "/console/sign-in", email=" Cafe-Owner@example.com", password=PASSWORD,
        next="/console/cafe/people",
    )  # fmt: skip
    assert (there.status_code, there.location) == (303, "/console/cafe/people")
    shown = desk.get(there.location)
    assert shown.status_code == 200
    assert "Cafe Owner" in shown.text
    out = desk.send("/console/cafe/people", "/console/sign-out")
    assert out.location == "/console/sign-in"
    assert desk.get("/console/cafe/people").status_code == 303
    with house.database.read() as tx:
        assert [e.action for e in audit.entries(tx, limit=2)] == ["user.signed_out", "user.signed_in"]
        assert tx.execute(select(user_session)).all() == []


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(house: House) -> None:
    answers = set()
    for email in (OWNER, "nobody@example.com"):
        sent = house.stranger().send("/console/sign-in", email=email, password="not the password")
        assert sent.status_code == 422
        answers.add(re.sub(r'name="csrf_token" value="[^"]+"', "", sent.text).replace(email, ""))
    assert len(answers) == 1
    assert "do not belong together" in answers.pop()


def test_an_unknown_address_costs_the_time_of_a_known_one() -> None:
    """One hash in either case: nothing is skipped, whoever asks."""
    kept = passwords.hashed(PASSWORD)
    assert passwords.matches(PASSWORD, kept)
    for wrong in (PASSWORD + "!", "", "x" * 100_000):
        assert not passwords.matches(wrong, kept)
        assert not passwords.matches(wrong, None)
    assert not passwords.matches("nobody's password at all", None)


@pytest.mark.once
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/", "//evil.example/console/", "/console/\\evil", "/i/abc",
        "javascript:alert(1)", "/console//evil.example", "/console/\nx",
    ],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(house: House, elsewhere: str) -> None:
    sent = house.stranger().send("/console/sign-in", email=OWNER, password=PASSWORD, next=elsewhere)
    assert sent.location == "/console/"


@pytest.mark.once
def test_the_cookie_is_ours_alone(house: House) -> None:
    sent = house.stranger().send("/console/sign-in", email=OWNER, password=PASSWORD)
    given = {line.partition("=")[0]: line for line in sent.headers.getlist("Set-Cookie")}
    assert set(given) == {"__Host-perkpass", "__Host-perkpass-browser", "__Host-perkpass-forms"}
    for line in given.values():
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(line.split("; "))
        assert "Domain" not in line
    token = given["__Host-perkpass"].partition("=")[2].partition(".")[0]
    with house.database.read() as tx:
        assert token not in repr(tx.execute(select(user_session)).all())


@pytest.mark.once
def test_pages_are_kept_nowhere_and_ask_nobody_else(house: House) -> None:
    for page in (house.desk().get("/console/cafe/people"), house.stranger().get("/console/sign-in")):
        assert page.headers["Cache-Control"] == "no-store"
        assert (
            "default-src 'self'; style-src 'self'; script-src 'self'"
            in page.headers["Content-Security-Policy"]
        )
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert " style=" not in page.text
        assert "<style" not in page.text
        assert not re.search(r"<script(?![^>]* src=)|\son\w+=", page.text)
    asset = re.search(r'href="(/console/-/[^"]+\.css)"', house.desk().get("/console/cafe/people").text)
    assert asset
    assert "immutable" in house.stranger().get(asset[1]).headers["Cache-Control"]
    assert house.stranger().get("/console/-/x/passwd").status_code == 404


def test_a_session_ends_when_nobody_comes_and_in_any_case(house: House) -> None:
    desk = house.desk()
    for _day in range(4):
        house.clock.forward(sessions.IDLE - timedelta(hours=1))
        assert desk.get("/console/account").status_code == 200
    house.clock.forward(timedelta(days=3))
    assert desk.get("/console/account").status_code == 303, "thirty days are over"
    other = house.desk("marketer")
    house.clock.forward(sessions.IDLE)
    assert other.get("/console/account").status_code == 303


def test_another_key_or_another_token_opens_nothing(house: House) -> None:
    desk = house.new_desk(house.team["cafe", "owner"])
    cookies = house.console.door.cookies
    for value in ("", "x", "x.y", cookies.signed("a token that nobody was given"), "a" * 3000):
        desk.client.set_cookie(cookies.name, value, domain="cards.example", path="/", secure=True)
        assert desk.get("/console/account").status_code == 303


def test_a_strangers_tries_do_not_lock_the_owner_out(house: House) -> None:
    owner = house.stranger(address="203.0.113.7")
    assert _sign_in(owner) == 303  # this browser is known from now on
    owner.send("/console/account", "/console/sign-out")
    attacker = house.stranger(address="198.51.100.1")
    token = attacker.token("/console/sign-in")
    data = {"csrf_token": token, "email": OWNER, "password": "guess"}
    statuses = [attacker.client.post("/console/sign-in", data=data).status_code for _ in range(7)]
    assert statuses == [422] * 5 + [429] * 2
    assert _sign_in(house.stranger(address="203.0.113.8"), password="x") == 422, "others go on"
    assert _sign_in(owner) == 303


def test_tries_from_everywhere_stop_all_but_the_owners_own_browser(house: House) -> None:
    limits = SignInLimits(house.services, house.console.door.cookies)
    answer = Response()
    limits.remember(answer, OWNER)
    known = answer.headers["Set-Cookie"].partition(";")[0]
    refused = 0
    for site in range(40):
        for _try in range(5):
            with house.application.test_request_context():
                try:
                    limits.count(OWNER, f"198.51.100.{site}")
                except TooMany:
                    refused += 1
    assert refused == 200 - 100
    with house.application.test_request_context():
        limits.count("somebody-else@example.com", "192.0.2.1")
        with pytest.raises(TooMany):
            limits.count(OWNER, "192.0.2.1")
    with house.application.test_request_context(headers={"Cookie": known}):
        limits.count(OWNER.upper(), "192.0.2.1")


def test_one_address_tries_many_accounts_in_vain(house: House) -> None:
    desk = house.stranger(address="198.51.100.9")
    token = desk.token("/console/sign-in")
    statuses = [
        desk.client.post(
            "/console/sign-in", data={"csrf_token": token, "email": f"n{n}@example.com", "password": "x"}
        ).status_code
        for n in range(22)
    ]
    assert statuses == [422] * 20 + [429] * 2


def test_a_form_from_another_site_or_of_another_session_is_refused(house: House) -> None:
    mine, yours = house.new_desk(house.team["cafe", "owner"]), house.new_desk(house.team["bakery", "owner"])
    planted = yours.token("/console/account")
    mine.token("/console/account")
    forms = "__Host-perkpass-forms"
    cookie = yours.client.get_cookie(forms, domain="cards.example")
    assert cookie is not None
    data = {"csrf_token": planted, "name": "Somebody"}
    assert mine.client.post("/console/account/name", data=data).status_code == 400
    mine.client.set_cookie(forms, cookie.value, domain="cards.example", path="/", secure=True)
    assert mine.client.post("/console/account/name", data=data).status_code == 400, "planted with its token"
    data = {"csrf_token": mine.token("/console/account"), "name": "Somebody"}
    for site, status in (("cross-site", 400), ("same-site", 400), ("same-origin", 303)):
        answer = mine.client.post("/console/account/name", data=data, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == status, site


def test_a_cashier_s_page_loads_no_links(house: House) -> None:
    """A brand has thousands of them, and the page asks whether a venue has one."""
    desk = house.desk("cashier")
    desk.get("/console/cafe/")
    with counting(house.database) as told:
        page = desk.get("/console/cafe/")
    assert "Training sheet" in page.text
    assert [each for each in told if "install_link" in each and "install_link.code" in each] == []


def test_guests_and_tills_get_no_cookie(house: House) -> None:
    desk = house.stranger()
    for address in (house.cafe.path, "/api/v1/receipts", "/healthz", "/console/-/x/console.css"):
        assert "Set-Cookie" not in desk.get(address).headers
