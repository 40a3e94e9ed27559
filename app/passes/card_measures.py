"""What a card's drawing is measured with: its colours, and the room that fields and pictures get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.colours import PLAIN, hexadecimal, more_legible, parse_colour
from app.passes.drawing import Anchor
from app.passes.lint_rules_images import size_of


@dataclass(frozen=True, slots=True)
class Inks:
    """A card's colours, as SVG takes them."""

    ground: str
    words: str
    label: str


def inks(document: Mapping[str, Any]) -> Inks:
    """The colours of pass.json; where it has none, what iOS would choose."""
    ground = parse_colour(document.get("backgroundColor")) or PLAIN
    words = parse_colour(document.get("foregroundColor")) or more_legible(ground)
    label = parse_colour(document.get("labelColor")) or words
    return Inks(hexadecimal(ground), hexadecimal(words), hexadecimal(label))


@dataclass(frozen=True, slots=True)
class Column:
    """Where one of several fields side by side stands."""

    left: float
    width: float
    most: float  # what it could take before another had to give way
    anchor: Anchor


def columns(naturals: Sequence[float], *, left: float, room: float, gap: float, spread: bool) -> list[Column]:
    """Columns as wide as each needs; where that is too much, the widest give way.

    ``spread``: over the whole room, the first at its left and the last at its right; else against its right.
    """
    widths = _shared(naturals, room - gap * max(len(naturals) - 1, 0))
    over = max(room - sum(widths) - gap * max(len(widths) - 1, 0), 0.0)
    between = gap + (over / max(len(widths) - 1, 1) if spread else 0.0)
    x = left if spread else left + over
    found = []
    for number, width in enumerate(widths):
        last = number == len(widths) - 1 and not (spread and number == 0)
        found.append(Column(x, width, width + over, "end" if last else "start"))
        x += width + between
    return found


def _shared(naturals: Sequence[float], left: float) -> list[float]:
    if sum(naturals) <= left:
        return list(naturals)
    shares = [0.0] * len(naturals)
    for done, number in enumerate(sorted(range(len(naturals)), key=naturals.__getitem__)):
        shares[number] = max(min(naturals[number], left / (len(naturals) - done)), 0.0)
        left -= shares[number]
    return shares


def within(png: bytes, room: tuple[float, float]) -> tuple[float, float]:
    """The points that a picture takes when it is fitted into ``room``, its shape kept."""
    size = size_of(png) or (1, 1)
    share = min(room[0] / size[0], room[1] / size[1])
    return size[0] * share, size[1] * share
