"""Draws the images of stamp_card: run it again after changing a colour or a curve.

    python pass_templates/draw_stamp_card.py

The strip is the counter, the pictures in stamps/ are what perkpass draws on it when the design is published:
one strip for every number of stamps.
"""

from __future__ import annotations

import math
from pathlib import Path

from shapes import Canvas, Colour, Point, arc, circle, curve, scalloped

HERE = Path(__file__).parent / "stamp_card"

CREAM: Colour = (250, 243, 232)
COFFEE: Colour = (66, 40, 27)
CLAY: Colour = (190, 84, 44)
SAND: Colour = (203, 170, 134)

SIDE = 100.0  # points of a stamp's own drawing


def cup(canvas: Canvas, centre: Point, size: float, colour: Colour, strength: float = 1.0) -> None:
    """A cup with a handle, on a saucer, steaming."""
    x, y = centre
    wide, deep = size * 0.46, size * 0.36
    top = y - size * 0.06
    bowl = [
        (x - wide / 2, top), (x + wide / 2, top),
        *curve((x + wide / 2, top), (x + wide * 0.48, top + deep * 1.05), (x, top + deep * 1.02), steps=24),
        *curve((x, top + deep * 1.02), (x - wide * 0.48, top + deep * 1.05), (x - wide / 2, top), steps=24),
    ]  # fmt: skip
    canvas.polygons([bowl], colour, strength)
    canvas.strokes(
        [arc((x + wide * 0.48, top + deep * 0.36), size * 0.095, -80, 105)], size * 0.05, colour, strength
    )
    saucer = y + size * 0.37
    canvas.strokes([[(x - size * 0.3, saucer), (x + size * 0.3, saucer)]], size * 0.05, colour, strength)
    canvas.strokes(
        [steam((x + shift * size, top - size * 0.07), size * tall) for shift, tall in
         ((-0.125, 0.19), (0.0, 0.25), (0.125, 0.19))],
        size * 0.038, colour, strength,
    )  # fmt: skip


def steam(foot: Point, height: float) -> list[Point]:
    """One curl."""
    x, y = foot
    sway = height * 0.42
    return curve((x, y), (x - sway, y - height * 0.35), (x + sway, y - height * 0.65), (x, y - height))


def heart(centre: Point, size: float) -> list[Point]:
    """An outline."""
    x, y = centre
    half = [
        *curve((x, y + size * 0.44), (x + size * 0.62, y + size * 0.02), (x + size * 0.5, y - size * 0.42),
               (x + size * 0.24, y - size * 0.4)),
        *curve((x + size * 0.24, y - size * 0.4), (x + size * 0.08, y - size * 0.39), (x, y - size * 0.2)),
    ]  # fmt: skip
    return [*half, *((2 * x - px, py) for px, py in reversed(half))]


def bean(centre: Point, size: float, turn: float) -> tuple[list[Point], list[Point]]:
    """A coffee bean: its outline and its furrow."""

    def turned(px: float, py: float) -> Point:
        return (
            centre[0] + px * math.cos(turn) - py * math.sin(turn),
            centre[1] + px * math.sin(turn) + py * math.cos(turn),
        )

    outline = [turned(px * 0.66, py) for px, py in circle((0, 0), size)]
    sway = size * 0.34
    furrow = curve((0, -size), (sway, -size * 0.3), (-sway, size * 0.3), (0, size))
    return outline, [turned(px, py) for px, py in furrow]


def gift_cup(
    canvas: Canvas,
    centre: Point,
    size: float,
    cup_colour: Colour,
    heart_colour: Colour,
    strength: float = 1.0,
) -> None:
    """The reward: a cup to go with a heart on its sleeve."""
    x, y = centre

    def slice_of(top: float, bottom: float, grow: float = 0.0) -> list[Point]:
        def half(at: float) -> float:
            return size * (0.215 - 0.075 * at) + grow

        return [
            (x - half(top), y + size * (top - 0.46)),
            (x + half(top), y + size * (top - 0.46)),
            (x + half(bottom), y + size * (bottom - 0.46)),
            (x - half(bottom), y + size * (bottom - 0.46)),
        ]

    canvas.polygons([slice_of(0.17, 0.9)], cup_colour, strength)
    canvas.polygons([slice_of(0.07, 0.14, size * 0.045)], cup_colour, strength)
    canvas.strokes(
        [[(x - size * 0.15, y - size * 0.44), (x + size * 0.15, y - size * 0.44)]],
        size * 0.055,
        cup_colour,
        strength,
    )
    canvas.polygons([heart((x, y + size * 0.08), size * 0.2)], heart_colour)


