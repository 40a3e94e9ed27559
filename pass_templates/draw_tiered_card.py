"""Draws the images of tiered_card: run it again after changing a colour or a curve.

    python pass_templates/draw_tiered_card.py

Everything is drawn at eight times the size and scaled down, then reduced to few colours: every phone fetches
these images with every change of its card.
"""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).parent / "tiered_card"
FINE = 8  # drawn so many times larger than one point

ESPRESSO = (36, 26, 21)
CARAMEL = (222, 184, 135)

Point = tuple[float, float]


def star(centre: Point, radius: float, *, points: int = 4, waist: float = 0.36) -> list[Point]:
    """The outline of a star."""
    return [
        (
            centre[0] + math.sin(math.pi * corner / points) * radius * (waist if corner % 2 else 1),
            centre[1] - math.cos(math.pi * corner / points) * radius * (waist if corner % 2 else 1),
        )
        for corner in range(points * 2)
    ]


def mark(draw: ImageDraw.ImageDraw, centre: Point, size: float, *, colour: tuple[int, int, int]) -> None:
    """The sign of the house: a ring that is open where a star stands."""
    radius, width = size * 0.40, size * 0.095
    box = [centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius]
    draw.arc(box, 6, 264, fill=colour, width=round(width))
    for angle in (6, 264):
        end = math.radians(angle)
        x = centre[0] + math.cos(end) * (radius - width / 2)
        y = centre[1] + math.sin(end) * (radius - width / 2)
        draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=colour)
    draw.polygon(star((centre[0] + radius * 0.72, centre[1] - radius * 0.72), size * 0.22), fill=colour)
    draw.polygon(star(centre, size * 0.17), fill=colour)


def icon() -> Image.Image:
    """29 by 29 points, on the lock screen; iOS rounds the corners."""
    side = 29 * FINE
    image = Image.new("RGB", (side, side), ESPRESSO)
    mark(ImageDraw.Draw(image), (side / 2, side / 2), side * 0.86, colour=CARAMEL)
    return image


def logo() -> Image.Image:
    """50 by 50 points, left of the brand's name; transparent."""
    side = 50 * FINE
    image = Image.new("RGBA", (side, side), (*CARAMEL, 0))
    mark(ImageDraw.Draw(image), (side / 2, side / 2), side * 0.9, colour=CARAMEL)
    return image


def strip() -> Image.Image:
    """375 by 144 points, behind the balance: calm on the left, where the number stands.

    Light on nothing: the brand's own background shows through, so the strip suits every colour.
    """
    width, height = 375 * FINE, 144 * FINE
    image = Image.new("RGBA", (width, height), (*CARAMEL, 0))
    draw = ImageDraw.Draw(image)
    for layer, (rise, swing, share) in enumerate(
        ((0.30, 0.10, 0.07), (0.48, 0.12, 0.14), (0.66, 0.11, 0.22), (0.83, 0.08, 0.32))
    ):
        outline: list[Point] = [
            (
                x,
                height
                * (
                    1.08
                    - (x / width) ** 1.6 * (1.16 - rise)
                    + swing * math.sin(x / width * 5.2 + layer * 0.9) * 0.6
                ),
            )
            for x in range(0, width + FINE, FINE)
        ]
        draw.polygon([*outline, (width, height), (0, height)], fill=(*CARAMEL, round(share * 255)))
    for x, y, size, share in (
        (0.90, 0.22, 13, 0.9),
        (0.80, 0.36, 6, 0.55),
        (0.955, 0.44, 5, 0.5),
        (0.70, 0.17, 4, 0.4),
    ):
        draw.polygon(star((x * width, y * height), size * FINE), fill=(*CARAMEL, round(share * 255)))
    return image


def save(name: str, image: Image.Image, *, colours: int) -> None:
    """At one, two and three times the points."""
    for scale in (1, 2, 3):
        size = (image.width * scale // FINE, image.height * scale // FINE)
        small = image.resize(size, Image.Resampling.LANCZOS)
        method = Image.Quantize.FASTOCTREE if image.mode == "RGBA" else Image.Quantize.MEDIANCUT
        reduced = small.quantize(colours, method=method, dither=Image.Dither.NONE)
        reduced.save(HERE / f"{name}{'' if scale == 1 else f'@{scale}x'}.png", optimize=True)


def main() -> None:
    """Draw all."""
    save("icon", icon(), colours=32)
    save("logo", logo(), colours=32)
    save("strip", strip(), colours=48)


if __name__ == "__main__":
    main()
