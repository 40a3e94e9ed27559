"""What differs from card to card of one design: the tables of tiers and of stamps, and their pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.passes.findings import Finding, refuse, warn
from app.passes.lint_rules_images import is_whole, size_of
from app.passes.lint_rules_pass import COLOURS
from app.passes.lint_rules_values import colour_fault
from app.passes.stamp_strips import EARNED, EMPTY, MOST_STAMPS, SOURCES, checked_area

_TIER_IMAGE = re.compile(r"tiers/(\d+)/(.+)")
SMALLEST_STAMP = 96  # pixels: a stamp of 32 points on a phone with three pixels a point


def check_tiers(document: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[Finding]:
    """``[[tiers]]``: colours alone, lowest first; ``tiers/N`` has the images of the N-th."""
    looks = document.get("tiers", [])
    if not isinstance(looks, list) or not all(isinstance(look, dict) for look in looks):
        yield refuse("wrong-type", "tiers", "write each tier's colours as [[tiers]], lowest first")
        return
    for index, look in enumerate(looks):
        for key, value in look.items():
            where = f"tiers[{index}].{key}"
            if key not in COLOURS:
                yield refuse("tier-key", where, f"a tier may change {', '.join(COLOURS)}")
            elif fault := colour_fault(value) if isinstance(value, str) else "must be text":
                yield refuse("colour-unreadable", where, fault)
    for path in files:
        if (match := _TIER_IMAGE.fullmatch(path)) and int(match[1]) > len(looks):
            yield warn(
                "image-unused", path, f"the layout has no {match[1]}. [[tiers]]; add it, or remove this"
            )


def check_stamps(
    document: Mapping[str, Any], files: Mapping[str, bytes], for_reward: int | None
) -> Iterator[Finding]:
    """``[stamps]`` and the pictures that stamps are drawn from."""
    table = document.get("stamps", {})
    if not isinstance(table, dict) or table.keys() - {"area"}:
        yield refuse("stamps-table", "stamps", "write [stamps] with area = [left, top, width, height]")
    elif "area" in table and checked_area(table["area"]) is None:
        yield refuse(
            "stamps-area", "stamps.area", "write left, top, width and height in points within 375 by 144"
        )
    pictures = {path for path in files if path.startswith("stamps/")}
    for path in sorted(pictures):
        if path not in SOURCES:
            yield warn("image-unknown", path, f"stamps are drawn from {', '.join(SOURCES)}")
        elif (size := size_of(files[path])) is None:
            yield refuse("image-unreadable", path, "is not a PNG; save it as PNG")
        elif not is_whole(files[path]):
            yield refuse("image-damaged", path, "is cut short or damaged; save it anew")
        elif size[0] != size[1] or size[0] < SMALLEST_STAMP:
            yield warn(
                "image-size",
                path,
                f"is {size[0]} by {size[1]} pixels; a stamp is a square of {SMALLEST_STAMP} or more",
            )
    if pictures and not {EARNED, EMPTY} <= pictures:
        yield refuse("stamps-half", "stamps", f"stamps are drawn from {EARNED} and {EMPTY}: add both")
    if pictures and for_reward is not None and for_reward > MOST_STAMPS:
        yield warn(
            "stamps-not-drawn",
            "stamps",
            f"{for_reward} stamps are too many to be recognised in the strip: the number alone tells them",
        )
