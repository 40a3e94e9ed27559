"""Colours of brands: as designs write them, and whether one can be read on another."""

from __future__ import annotations

import re

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
PLAIN: Colour = (36, 85, 107)
"""The ground of whatever belongs to a brand without a colour."""
_RGB = re.compile(r"rgb\(\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*\)")
_HEX = re.compile(r"#[0-9A-Fa-f]{6}")


def parse_colour(words: object) -> Colour | None:
    """``rgb(1, 2, 3)`` or ``#010203``; None for anything else, which iOS could not read either."""
    text = str(words or "").strip()
    if match := _RGB.fullmatch(text):
        red, green, blue = (int(part) for part in match.groups())
        return (red, green, blue) if max(red, green, blue) <= 255 else None
    if _HEX.fullmatch(text):
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
    return None


def hexadecimal(colour: Colour) -> str:
    """``#0a1b2c``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def contrast(one: Colour, other: Colour) -> float:
    """From 1 (the same) to 21 (black on white), as WCAG 2.2 counts it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def more_legible(ground: Colour) -> Colour:
    """White or black, whichever stands out more."""
    return max(WHITE, BLACK, key=lambda ink: contrast(ground, ink))


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
