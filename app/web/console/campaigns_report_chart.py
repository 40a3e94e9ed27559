"""The report's charts as numbers: what each day told an arm earned a guest, and how surely. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.campaigns.readings import HELD_OUT, ArmDay
from app.reports.campaign_report import CampaignReport

WIDTH: Final = 600.0
HEIGHT: Final = 160.0
_PLAY: Final = 8.0  # at every edge


@dataclass(frozen=True, slots=True)
class Point:
    """A day; coordinates in the picture's own units, y downwards."""

    x: float
    y: float
    low: float  # y of the interval's lower end, further down
    high: float
    known: bool  # whether there is an interval
    read: ArmDay


@dataclass(frozen=True, slots=True)
class Chart:
    """Of one arm."""

    arm: int
    zero: float  # y of "earned nothing"
    points: Sequence[Point]


def charts(report: CampaignReport) -> Mapping[int, Chart]:
    """By arm, all to one scale, so that they compare; those without a reading are left out."""
    days = {
        arm: [read[arm] for _, read in sorted(report.days.items()) if arm in read]
        for arm in sorted({arm for read in report.days.values() for arm in read})
        if arm != HELD_OUT
    }
    values = [0.0, *(end for read in days.values() for one in read for end in _ends(one))]
    least, most = min(values), max(values)
    scale = (HEIGHT - 2 * _PLAY) / (most - least) if most > least else 0.0

    def level(value: float) -> float:
        return HEIGHT - _PLAY - (value - least) * scale if scale else HEIGHT / 2

    last = max(report.days, default=1)
    return {
        arm: Chart(arm, level(0.0), [_point(one, last, level) for one in read])
        for arm, read in days.items()
        if read
    }


def _point(one: ArmDay, last: int, level: Callable[[float], float]) -> Point:
    low, high = _ends(one)
    value = one.told.value if one.told else 0.0
    known = one.told is not None and one.told.interval is not None
    x = WIDTH / 2 if last == 1 else _PLAY + (WIDTH - 2 * _PLAY) * (one.day - 1) / (last - 1)
    return Point(x, level(value), level(low), level(high), known, one)


def _ends(one: ArmDay) -> tuple[float, float]:
    """The interval's ends; where there is none, the value is not shown and stretches nothing."""
    interval = one.told.interval if one.told else None
    return (interval.low, interval.high) if interval else (0.0, 0.0)
