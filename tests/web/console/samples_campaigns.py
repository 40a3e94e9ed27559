"""A campaign of each brand for the walk over all routes."""

from __future__ import annotations

from collections.abc import Callable

from app.campaigns import lifecycle
from app.campaigns.plan import Arm, Plan
from app.passes.content import LocalizedText
from tests.web.console.house import House
from tests.web.guests import NOW, Shop

LINE = LocalizedText(
    "{name|Гость}, кофе за полцены до воскресенья", "{name|Guest}, coffee at half price until Sunday"
)


def _campaign(house: House, shop: Shop) -> object:
    """A draft: nobody is told anything by the walk."""
    with house.database.write() as tx:
        plan = Plan(arms=(Arm(name="A", line=LINE),))
        return lifecycle.create(tx, shop.brand.id, "Half price", plan, now=NOW, actor="test")


SAMPLES: dict[str, Callable[[House, Shop], object]] = {"campaign_id": _campaign}
