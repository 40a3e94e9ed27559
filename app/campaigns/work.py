"""A step of the worker at campaigns: some guests are assigned, some are spoken to, in one transaction."""

from __future__ import annotations

from datetime import datetime

from app.campaigns import contacting, expansion, giving, lifecycle, limits, store_campaigns
from app.campaigns.contacting import TextNow
from app.db import Tx

AT_ONCE = 200
"""Guests a transaction: as many passes as one may change."""


def is_due(tx: Tx, now: datetime) -> bool:
    """Whether there is anything to do; writes and locks nothing."""
    return (
        store_campaigns.anything_to_work_at(tx, now)
        or store_campaigns.anything_to_begin(tx, now)
        or store_campaigns.cancelled_and_open(tx, now) is not None
    )


def step(tx: Tx, text_now: TextNow, *, now: datetime, limit: int = AT_ONCE) -> int:
    """Do the next piece; returns how many guests it was about, 0 where nothing was left.

    Campaigns take turns, so that a large one does not keep a small one waiting.
    """
    if begun := lifecycle.begin_scheduled(tx, now=now):
        return begun
    if lifecycle.clear_cancelled(tx, now=now):
        return AT_ONCE
    campaign = store_campaigns.next_to_work_at(tx, now)
    if campaign is None:
        return 0
    if giving.is_over(tx, campaign, now):
        lifecycle.stop(tx, campaign.id, giving.OVER, now=now, actor="schedule")
        return 1
    allowed = limits.take_turn(tx, campaign.brand_id)
    assigned = 0
    if campaign.expanded_at is None:
        assigned = expansion.step(tx, campaign, allowed, now=now, limit=limit)
    else:
        store_campaigns.change(tx, campaign.id, worked_at=now)
    spoken = contacting.step(tx, campaign, allowed, text_now, now=now, limit=limit)
    return max(assigned, spoken, 1)
