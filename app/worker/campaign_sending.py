"""Periodic work that sends campaigns: an audience is walked, guests are spoken to, canaries are judged."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from app.campaigns import canary, cascade, fallback, lifecycle, store_campaigns, work
from app.campaigns.fallback import Texting
from app.db import Tx
from app.db.pace import Pace
from app.reports.canary import canary_numbers
from app.worker.campaign_measuring import reading_tick
from app.worker.ticks import Tick

EVERY: Final = timedelta(seconds=1)
_FEWEST: Final = 50  # guests a transaction, however slow the database is


def campaign_ticks(texting: Texting, *, rate: float) -> list[Tick]:
    """All of them: who was spoken to comes first, and last the sending, which may have much to do."""
    return [look_tick(texting), canary_tick(), reading_tick(), sending_tick(texting, rate=rate)]


def sending_tick(texting: Texting, *, rate: float) -> Tick:
    """Campaigns are sent, at most ``rate`` guests a second: their phones come for the new card at once.

    It rests for tills as whatever moves many cards does, and for the web's sake as the rate says.
    """
    pace = Pace(fewest=_FEWEST, most=work.AT_ONCE)
    text_now = partial(fallback.text_now, texting=texting)
    done = 0

    def step(tx: Tx, now: datetime) -> bool:
        nonlocal done
        done = work.step(tx, text_now, now=now, limit=pace.size)
        return done > 0

    def rest(held: float) -> float:
        pace.note(held, done)
        return max(pace.rest, done / rate - held)

    return Tick("campaigns", EVERY, step, rest, due=work.is_due)


def look_tick(texting: Texting) -> Tick:
    """Who was spoken to is looked at: fetched, texted, settled; ended campaigns are measured from then on."""
    pace = Pace(fewest=_FEWEST, most=cascade.AT_ONCE)
    done = 0

    def step(tx: Tx, now: datetime) -> bool:
        nonlocal done
        done = cascade.step(tx, texting, now=now, limit=pace.size)
        return done > 0

    def rest(held: float) -> float:
        pace.note(held, done)
        return pace.rest

    return Tick("campaign_looks", EVERY, step, rest, due=cascade.is_due)


def canary_tick() -> Tick:
    """Canaries whose time is over are judged: the others get the campaign, or it is stopped."""

    def step(tx: Tx, now: datetime) -> bool:
        one = store_campaigns.canary_over(tx, now)
        if one is None:
            return False
        because = canary.stopped_because(canary_numbers(tx, one.id))
        if because:
            lifecycle.stop(tx, one.id, because, now=now, actor="canary")
        else:
            lifecycle.release(tx, one.id, now=now, actor="canary")
        return True

    return Tick("canaries", EVERY, step, due=lambda tx, now: store_campaigns.canary_over(tx, now) is not None)
