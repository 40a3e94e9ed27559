"""A guest of each brand and the guest's card, which is in Google Wallet, for the walk over all routes."""

from __future__ import annotations

from collections.abc import Callable

from app.loyalty.enrolment import Enrolment
from tests.web.console.house import House
from tests.web.console.members_google_stage import publish_for_google, taken_by_google
from tests.web.console.members_guests import guest
from tests.web.guests import Shop


def _card(house: House, shop: Shop) -> tuple[str, str]:
    """The numbers of one guest of the brand and of the guest's card: an address names both."""
    if ("guest", shop.brand.slug) not in house.made:
        publish_for_google(house, shop)
        with house.database.write() as tx:
            card: Enrolment = guest(tx, shop, "Guest")
        taken_by_google(house, shop, card)
        house.made["guest", shop.brand.slug] = f"{card.member_id}/{card.id}"
    member, _slash, number = house.made["guest", shop.brand.slug].partition("/")
    return member, number


SAMPLES: dict[str, Callable[[House, Shop], object]] = {
    "member_id": lambda house, shop: _card(house, shop)[0],
    "card_id": lambda house, shop: _card(house, shop)[1],
}
