"""A guest of each brand and the guest's card, for the walk over all routes."""

from __future__ import annotations

from collections.abc import Callable

from app.loyalty.enrolment import Enrolment
from tests.web.console.house import House
from tests.web.console.members_guests import guest
from tests.web.guests import Shop


def _card(house: House, shop: Shop) -> Enrolment:
    with house.database.write() as tx:
        return guest(tx, shop, "Guest")


SAMPLES: dict[str, Callable[[House, Shop], object]] = {
    "member_id": lambda house, shop: _card(house, shop).member_id,
    "card_id": lambda house, shop: _card(house, shop).id,
}
