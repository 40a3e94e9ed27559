"""A campaign of the café that was read for some days, for its report's page."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from app.campaigns import lifecycle, readings, work
from app.campaigns import store_campaigns as store
from app.campaigns.lift import Sums
from app.campaigns.plan import Arm, Plan
from app.campaigns.readings import Due
from app.db import Tx
from app.db.identifiers import BrandId, CampaignId
from app.passes.content import LocalizedText

ARMS = (
    Arm(name="Кофе за полцены", line=LocalizedText("Кофе за полцены до пятницы", "Coffee at half price")),
    Arm(name="Пирог в подарок", line=LocalizedText("К кофе — пирог", "A pie with your coffee")),
)
DAY = timedelta(days=1)


def spent(chance: random.Random, guests: int, share: float, mean: float) -> Sums:
    """What so many guests spent, a ``share`` of whom bought for ``mean`` minor units or about that."""
    paid = [chance.uniform(0.4, 1.6) * mean if chance.random() < share else 0.0 for _ in range(guests)]
    pairs = [(one, one * chance.uniform(1, 3) if one else chance.uniform(0, 2) * mean) for one in paid]
    return Sums(
        guests=guests,
        buyers=sum(y > 0 for y, _ in pairs),
        y=sum(y for y, _ in pairs),
        x=sum(x for _, x in pairs),
        yy=sum(y * y for y, _ in pairs),
        xy=sum(x * y for y, x in pairs),
        xx=sum(x * x for _, x in pairs),
        yyy=sum(y**3 for y, _ in pairs),
        yyx=sum(y * y * x for y, x in pairs),
        yxx=sum(y * x * x for y, x in pairs),
        xxx=sum(x**3 for _, x in pairs),
    )


def measured(
    tx: Tx, brand_id: BrandId, *, now: datetime, days: int = 5, name: str = "Осеннее возвращение"
) -> CampaignId:
    """Sent ``days`` ago: the first arm earns, of the other it cannot be told yet."""
    began = now - days * DAY
    made = lifecycle.create(tx, brand_id, name, Plan(arms=ARMS, canary_minutes=None), now=began, actor="test")
    lifecycle.begin(tx, brand_id, made, now=began, actor="test")
    while work.step(tx, lambda *_: None, now=began):
        pass
    read(tx, made, began, days)
    return made


def read(tx: Tx, campaign_id: CampaignId, began: datetime, days: int) -> None:
    """So many days of it: the first of two arms earns, of the second it cannot be told."""
    chance = random.Random(5)
    for day in range(1, days + 1):
        campaign = store.by_id(tx, campaign_id)
        assert campaign is not None
        share = 0.02 + 0.03 * day
        found = {
            0: (spent(chance, 900, share, 60_000), 4),
            1: (spent(chance, 4_000, share * 1.5, 60_000), 21),
            2: (spent(chance, 4_100, share * 1.05, 60_000), 18),
        }
        readings.keep(tx, Due(campaign, day, began, began + day * DAY), found, now=began + day * DAY)
