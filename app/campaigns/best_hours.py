"""When a guest is best spoken to: some time before the usual visit, as receipts tell it. Pure.

Who was there at least :data:`FEWEST` times has habits of their own; for others those of the home venue count.
Where neither is known there is no best moment, and now is as good as any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LEAD: Final = timedelta(hours=2)
"""Before the usual hour: time to decide, and near enough to be remembered."""
FEWEST: Final = 3
"""Visits from which on a guest has an hour."""
FEWEST_ON_A_DAY: Final = 4
"""Visits from which on a guest may have a day of the week, if most of them were on it."""
_HOURS = 24


def best_moment(
    visits: Sequence[datetime], venue_visits: Sequence[datetime], now: datetime, time_zone: str
) -> datetime:
    """The next best moment from ``now`` on, in UTC: within a day, or a week for guests of one weekday.

    ``visits``: the guest's own; ``venue_visits``: of anybody at the home venue. Aware, any zone.
    """
    zone = ZoneInfo(time_zone)
    own = [one.astimezone(zone) for one in visits]
    habit = own if len(own) >= FEWEST else [one.astimezone(zone) for one in venue_visits]
    if len(habit) < FEWEST:
        return now
    hour = _usual_hour([one.hour for one in habit])
    weekday = _usual_weekday(own)
    local = now.astimezone(zone)
    for days in range(8):
        day = local.date() + timedelta(days=days)
        if weekday is not None and day.weekday() != weekday:
            continue
        visit = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
        moment = visit.astimezone(now.tzinfo) - LEAD
        if moment >= now:
            return moment
        if now < moment + LEAD:  # the visit is about to begin: there is no better moment any more
            return now
    return now


def _usual_hour(hours: Sequence[int]) -> int:
    """The hour with the most visits in it and beside it; the earlier of equals."""
    counts = Counter(hours)

    def weight(hour: int) -> int:
        beside = counts[(hour - 1) % _HOURS] + counts[(hour + 1) % _HOURS]
        return 2 * counts[hour] + beside

    return max(range(_HOURS), key=lambda hour: (weight(hour), -hour))


def _usual_weekday(visits: Sequence[datetime]) -> int | None:
    """The day of the week that has more than half of the visits, 0 for Monday; None: there is none."""
    if len(visits) < FEWEST_ON_A_DAY:
        return None
    day, count = Counter(one.weekday() for one in visits).most_common(1)[0]
    return day if 2 * count > len(visits) else None
