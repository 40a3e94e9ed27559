"""Whose birthday comes within some days. Pure."""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta


def window(today: date, days: int) -> tuple[tuple[str, str], ...]:
    """Ranges of "MM-DD", both ends included, of today and so many days more.

    A year without 29 February has it on the 28th. Two ranges where a year ends between.
    """
    last = today + timedelta(days=days)
    if days >= 365:
        return (("01-01", "12-31"),)
    first_said, last_said = f"{today:%m-%d}", f"{last:%m-%d}"
    if last_said == "02-28" and not isleap(last.year):
        last_said = "02-29"
    if last.year == today.year:
        return ((first_said, last_said),)
    return ((first_said, "12-31"), ("01-01", last_said))
