"""Drafts in the house's brands, for pictures and tests."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from app.db.identifiers import CardCode, PassTypeIdentifier, WalletPassId
from app.loyalty import programmes, publishing
from app.passes import designs, drafts, issuing, rollouts
from app.passes.content import PassContent
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


def issue_cards(house: House, shop: Shop, count: int) -> list[WalletPassId]:
    """Cards of guests, of the newest version."""
    found = []
    with house.database.write() as tx:
        for number in range(count):
            content = PassContent(
                language="ru", card_code=CardCode(f"C{number:03d}"), member_name="Анна", balance=0, tier=None,
                stamps=0,
            )  # fmt: skip
            found.append(
                issuing.issue(
                    tx, pass_type_identifier=PassTypeIdentifier(shop.brand.pass_type_identifier),
                    programme_id=shop.programme.id, content=content, now=house.clock(),
                ).id
            )  # fmt: skip
    return found


def prepare_rollout(house: House) -> None:
    """For pictures: a version that 1 % of the bakery's cards have, and a draft of the next."""
    shop, owner = house.bakery, house.team["bakery", "owner"]
    issue_cards(house, shop, 200)
    begun = begin(house, shop, "stamp_card")
    values = publishing.with_rules(designs.brand_values(shop.brand), shop.programme.rules)
    ready = drafts.ready(begun, values, now=house.clock())
    with house.database.write() as tx:
        drafts.publish(tx, begun, ready, brand_id=shop.brand.id, now=house.clock(), actor=owner.actor)
        rollouts.start(tx, shop.programme.id, brand_id=shop.brand.id, now=house.clock(), actor=owner.actor)
    for _ in range(20):
        with house.database.write() as tx:
            if not rollouts.step(tx, now=house.clock(), most=200).more:
                break
    begin(house, shop, "stamp_card")


def all_steps(house: House) -> None:
    """What the worker does until nothing is left to do."""
    for _ in range(40):
        house.clock.forward(timedelta(minutes=2))
        with house.database.write() as tx:
            if not rollouts.step(tx, now=house.clock(), most=200).more:
                return


def prepare_overtaken(house: House) -> None:
    """For pictures: a version that another overtook, which was taken back; and a draft."""
    shop, owner = house.cafe, house.team["cafe", "owner"]
    issue_cards(house, shop, 200)
    values = publishing.with_rules(designs.brand_values(shop.brand), shop.programme.rules)
    for template in ("stamp_card", "tiered_card"):
        begun = begin(house, shop, template)
        ready = drafts.ready(begun, values, now=house.clock())
        with house.database.write() as tx:
            drafts.publish(tx, begun, ready, brand_id=shop.brand.id, now=house.clock(), actor=owner.actor)
            rollouts.start(
                tx, shop.programme.id, brand_id=shop.brand.id, now=house.clock(), actor=owner.actor
            )
        all_steps(house)
    with house.database.write() as tx:
        rollouts.back(tx, shop.programme.id, brand_id=shop.brand.id, now=house.clock(), actor=owner.actor)
    all_steps(house)
    begin(house, shop)
