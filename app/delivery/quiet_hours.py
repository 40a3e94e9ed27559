"""When a guest is left in peace: hours of the day in which no advertising is sent. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of the day until another, which may be the next day's; equal ones: never quiet."""

    since: time = time(21)
    until: time = time(10)

    def end(self, now: datetime, time_zone: str) -> datetime | None:
        """When the quiet that ``now`` lies in is over, in UTC; None where it is not quiet in that zone."""
        zone = ZoneInfo(time_zone)
        local = now.astimezone(zone)
        clock = local.time()
        overnight = self.since > self.until
        quiet = (clock >= self.since or clock < self.until) if overnight else self.since <= clock < self.until
        if not quiet:
            return None
        day = local.date() + timedelta(days=1 if overnight and clock >= self.since else 0)
        return datetime.combine(day, self.until, zone).astimezone(UTC)
