"""Rules to begin with, one set per kind of programme: what cafes commonly give, to be changed at will."""

from __future__ import annotations

from collections.abc import Mapping

from app.loyalty.rules import BonusRules, Kind, PointRules, Rules, StampRules, Tier, TieredRules
from app.passes.content import LocalizedText

_POINTS = PointRules(welcome=100_00, lifetime_days=365, maximum_share=5_000)

PRESETS: Mapping[Kind, Rules] = {
    "bonus": BonusRules(cashback=500, points=_POINTS),
    "stamp": StampRules(per_receipt=1, for_reward=6, reward=LocalizedText("кофе в подарок", "a free coffee")),
    "tiered": TieredRules(
        tiers=(
            Tier(key="guest", name=LocalizedText("Гость", "Guest"), spend_from=0, cashback=300),
            Tier(key="friend", name=LocalizedText("Друг", "Friend"), spend_from=15_000_00, cashback=500),
            Tier(key="family", name=LocalizedText("Свой", "Family"), spend_from=50_000_00, cashback=1_000),
        ),
        window_days=365,
        points=_POINTS,
    ),
}
"""Sums are in minor units of whatever the brand's currency is: roubles, for a start."""
