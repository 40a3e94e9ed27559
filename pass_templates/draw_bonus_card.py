"""Draws the images of bonus_card: run it again after changing a colour or a curve.

    python pass_templates/draw_bonus_card.py

An olive branch on the rim of a plate, in one ink as if printed with foil. What is light on nothing lets the
card's own colour through, so the images suit every dark background.
"""

from __future__ import annotations

import math
from pathlib import Path

from shapes import Canvas, Colour, Point, along, arc, circle, curve

HERE = Path(__file__).parent / "bonus_card"

BOTTLE: Colour = (18, 52, 45)
BRASS: Colour = (226, 190, 124)
IVORY: Colour = (250, 242, 226)


def leaf(base: Point, angle: float, length: float, width: float) -> tuple[list[Point], list[Point]]:
    """Its two halves, left and right of the rib."""
    tip = along(base, angle, length)
    halves = []
    for side in (-1, 1):
        out = along(along(base, angle, length * 0.32), angle + side * math.pi / 2, width * 0.72)
        far = along(along(base, angle, length * 0.74), angle + side * math.pi / 2, width * 0.44)
        halves.append([*curve(base, out, far, tip), base])
    return halves[0], halves[1]


def branch(
    canvas: Canvas,
    stem: list[Point],
    *,
    leaves: int,
    length: float,
    olives: tuple[float, ...],
    colour: Colour,
) -> None:
    """Leaves in pairs along a curve, shorter towards its end, with olives between them."""
    light, dark = [], []
    for number in range(leaves):
        share = 0.1 + 0.86 * number / leaves
        position = round(share * (len(stem) - 2))
        here, ahead = stem[position], stem[position + 1]
        heading = math.atan2(ahead[1] - here[1], ahead[0] - here[0])
        side = -1 if number % 2 else 1
        size = length * (1.05 - 0.5 * share)
        lit, shaded = leaf(here, heading + side * math.radians(44 - 12 * share), size, size * 0.25)
        light.append(lit if side < 0 else shaded)
        dark.append(shaded if side < 0 else lit)
    tip = stem[-1]
    heading = math.atan2(tip[1] - stem[-4][1], tip[0] - stem[-4][0])
    lit, shaded = leaf(tip, heading, length * 0.66, length * 0.17)
    canvas.strokes([stem], length * 0.042, colour, 0.8)
    canvas.polygons([*dark, shaded], colour, 0.42)
    canvas.polygons([*light, lit], colour, 0.78)
    for share in olives:
        position = round(share * (len(stem) - 2))
        here, ahead = stem[position], stem[position + 1]
        heading = math.atan2(ahead[1] - here[1], ahead[0] - here[0]) + math.pi / 2.1
        stalk, centre = along(here, heading, length * 0.16), along(here, heading, length * 0.36)
        canvas.strokes([[here, stalk]], length * 0.03, colour, 0.9)
        canvas.polygons([_olive(centre, heading, length * 0.2)], colour)
        shine = along(along(centre, heading, -length * 0.05), heading - math.pi / 2, length * 0.06)
        canvas.polygons([_olive(shine, heading, length * 0.05)], IVORY, 0.85)


def _olive(centre: Point, heading: float, radius: float) -> list[Point]:
    return [
        (
            centre[0] + math.cos(heading) * x * 1.18 - math.sin(heading) * y * 0.9,
            centre[1] + math.sin(heading) * x * 1.18 + math.cos(heading) * y * 0.9,
        )
        for x, y in circle((0, 0), radius)
    ]


def mark(canvas: Canvas, centre: Point, size: float, colour: Colour = BRASS) -> None:
    """The sign of the house: a plate that a sprig grows over."""
    x, y = centre
    canvas.strokes([arc(centre, size * 0.41, 20, 262)], size * 0.06, colour)
    stem = curve(
        (x - size * 0.2, y + size * 0.27), (x + size * 0.02, y + size * 0.1), (x + size * 0.3, y - size * 0.3)
    )
    canvas.strokes([stem], size * 0.035, colour)
    for share, side, length in ((0.2, 1, 0.33), (0.32, -1, 0.33), (0.52, 1, 0.3), (0.62, -1, 0.29)):
        here, ahead = stem[round(share * 46)], stem[round(share * 46) + 1]
        heading = math.atan2(ahead[1] - here[1], ahead[0] - here[0]) + side * math.radians(46)
        left, right = leaf(here, heading, size * length, size * length * 0.3)
        canvas.polygons([left + right[::-1]], colour)
    heading = math.atan2(stem[-1][1] - stem[-6][1], stem[-1][0] - stem[-6][0])
    canvas.polygons(leaf(stem[-8], heading, size * 0.3, size * 0.085), colour)


def strip(width: float = 375, height: float = 144) -> Canvas:
    """Behind the balance: calm on the left, where the number stands."""
    canvas = Canvas(width, height)
    middle, unit = (width * 0.815, height * 0.56), height / 144
    canvas.disc(middle, 104 * unit, IVORY, 0.05)
    canvas.ring(middle, 104 * unit, 1.1 * unit, IVORY, 0.4)
    canvas.ring(middle, 98 * unit, 0.6 * unit, IVORY, 0.26)
    canvas.disc(middle, 67 * unit, IVORY, 0.05)
    canvas.ring(middle, 67 * unit, 0.8 * unit, IVORY, 0.3)
    stem = curve(
        (width * 1.0, height * 1.04), (width * 0.87, height * 0.86), (width * 0.77, height * 0.36),
        (width * 0.61, height * 0.24), steps=120,
    )  # fmt: skip
    branch(canvas, stem, leaves=13, length=52 * unit, olives=(0.36, 0.62, 0.8), colour=BRASS)
    return canvas


def main() -> None:
    """Draw all."""
    icon = Canvas(29, 29, BOTTLE, fine=24)
    mark(icon, (14.5, 14.9), 25)
    icon.save(HERE, "icon", colours=32)
    logo = Canvas(50, 50, fine=18)
    mark(logo, (25, 25.6), 46)
    logo.save(HERE, "logo", colours=32)
    strip().save(HERE, "strip", colours=28)
    badge = Canvas(220, 220, BOTTLE)
    mark(badge, (110, 112), 148)
    badge.save_once(HERE / "google" / "logo.png", 3, colours=64)
    hero = Canvas(344, 112, BOTTLE)
    hero.lay(strip(344, 112))
    hero.save_once(HERE / "google" / "hero.png", 3, colours=64)


if __name__ == "__main__":
    main()
