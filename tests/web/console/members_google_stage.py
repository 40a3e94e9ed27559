"""A guest's card as it is once Google took all of it."""

from __future__ import annotations

from dataclasses import replace

from app.db.identifiers import GoogleIssuerId
from app.loyalty import publishing
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
from tests.web.guests import NOW, Shop


def publish_for_google(house: House, shop: Shop) -> None:
    """A design that says what the card is in Google Wallet."""
    values = publishing.with_rules(designs.brand_values(shop.brand), shop.programme.rules)
    drafted = publishing.draft(shop.programme, TEMPLATES / "bonus_card", values, now=house.clock())
    with house.database.write() as tx:
        publishing.publish(tx, shop.programme, drafted, now=house.clock(), actor="test")


def taken_by_google(house: House, shop: Shop, of: Enrolment) -> ObjectRow:
    """As the worker leaves it once Google took all of it, and the guest saved it."""
    at_google(house.database, of.pass_id, shop.brand.id, now=NOW)
    links = Links(house.services.secret_key, house.services.public_url)
    press = GooglePress(Addresses(house.services.public_url, links.stop_url))
    with house.database.write() as tx:
        row = store_google.object_of_pass(tx, of.pass_id)
        assert row is not None
        wanted = store_google.wanted(tx, [row.id])[row.id]
        design = press.design(tx, wanted.design_id)
        assert design is not None
        shared = press.class_of(
            tx, GoogleIssuerId(ISSUER), shop.brand.id, wanted.programme_id,
            design.tier(wanted.content.tier), now=NOW,
        )  # fmt: skip
        body = press.object_body(design, wanted, shared.resource_id)
        said = [message_id(each) for each in wanted.content.messages]
        row = replace(row, sent=google_patches.digests(body), messages=said, inserted_at=NOW)
        row, _ = google_cards.with_holders(row, has_users=True, now=NOW)
        store_google.write_objects(tx, [row])
    return row
