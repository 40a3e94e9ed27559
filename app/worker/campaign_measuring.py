"""Periodic work that measures campaigns: each day of each is read once, some thousand guests at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from app.campaigns import readings
from app.campaigns.lift import Sums
from app.db import Tx
from app.db.identifiers import MemberId
from app.reports import campaign_sums
from app.worker.ticks import Tick

EVERY: Final = timedelta(minutes=1)
LATE: Final = timedelta(minutes=10)
"""After a day's end: tills that were cut off send their receipts a little later."""
_GUESTS: Final = 1_000
"""Of a part: some milliseconds."""
_FIRST: Final = MemberId(0)


def reading_tick() -> Tick:
    """What a worker read so far is in its memory; another one begins the day anew."""
    found: dict[int, tuple[Sums, int]] = {}
    at = (0, 0, _FIRST)  # campaign, day, the last guest

    def step(tx: Tx, now: datetime) -> bool:
        nonlocal found, at
        due = readings.due(tx, now - LATE)
        if due is None:
            return False
        if at[:2] != (due.campaign.id, due.day):
            found, at = {}, (due.campaign.id, due.day, _FIRST)
        part = campaign_sums.part(
            tx, due.campaign.id, begins=due.begins, ends=due.ends, after=at[2], size=_GUESTS
        )
        found, at = campaign_sums.added(found, part.found), (due.campaign.id, due.day, part.upto)
        if part.is_last:
            readings.keep(tx, due, found, now=now)
            found, at = {}, (0, 0, _FIRST)
        return True

    return Tick(
        "campaign_readings", EVERY, step, due=lambda tx, now: readings.due(tx, now - LATE) is not None
    )
