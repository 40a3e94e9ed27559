"""What a campaign's days came to: read once at the end of each, told, and kept as it was told.

Whoever was assigned is analysed, from the campaign's beginning on, whether spoken to or not. A campaign that
was cancelled is not read any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.campaigns import store_campaigns
from app.campaigns import store_readings as store
from app.campaigns.lift import Interval, Sums, lift
from app.campaigns.store_campaigns import Campaign
from app.campaigns.verdicts import Reading, read
from app.db import Tx
from app.db.identifiers import CampaignId

BEFORE: Final = timedelta(days=90)
"""How far back earlier spending is looked at, to take out of the difference what it explains."""
HELD_OUT: Final = 0
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmDay:
    """What an arm's guests did until the end of a day; ``told`` None for the holdout."""

    day: int
    arm: int
    sums: Sums
    removed: int  # guests who had a card in a wallet, and had none any more
    told: Reading | None
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A day to be read: receipts from ``begins`` until ``ends``."""

    campaign: Campaign
    day: int
    begins: datetime
    ends: datetime


def due(tx: Tx, now: datetime) -> Due | None:
    """The oldest day that is over and was not read."""
    found = store_campaigns.to_read(tx, now)
    if found is None or found.starts_at is None or found.next_reading_at is None:
        return None
    day = round((found.next_reading_at - found.starts_at) / _DAY)
    return Due(found, day, found.starts_at, found.next_reading_at)


def keep(tx: Tx, one: Due, found: Mapping[int, tuple[Sums, int]], *, now: datetime) -> None:
    """Tell the day from what each arm's sums and removals are, and keep it; done twice, the first stays.

    An arm that nobody is in yet (the campaign waits for the morning) has no reading of that day.
    """
    plan = one.campaign.plan
    held_out = found.get(HELD_OUT)
    arms = len(plan.arms)
    rows: list[dict[str, Any]] = []
    for arm, (sums, removed) in sorted(found.items()):
        told: Reading | None = None
        if arm != HELD_OUT:
            difference = lift(sums, held_out[0]) if held_out is not None else None
            told = read(difference, day=one.day, days=plan.days, arms=arms)
        rows.append(
            {
                "day": one.day,
                "arm": arm,
                "sums": asdict(sums),
                "removed": removed,
                "told": asdict(told) if told else None,
            }
        )
    store.add(tx, one.campaign.id, rows, now=now)
    following = one.ends + _DAY if one.day < plan.days else None
    store_campaigns.change(tx, one.campaign.id, next_reading_at=following)


def of_campaign(tx: Tx, campaign_id: CampaignId) -> Sequence[ArmDay]:
    """All that was read, by day and arm."""
    return [
        ArmDay(
            day=row.day,
            arm=row.arm,
            sums=Sums(**row.sums),
            removed=row.removed,
            told=_reading(row.told),
            read_at=row.read_at,
        )
        for row in store.of_campaign(tx, campaign_id)
    ]


def _reading(kept: Mapping[str, Any] | None) -> Reading | None:
    if kept is None:
        return None
    interval = Interval(**kept["interval"]) if kept["interval"] else None
    return Reading(**{**kept, "interval": interval})
