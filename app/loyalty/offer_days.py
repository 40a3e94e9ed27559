"""The days of an offer: a first and a last one by the brand's clock, kept as moments. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def first_moment(day: date, time_zone: str) -> datetime:
    """When the day begins there."""
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def after(day: date, time_zone: str) -> datetime:
    """The first moment at which the day is over there."""
    return first_moment(day + timedelta(days=1), time_zone)


def first_day(moment: datetime, time_zone: str) -> date:
    """The day of a first moment."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def last_day(until: datetime, time_zone: str) -> date:
    """The last day before the moment at which it is over."""
    return first_day(until - timedelta(microseconds=1), time_zone)
