"""The picture of a guest's card in Google Wallet, and what is said where Google lacks some of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import unescape

from app.db.identifiers import GoogleIssuerId
from app.loyalty import publishing, store_enrolments
from app.loyalty.enrolment import Enrolment
from app.passes import designs, google_cards, google_patches, store_google
from app.passes.google_addresses import Addresses
from app.passes.google_object import message_id
from app.passes.google_press import GooglePress
from app.passes.store_google import ObjectRow
from app.web.links import Links
from tests.reports.google_settling import ISSUER, at_google
from tests.web.console.designs_stage import TEMPLATES
from tests.web.console.house import House
from tests.web.console.members_guests import guest
from tests.web.guests import NOW


def _taken_by_google(house: House, of: Enrolment) -> ObjectRow:
    """As the worker leaves it once Google took all of it, and the guest saved it."""
    at_google(house.database, of.pass_id, house.cafe.brand.id, now=NOW)
    links = Links(house.services.secret_key, house.services.public_url)
    press = GooglePress(Addresses(house.services.public_url, links.stop_url))
    with house.database.write() as tx:
        row = store_google.object_of_pass(tx, of.pass_id)
        assert row is not None
        wanted = store_google.wanted(tx, [row.id])[row.id]
        design = press.design(tx, wanted.design_id)
        assert design is not None
        shared = press.class_of(
            tx, GoogleIssuerId(ISSUER), house.cafe.brand.id, wanted.programme_id,
            design.tier(wanted.content.tier), now=NOW,
        )  # fmt: skip
        body = press.object_body(design, wanted, shared.resource_id)
        said = [message_id(each) for each in wanted.content.messages]
        row = replace(row, sent=google_patches.digests(body), messages=said, inserted_at=NOW)
        row, _ = google_cards.with_holders(row, has_users=True, now=NOW)
        store_google.write_objects(tx, [row])
    return row


def test_the_card_is_drawn_and_what_google_lacks_is_named(house: House) -> None:
    shop = house.cafe
    values = publishing.with_rules(designs.brand_values(shop.brand), shop.programme.rules)
    drafted = publishing.draft(shop.programme, TEMPLATES / "bonus_card", values, now=house.clock())
    with house.database.write() as tx:
        publishing.publish(tx, shop.programme, drafted, now=house.clock(), actor="test")
        anna = guest(tx, house.cafe, "Анна Петрова")
        [card] = store_enrolments.enrolments_of_member(tx, anna.member_id)
    house.clock.forward(timedelta(hours=1))
    at, desk = f"/console/cafe/members/{anna.member_id}", house.desk("manager")
    assert desk.get(f"{at}/cards/{card.id}/google.svg").status_code == 404
    assert "google.svg" not in desk.get(at).text

    row = _taken_by_google(house, anna)
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
