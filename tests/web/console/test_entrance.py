"""Signing in and out, and where one lands."""

from __future__ import annotations

from tests.web.console.house import PASSWORD, House


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


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(house: House) -> None:
    desk = house.stranger()
    answers = {
        desk.send("/console/sign-in", email=email, password="not the password").text.replace(email, "")
        for email in ("cafe-owner@example.com", "nobody@example.com")
    }
    assert len({text.partition("csrf_token")[0] for text in answers}) == 1
    assert all("do not belong together" in text for text in answers)
