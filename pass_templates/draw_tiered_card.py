"""Draws the images of tiered_card: run it again after changing a colour or a curve.

    python pass_templates/draw_tiered_card.py

Lines as on a share certificate, in the metal of the tier, with a star for each: the more, the higher. All is
light on nothing, so the card's own colour shows through.
"""

from __future__ import annotations

import math
from pathlib import Path

from shapes import Canvas, Colour, Point, arc, star

HERE = Path(__file__).parent / "tiered_card"

INK: Colour = (30, 32, 44)
PEARL: Colour = (226, 228, 238)
METALS: tuple[Colour, ...] = ((226, 168, 128), (206, 214, 228), (236, 200, 118))
"""Bronze, silver, gold: the labels of layout.toml have the same."""


def mark(canvas: Canvas, centre: Point, size: float, colour: Colour) -> None:
    """The sign of the house: a ring that is open where a star stands."""
    radius = size * 0.38
    canvas.strokes([arc(centre, radius, 8, 262)], size * 0.085, colour)
    canvas.polygons(
        [star((centre[0] + radius * 0.74, centre[1] - radius * 0.74), size * 0.23, waist=0.3)], colour
    )
    canvas.polygons([star(centre, size * 0.16, waist=0.3)], colour)


def waves(width: float, height: float, count: int) -> list[list[Point]]:
    """A sheaf of lines that drifts apart to the right."""
    lines = []
    for number in range(count):
        share = number / (count - 1)
        lines.append([
            (
                x,
                height * (0.9 - 0.2 * (x / width) ** 1.5)
                + height * 0.62 * (share - 0.5) * (x / width) ** 1.25
                + height * 0.17 * math.sin(x / width * 5.6 + share * 2.3 + 0.4) * (0.25 + x / width),
            )
            for x in (width * step / 150 for step in range(151))
        ])  # fmt: skip
    return lines


def strip(metal: Colour, stars: int, width: float = 375, height: float = 144) -> Canvas:
    """Behind the balance: calm on the left, where the number stands."""
    canvas, unit = Canvas(width, height), height / 144
    lines = waves(width, height, 15)
    sheaf = [*lines[0], *reversed(lines[-1])]

    def rising(x: float, _y: float) -> float:
        return math.pow(min(1.0, max(0.0, (x - 0.2) / 0.55)), 1.8)

    canvas.polygons([sheaf], metal, 0.14, fade=rising)
    canvas.strokes(lines, 0.65 * unit, metal, 0.62, fade=rising)
    canvas.strokes([lines[0], lines[-1]], 1.15 * unit, metal, 0.9, fade=rising)
    for number in range(stars):
        canvas.polygons(
            [star((width - (22 + number * 21) * unit, 22 * unit), 9.5 * unit, waist=0.3)], metal, 0.95
        )
    return canvas


def main() -> None:
    """Draw all."""
    icon = Canvas(29, 29, INK, fine=24)
    mark(icon, (14.2, 14.9), 25, METALS[2])
    icon.save(HERE, "icon", colours=32)
    logo = Canvas(50, 50, fine=18)
    mark(logo, (24.4, 25.8), 46, METALS[2])
    logo.save(HERE, "logo", colours=32)
    strip(PEARL, 0).save(HERE, "strip", colours=22)
    for number, metal in enumerate(METALS, 1):
        strip(metal, number).save(HERE / "tiers" / str(number), "strip", colours=22)
    badge = Canvas(220, 220, INK)
    mark(badge, (108, 114), 156, METALS[2])
    badge.save_once(HERE / "google" / "logo.png", 3, colours=64)
    hero = Canvas(344, 112, INK)
    hero.lay(strip(METALS[2], 3, 344, 112))
    hero.save_once(HERE / "google" / "hero.png", 3, colours=48)


if __name__ == "__main__":
    main()
