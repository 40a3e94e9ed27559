"""The time zones that a brand or a venue is offered: each by its present name, once."""

from __future__ import annotations

from zoneinfo import available_timezones

from babel.core import get_global

_ALIASES, _TERRITORIES = get_global("zone_aliases"), get_global("zone_territories")
TIME_ZONES: tuple[str, ...] = tuple(
    sorted(
        zone
        for zone in available_timezones()
        if "/" in zone and zone in _TERRITORIES and zone not in _ALIASES and not zone.startswith("Etc/")
    )
)
"""Of places on land (Unicode's CLDR): Europe/Kyiv and not also Europe/Kiev, none like US/Pacific."""


def choices(kept: str = "") -> list[tuple[str, str]]:
    """For a select: value and words; ``kept`` is one more where it goes by a former name."""
    names = TIME_ZONES if not kept or kept in TIME_ZONES else (kept, *TIME_ZONES)
    return [(zone, zone) for zone in names]
