"""Drafts in the house's brands, for pictures and tests."""

from __future__ import annotations

from pathlib import Path

from app.loyalty import programmes
from app.passes import drafts
from app.passes.drafts import Draft
from app.passes.template import read_template
from tests.web.console.house import House
from tests.web.guests import Shop

TEMPLATES = Path(__file__).parents[3] / "pass_templates"


def begin(house: House, shop: Shop | None = None, template: str = "bonus_card") -> Draft:
    """A draft of the brand's programme, as its owner would begin it."""
    shop = shop or house.cafe
    with house.database.write() as tx:
        programme = programmes.programme(tx, shop.programme.id)
        return drafts.start(
            tx, programme.id, read_template(TEMPLATES / template)[0], brand_id=shop.brand.id,
            now=house.clock(), actor=house.team[shop.brand.slug, "owner"].actor,
        )  # fmt: skip


def prepare(house: House) -> None:
    """For pictures: a draft in the cafe."""
    begin(house)
