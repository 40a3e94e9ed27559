"""An offer of each brand, for the walk over all routes."""

from __future__ import annotations

from collections.abc import Callable

from app.loyalty import offers
from app.loyalty.offers import OfferDraft
from app.passes.content import LocalizedText
from tests.web.console.house import House
from tests.web.guests import Shop


def _offer(house: House, shop: Shop) -> object:
    draft = OfferDraft(
        code="TEN",
        name=LocalizedText("Скидка 10 %", "10 % off"),
        gives="percent",
        worth=1_000,
        from_at=house.clock(),
    )
    with house.database.write() as tx:
        return offers.create(tx, shop.brand.id, draft, now=house.clock(), actor="test").id


SAMPLES: dict[str, Callable[[House, Shop], object]] = {"offer_id": _offer}