def stamp(kind: str) -> Canvas:
    """One of the four pictures."""
    canvas, centre = Canvas(SIDE, SIDE), (SIDE / 2, SIDE / 2)
    earned, last = kind.endswith("earned"), kind.startswith("reward")
    if earned:
        seal = CLAY if last else COFFEE
        canvas.polygons([scalloped(centre, 48, 22, 3.4)], seal)
        canvas.ring(centre, 40.5, 1.7, CREAM, 0.75)
        if last:
            gift_cup(canvas, centre, 62, CREAM, CLAY)
        else:
            cup(canvas, (50, 50), 60, CREAM)
        return canvas
    colour = CLAY if last else SAND
    dashes = 26
    canvas.strokes(
        [arc(centre, 45.5, 360 * n / dashes, 360 * (n + 0.52) / dashes) for n in range(dashes)], 2.6, colour
    )
    if last:
        canvas.disc(centre, 45, CLAY, 0.1)
        gift_cup(canvas, centre, 62, CLAY, CREAM)
    else:
        canvas.disc(centre, 45, SAND, 0.12)
        cup(canvas, (50, 50), 60, SAND, 0.75)
    return canvas


def strip(width: float = 375, height: float = 144) -> Canvas:
    """The counter that the stamps stand on: a ring left by a cup, beans in a corner, and much room."""
    canvas, unit = Canvas(width, height), height / 144
    for radius, line, strength in ((61, 3.2, 0.16), (57.5, 0.9, 0.2), (65, 0.7, 0.12)):
        canvas.ring((width * 0.93, height * 0.06), radius * unit, line * unit, SAND, strength)
    canvas.ring((width * 0.07, height * 1.02), 44 * unit, 2.4 * unit, SAND, 0.13)
    beans = ((0.885, 0.92, 9.5, 0.5), (0.94, 0.8, 8.5, -0.6), (0.968, 0.98, 8, 1.3), (0.03, 0.1, 8, -0.9),
             (0.085, 0.03, 7, 0.4))  # fmt: skip
    drawn = [bean((x * width, y * height), size * unit, turn) for x, y, size, turn in beans]
    canvas.polygons([outline for outline, _ in drawn], SAND, 0.34)
    canvas.strokes([furrow for _, furrow in drawn], 1.1 * unit, CREAM, 0.7)
    return canvas


def mark(canvas: Canvas, centre: Point, size: float, colour: Colour) -> None:
    """The sign of the house: the cup on a seal, for light cards and dark ones."""
    canvas.disc(centre, size * 0.5, colour)
    canvas.ring(centre, size * 0.445, size * 0.022, CREAM, 0.8)
    cup(canvas, (centre[0], centre[1] + size * 0.005), size * 0.64, CREAM)


def main() -> None:
    """Draw all."""
    icon = Canvas(29, 29, COFFEE, fine=24)
    cup(icon, (14.5, 14.6), 24, CREAM)
    icon.save(HERE, "icon", colours=24)
    logo = Canvas(50, 50, fine=18)
    mark(logo, (25, 25), 46, COFFEE)
    logo.save(HERE, "logo", colours=24)
    strip().save(HERE, "strip", colours=32)
    for kind in ("earned", "empty", "reward", "reward_earned"):
        stamp(kind).save_once(HERE / "stamps" / f"{kind}.png", 3.84, colours=64)
    badge = Canvas(220, 220, COFFEE)
    cup(badge, (110, 112), 150, CREAM)
    badge.save_once(HERE / "google" / "logo.png", 3, colours=48)
    hero = Canvas(344, 112, CREAM)
    hero.lay(strip(344, 112))
    cup(hero, (172, 58), 74, COFFEE)  # no stamps: all guests share it
    hero.save_once(HERE / "google" / "hero.png", 3, colours=96)


if __name__ == "__main__":
    main()
