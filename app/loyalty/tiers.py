"""Which tier a guest has, and when it may fall: spend within a rolling window. Pure.

A receipt counts from the moment it was rung up until ``window_days`` days later. The tier is the highest
one whose threshold the spend in the window reaches; it rises with a receipt and falls as receipts leave.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.loyalty.rules import Tier, TieredRules


@dataclass(frozen=True, slots=True)
class Spend:
    """One receipt that was not refunded."""

    at: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a guest stands now."""

    tier: Tier
    spend: int  # minor units within the window
    due_at: datetime | None  # when the tier must be looked at again; None: nothing can lower it
    next_tier: Tier | None
    missing: int  # minor units to the next tier; 0 at the top


def window_begins(rules: TieredRules, now: datetime) -> datetime:
    """Receipts rung up at this moment or before no longer count."""
    return now - timedelta(days=rules.window_days)


def standing(rules: TieredRules, receipts: Iterable[Spend], now: datetime) -> Standing:
    """The tier that the receipts of the window give, and the first moment it would be lower."""
    begins = window_begins(rules, now)
    counted = sorted((r for r in receipts if r.at > begins), key=lambda r: r.at)
    spend = sum(receipt.amount for receipt in counted)
    position = max(i for i, tier in enumerate(rules.tiers) if spend >= tier.spend_from)
    tier = rules.tiers[position]
    above = rules.tiers[position + 1] if position + 1 < len(rules.tiers) else None
    due_at = None
    remaining = spend
    for receipt in counted:
        remaining -= receipt.amount
        if remaining < tier.spend_from:
            due_at = receipt.at + timedelta(days=rules.window_days)
            break
    return Standing(tier, spend, due_at, above, above.spend_from - spend if above else 0)
