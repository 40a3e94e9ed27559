"""Where a card may show itself: a wrong location costs the card, a wrong beacon is dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.passes.content import MOST_LOCATIONS
from app.passes.findings import Finding, refuse, warn
from app.passes.lint_rules_values import is_number, uuid_fault

MOST_BEACONS = 10  # Apple, "Pass"


def locations(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Places on Earth, at most ten."""
    entries = document.get("locations")
    if not isinstance(entries, list):
        return
    for index, entry in enumerate(entries):
        where = f"locations[{index}]"
        if isinstance(entry, dict):
            yield from _location(entry, where)
        else:
            yield refuse("location", where, "must be a table with latitude and longitude")
    if len(entries) > MOST_LOCATIONS:
        yield warn(
            "too-many-locations", "locations", f"iOS looks at {MOST_LOCATIONS} at most; keep the best ones"
        )


def _location(entry: Mapping[str, Any], where: str) -> Iterator[Finding]:
    for key, bound in (("latitude", 90), ("longitude", 180)):
        value = entry.get(key)
        if not (is_number(value) and -bound <= value <= bound):
            yield refuse("location", f"{where}.{key}", f"must be a number in -{bound}…{bound}")
    if "altitude" in entry and not is_number(entry["altitude"]):
        yield refuse("location", f"{where}.altitude", "must be a number, or left out")
    distance = entry.get("maxDistance", 1)
    if not (is_number(distance) and distance > 0):
        yield refuse("location", f"{where}.maxDistance", "must be a number above zero, or left out")
    for key in ("relevantText", "name"):
        if key in entry and not isinstance(entry[key], str):
            yield refuse("location", f"{where}.{key}", "must be text, or left out")


def beacons(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Beacons that iOS would drop, or refuse the card for."""
    entries = document.get("beacons")
    if not isinstance(entries, list):
        return
    for index, entry in enumerate(entries):
        where = f"beacons[{index}]"
        if not isinstance(entry, dict):
            yield refuse("beacon", where, "must be a table with proximityUUID")
            continue
        uuid = entry.get("proximityUUID")
        if fault := uuid_fault(uuid) if isinstance(uuid, str) else "proximityUUID is missing":
            yield warn("beacon-dropped", where, f"iOS drops this entry; {fault}")
        for key in ("major", "minor"):
            number = entry.get(key, 0)
            if not (is_number(number) and isinstance(number, int) and 0 <= number <= 65535):
                yield warn("beacon-dropped", f"{where}.{key}", "iOS drops this entry; write 0…65535")
    if len(entries) > MOST_BEACONS:
        yield warn("too-many-beacons", "beacons", f"iOS looks at {MOST_BEACONS} at most")


RULES = (locations, beacons)
