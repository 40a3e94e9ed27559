"""The picture of a guest's card in Google Wallet, and what is said where Google lacks some of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import unescape

from app.loyalty import store_enrolments
from app.passes import google_cards, google_patches, store_google
from tests.web.console.house import House
from tests.web.console.members_google_stage import publish_for_google, taken_by_google
from tests.web.console.members_guests import guest
from tests.web.guests import NOW


def test_the_card_is_drawn_and_what_google_lacks_is_named(house: House) -> None:
    publish_for_google(house, house.cafe)
    with house.database.write() as tx:
        anna = guest(tx, house.cafe, "Анна Петрова")
        [card] = store_enrolments.enrolments_of_member(tx, anna.member_id)
    house.clock.forward(timedelta(hours=1))
    at, desk = f"/console/cafe/members/{anna.member_id}", house.desk("manager")
    assert desk.get(f"{at}/cards/{card.id}/google.svg").status_code == 404
    assert "google.svg" not in desk.get(at).text

    row = taken_by_google(house, house.cafe, anna)
    page = unescape(desk.get(at).text)
    assert f"/cards/{card.id}/google.svg?v=" in page
    assert "In Google Wallet, as Google took it." in page
    drawn = desk.get(f"{at}/cards/{card.id}/google.svg")
    assert drawn.mimetype == "image/svg+xml"
    assert "Анна Петрова" in drawn.text
    assert drawn.text.count("<image") == 2  # logo and hero

    with house.database.write() as tx:
        sent = google_patches.doubted(row.sent, ["loyaltyPoints", "classId"])
        store_google.write_objects(tx, [replace(row, sent=sent, messages=None)])
    page = unescape(desk.get(at).text)
    assert "Google has not taken all of it yet: balance, messages, tier." in page
    assert house.desk("owner", brand="bakery").get(f"{at}/cards/{card.id}/google.svg").status_code == 404
    with house.database.write() as tx:
        gone, _ = google_cards.with_holders(row, has_users=False, now=NOW + timedelta(minutes=1))
        store_google.write_objects(tx, [gone])
    assert "google.svg" not in desk.get(at).text
