"""Quiet hours: of the brand's own zone, over midnight and over the change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from app.delivery.quiet_hours import QuietHours


@pytest.mark.parametrize(
    ("hours", "zone", "now", "end"),
    [
        (QuietHours(), "Europe/Moscow", "2026-11-21T12:00", None),
        (QuietHours(), "Europe/Moscow", "2026-11-21T18:00", "2026-11-22T07:00"),  # 21:00 there
        (QuietHours(), "Europe/Moscow", "2026-11-21T17:59", None),
        (QuietHours(), "Europe/Moscow", "2026-11-22T06:59", "2026-11-22T07:00"),
        (QuietHours(), "Europe/Moscow", "2026-11-22T07:00", None),
        (QuietHours(), "Asia/Vladivostok", "2026-11-21T12:00", "2026-11-22T00:00"),  # 22:00 there
        (QuietHours(), "Europe/Berlin", "2026-10-24T20:00", "2026-10-25T09:00"),  # clocks go back that night
        (QuietHours(), "Europe/Berlin", "2026-03-28T21:00", "2026-03-29T08:00"),  # and forward
        (QuietHours(time(13), time(15)), "UTC", "2026-11-21T14:00", "2026-11-21T15:00"),
        (QuietHours(time(13), time(15)), "UTC", "2026-11-21T15:00", None),
        (QuietHours(time(9), time(9)), "UTC", "2026-11-21T09:00", None),
    ],
)
def test_quiet_ends(hours: QuietHours, zone: str, now: str, end: str | None) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None
    assert hours.end(at, zone) == expected
