"""Shapes that the templates' images are drawn of, and how an image is saved: see draw_*.py beside this file.

Everything is drawn many times larger than it is shown and scaled down, then reduced to few colours: every
phone fetches these images with every change of its card.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

FINE = 9  # pixels drawn for one point; three times the finest that is saved

Point = tuple[float, float]
Colour = tuple[int, int, int]
Share = Callable[[float, float], float]
"""Of a point of the canvas, from 0 to 1 both ways: how much of the ink stays, 0 to 1."""


class Canvas:
    """A transparent image that is measured in points and laid over, shape by shape."""

    def __init__(
        self, width: float, height: float, ground: Colour | None = None, *, fine: int = FINE
    ) -> None:
        """``ground`` None leaves it transparent, so that the card's own colour shows."""
        self.width, self.height, self.fine = width, height, fine
        self.size = (round(width * fine), round(height * fine))
        self.image = Image.new("RGBA", self.size, (*(ground or (0, 0, 0)), 255 if ground else 0))
        self._inks = {ground} if ground else set()

    def ink(
        self,
        draw: Callable[[ImageDraw.ImageDraw, float], object],
        colour: Colour,
        strength: float = 1.0,
        *,
        fade: Share | None = None,
    ) -> None:
        """Lay what ``draw`` draws (white on black, coordinates times its second argument) in one colour."""
        self._inks.add(colour)
        mask = Image.new("L", self.size, 0)
        draw(ImageDraw.Draw(mask), self.fine)
        if fade is not None:
            coarse = Image.new("L", (64, 64))
            coarse.putdata([round(255 * fade((n % 64) / 63, (n // 64) / 63)) for n in range(64 * 64)])
            mask = ImageChops.multiply(mask, coarse.resize(self.size, Image.Resampling.BICUBIC))
        if strength < 1:
            mask = mask.point(lambda value: round(value * strength))
        layer = Image.new("RGBA", self.size, (*colour, 0))
        layer.putalpha(mask)
        # Where nothing lies yet the ink's own colour belongs, not a mixture with black.
        empty = Image.new("RGBA", self.size, (*colour, 0))
        below = Image.composite(
            self.image, empty, self.image.getchannel("A").point(lambda a: 255 if a else 0)
        )
        self.image = Image.alpha_composite(below, layer)

    def lay(self, other: Canvas, at: Point = (0, 0)) -> None:
        """Another drawing of the same fineness over this one, its corner ``at``, with all its inks."""
        self._inks |= other._inks
        self.image.alpha_composite(other.image, (round(at[0] * self.fine), round(at[1] * self.fine)))

    def polygons(
        self,
        outlines: Iterable[Sequence[Point]],
        colour: Colour,
        strength: float = 1.0,
        *,
        fade: Share | None = None,
    ) -> None:
        """Filled outlines."""
        shapes = [list(outline) for outline in outlines]

        def draw(pen: ImageDraw.ImageDraw, fine: float) -> None:
            for outline in shapes:
                pen.polygon([(x * fine, y * fine) for x, y in outline], fill=255)

        self.ink(draw, colour, strength, fade=fade)

    def disc(self, centre: Point, radius: float, colour: Colour, strength: float = 1.0) -> None:
        """A filled circle."""
        self.polygons([circle(centre, radius)], colour, strength)

    def ring(
        self,
        centre: Point,
        radius: float,
        width: float,
        colour: Colour,
        strength: float = 1.0,
        *,
        fade: Share | None = None,
    ) -> None:
        """A circle's line; ``radius`` is that of its middle."""
        self.strokes([arc(centre, radius, 0, 360)], width, colour, strength, fade=fade)

    def strokes(
        self,
        lines: Iterable[Sequence[Point]],
        width: float,
        colour: Colour,
        strength: float = 1.0,
        *,
        fade: Share | None = None,
    ) -> None:
        """Lines with round ends."""
        outlines: list[Sequence[Point]] = []
        for line in lines:
            outlines += [
                _ribbon(list(line), width),
                *(circle(end, width / 2, 24) for end in (line[0], line[-1])),
            ]
        self.polygons(outlines, colour, strength, fade=fade)

    def erase(self, outline: Sequence[Point]) -> None:
        """Make a hole."""
        mask = Image.new("L", self.size, 255)
        ImageDraw.Draw(mask).polygon([(x * self.fine, y * self.fine) for x, y in outline], fill=0)
        self.image.putalpha(ImageChops.multiply(self.image.getchannel("A"), mask))

    def _one_ink(self) -> Colour | None:
        """The colour that everything has; None where there are several."""
        return next(iter(self._inks)) if len(self._inks) == 1 else None

    def at(self, scale: float) -> Image.Image:
        """Scaled down to so many pixels a point."""
        size = (round(self.width * scale), round(self.height * scale))
        return self.image.resize(size, Image.Resampling.LANCZOS)

    def save(self, folder: Path, name: str, *, colours: int) -> None:
        """``name.png``, ``name@2x.png`` and ``name@3x.png``: one, two and three pixels a point."""
        folder.mkdir(parents=True, exist_ok=True)
        for scale in (1, 2, 3):
            _write(
                self.at(scale),
                folder / f"{name}{'' if scale == 1 else f'@{scale}x'}.png",
                colours,
                self._one_ink(),
            )

    def save_once(self, path: Path, scale: float, *, colours: int) -> None:
        """One file of so many pixels a point."""
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(self.at(scale), path, colours, self._one_ink())


def _ribbon(line: list[Point], width: float) -> list[Point]:
    """The outline of a line of that width, without its ends."""
    left, right = [], []
    for n, (x, y) in enumerate(line):
        before, after = line[max(n - 1, 0)], line[min(n + 1, len(line) - 1)]
        heading = math.atan2(after[1] - before[1], after[0] - before[0]) + math.pi / 2
        left.append(along((x, y), heading, width / 2))
        right.append(along((x, y), heading, -width / 2))
    return left + right[::-1]


def _write(image: Image.Image, path: Path, colours: int, one_ink: Colour | None) -> None:
    alpha = image.getchannel("A")
    if one_ink:
        # Strengths of the one ink, closer where it is faint: a palette for any image draws dots into fades.
        reduced = alpha.point(lambda value: round((value / 255) ** (1 / 1.8) * (colours - 1)))
        reduced.putpalette([part for _ in range(colours) for part in one_ink])
        strengths = bytes(round(255 * (n / (colours - 1)) ** 1.8) for n in range(colours))
        reduced.save(path, optimize=True, transparency=strengths)
        return
    if alpha.getextrema() == (255, 255):
        reduced = image.convert("RGB").quantize(
            colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
    else:
        reduced = image.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)


def circle(centre: Point, radius: float, corners: int = 180) -> list[Point]:
    """An outline."""
    return [along(centre, 2 * math.pi * n / corners, radius) for n in range(corners)]


def scalloped(centre: Point, radius: float, waves: int, depth: float) -> list[Point]:
    """The edge of a seal."""
    return [
        along(centre, angle, radius - depth * (1 - abs(math.cos(angle * waves / 2))) ** 1.2)
        for angle in (2 * math.pi * n / 720 for n in range(720))
    ]


def star(centre: Point, radius: float, *, points: int = 4, waist: float = 0.36) -> list[Point]:
    """An outline, one point up."""
    return [
        along(centre, math.pi * (corner / points - 0.5), radius * (waist if corner % 2 else 1))
        for corner in range(points * 2)
    ]


def along(start: Point, angle: float, distance: float) -> Point:
    """So far from ``start``; an angle of 0 points right, a quarter turn down."""
    return start[0] + math.cos(angle) * distance, start[1] + math.sin(angle) * distance


def curve(*handles: Point, steps: int = 48) -> list[Point]:
    """A Bézier curve of any degree."""
    found = []
    for n in range(steps + 1):
        points, t = list(handles), n / steps
        while len(points) > 1:
            points = [(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b in pairwise(points)]
        found.append(points[0])
    return found


def arc(centre: Point, radius: float, start: float, end: float) -> list[Point]:
    """A part of a circle's line, in degrees."""
    steps = max(8, round(abs(end - start) / 2))
    return [along(centre, math.radians(start + (end - start) * n / steps), radius) for n in range(steps + 1)]
