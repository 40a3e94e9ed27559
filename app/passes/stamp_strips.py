"""Strips with stamps: one for every number of them, drawn when a design is published, never for a guest.

A template brings pictures of one place on the card, transparent where the strip shows through:

    stamps/earned.png           a stamp that the guest has
    stamps/empty.png            a place that waits for one
    stamps/reward.png           the last place, which is the reward; else as the others
    stamps/reward_earned.png    the same, earned

and in its layout the rectangle in which they stand, in points of the strip, 375 by 144::

    [stamps]
    area = [16, 20, 343, 104]   # left, top, width, height

How many places there are is the programme's affair, so a template suits any.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image

WIDTH, HEIGHT = 375, 144  # points; Apple, "Pass Design and Creation", strip of a store card
WHOLE_STRIP = (0, 0, WIDTH, HEIGHT)
MOST_STAMPS = 20
"""More would be too small to be recognised: the number tells them then."""
EARNED, EMPTY = "stamps/earned.png", "stamps/empty.png"
REWARD, REWARD_EARNED = "stamps/reward.png", "stamps/reward_earned.png"
SOURCES = (EARNED, EMPTY, REWARD, REWARD_EARNED)
_COLOURS = 48  # of the palette: every phone fetches the strip with every stamp
_DRAWN = re.compile(r"stamps/\d+/[^/]+")
_STRIP = re.compile(r"strip(?:@[23]x)?\.png")
_GAP = 0.14  # between places, as a share of their size
_Box = tuple[int, int, int, int]


class Unreadable(ValueError):
    """A picture that nothing can be drawn from, for all that its header and its checksums say."""

    def __init__(self, picture: str, reason: str) -> None:
        """``picture`` is its path in the design."""
        super().__init__(f"{picture}: {reason}")
        self.picture, self.reason = picture, reason


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stamp stands, in points."""

    left: float
    top: float
    side: float


def are_drawn(files: Mapping[str, bytes], for_reward: int | None) -> bool:
    """Whether a programme that asks for so many stamps shows them in the strip of this design."""
    return for_reward is not None and for_reward <= MOST_STAMPS and {EARNED, EMPTY} <= files.keys()


def is_drawn(path: str) -> bool:
    """Whether a file of a design is one of the strips that :func:`draw` made."""
    return _DRAWN.fullmatch(path) is not None


def places(count: int, area: tuple[float, float, float, float] = WHOLE_STRIP) -> list[Place]:
    """``count`` squares, centred, in as many rows as make them largest."""
    left, top, width, height = area

    def largest(rows: int) -> float:
        columns = -(-count // rows)
        return min(width / (columns + (columns - 1) * _GAP), height / (rows + (rows - 1) * _GAP))

    rows = max(range(1, count + 1), key=largest)
    columns = -(-count // rows)
    side = largest(rows)
    step = side * (1 + _GAP)
    found = []
    for row in range(rows):
        here = min(columns, count - row * columns)
        begin_x = left + (width - (here * side + (here - 1) * (step - side))) / 2
        begin_y = top + (height - (rows * side + (rows - 1) * (step - side))) / 2 + row * step
        found += [Place(begin_x + column * step, begin_y, side) for column in range(here)]
    return found


def draw(files: Mapping[str, bytes], for_reward: int, area: Any = None) -> dict[str, bytes]:
    """``stamps/0/strip.png`` to ``stamps/N/strip@3x.png`` for a design's files; equal files, equal bytes.

    ``area`` is the layout's; the whole strip where it says nothing. Raises :class:`Unreadable`.
    """
    sources = {name: data for name, data in files.items() if name in SOURCES or _STRIP.fullmatch(name)}
    return dict(_strips(tuple(sorted(sources.items())), for_reward, checked_area(area) or WHOLE_STRIP))


@lru_cache(4)  # takes a second and a half at its most: the editor asks for the same with every letter typed
def _strips(
    sources: tuple[tuple[str, bytes], ...], for_reward: int, area: tuple[float, float, float, float]
) -> dict[str, bytes]:
    files, where = dict(sources), places(for_reward, area)
    drawn = {}
    for scale, suffix in ((1, ""), (2, "@2x"), (3, "@3x")):
        empty, earned = _both(files, where, scale, suffix)
        boxes = [_box(place, scale) for place in where]
        for count in range(for_reward + 1):
            strip = empty.copy()
            for box in boxes[:count]:
                strip.paste(earned.crop(box), box)
            drawn[f"stamps/{count}/strip{suffix}.png"] = _png(strip)
    return drawn


def checked_area(area: Any) -> tuple[float, float, float, float] | None:
    """Left, top, width and height within the strip; None where they are not."""
    if not isinstance(area, list | tuple) or len(area) != 4:
        return None
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in area):
        return None
    left, top, width, height = area
    inside = left >= 0 and top >= 0 and left + width <= WIDTH and top + height <= HEIGHT
    return (left, top, width, height) if inside and width > 0 and height > 0 else None


def _both(
    files: Mapping[str, bytes], where: list[Place], scale: int, suffix: str
) -> tuple[Image.Image, Image.Image]:
    """The strip without a stamp and with all, in one palette: any number is pieced together from the two."""
    size = (WIDTH * scale, HEIGHT * scale)
    ground = _ground(files, suffix, size)
    both = Image.new("RGBA", (size[0], size[1] * 2), (0, 0, 0, 0))
    pictures = {name: _read(files[name], name) for name in SOURCES if name in files}
    side = int(where[0].side * scale)
    stamps = {
        name: picture.resize((side, side), Image.Resampling.LANCZOS) for name, picture in pictures.items()
    }
    for row, (common, last) in enumerate(((EMPTY, REWARD), (EARNED, REWARD_EARNED))):
        both.paste(ground, (0, row * size[1]))
        for number, place in enumerate(where, 1):
            name = last if number == len(where) and last in stamps else common
            left, top, _, _ = _box(place, scale)
            both.alpha_composite(stamps[name], (left, top + row * size[1]))
    reduced = both.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    halves = [reduced.crop((0, row * size[1], size[0], (row + 1) * size[1])) for row in (0, 1)]
    return halves[0], halves[1]


def _ground(files: Mapping[str, bytes], suffix: str, size: tuple[int, int]) -> Image.Image:
    """The template's strip; transparent where it has none, so that the card's background shows."""
    for name in (f"strip{suffix}.png", "strip@3x.png", "strip@2x.png", "strip.png"):
        if name in files:
            found = _read(files[name], name)
            return found if found.size == size else found.resize(size, Image.Resampling.LANCZOS)
    return Image.new("RGBA", size, (0, 0, 0, 0))


def _box(place: Place, scale: int) -> _Box:
    left, top = round(place.left * scale), round(place.top * scale)
    side = int(place.side * scale)
    return left, top, left + side, top + side


def _read(data: bytes, name: str) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            return image.convert("RGBA")
    except (OSError, SyntaxError, ValueError) as fault:
        raise Unreadable(name, str(fault)) from fault


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=7)  # level 9 takes four times as long to save a twentieth
    return out.getvalue()
