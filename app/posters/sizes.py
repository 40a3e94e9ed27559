"""The sizes that prints come in, and from how far their codes can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Size = Literal["a4", "a5", "tent", "sticker", "square"]
"""Till or door; till; table (an A5 sheet, folded); 50 mm round; 50 mm square."""

SIZES: tuple[Size, ...] = get_args(Size)
QUIET_ZONE = 4
"""Modules of white around a code (ISO/IEC 18004)."""

LEAST_MODULE = 0.4
"""Millimetres: below it a phone's camera at arm's length blurs one module into the next."""

DISTANCE_PER_WIDTH = 10
"""A code is read from up to ten times its width: the rule of thumb that makers of codes share."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page, in millimetres after cutting; ``bleed`` is printed beyond every edge and cut off."""

    width: float
    height: float
    bleed: float
    code: float  # side of the code with its quiet zone
    faces: int = 1  # how often the code stands on it


SHEETS: dict[Size, Sheet] = {
    "a4": Sheet(210, 297, 0, 107),
    "a5": Sheet(148, 210, 0, 107 * 148 / 210),
    "tent": Sheet(148, 210, 0, 54, faces=2),
    "sticker": Sheet(50, 50, 2, 26),
    "square": Sheet(50, 50, 2, 34),
}


def module_width(size: Size, modules: int) -> float:
    """Millimetres of one module of a code with so many a side."""
    return SHEETS[size].code / (modules + 2 * QUIET_ZONE)


def reading_distance(size: Size, modules: int) -> float:
    """Millimetres from which the code itself can still be read."""
    return module_width(size, modules) * modules * DISTANCE_PER_WIDTH
