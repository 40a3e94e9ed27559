"""The colours of a print: the brand's own where they can be read, else the nearest that can."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
TEXT_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3 (AA). A wall is read from afar and in bad light, so large words get it too."""

EDGE_CONTRAST = 1.3
"""Below it a panel cannot be told from the paper around it, and gets an edge."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Every colour that a print uses beside black, white and grey."""

    ground: Colour  # the brand's own
    ink: Colour  # words on the ground
    label: Colour  # small words on the ground
    deep: Colour  # words and lines on white paper
    edge: Colour  # around the ground: its own colour, or what tells it from the paper


def palette(ground: Colour, ink: Colour, label: Colour) -> Palette:
    """What the brand's three colours can be used for; every pair that is read has :data:`TEXT_CONTRAST`."""
    readable = ink if contrast(ink, ground) >= TEXT_CONTRAST else more_legible(ground)
    small = label if contrast(label, ground) >= TEXT_CONTRAST else readable
    deep = next((c for c in (ground, label, ink) if contrast(c, WHITE) >= TEXT_CONTRAST), BLACK)
    pale = contrast(ground, WHITE) < EDGE_CONTRAST
    return Palette(ground, readable, small, deep, deep if pale else ground)


def contrast(one: Colour, other: Colour) -> float:
    """From 1 (the same) to 21 (black on white), as WCAG 2.2 counts it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def more_legible(ground: Colour) -> Colour:
    """White or black, whichever stands out more."""
    return max(WHITE, BLACK, key=lambda ink: contrast(ground, ink))


def hexadecimal(colour: Colour) -> str:
    """``#0a1b2c``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
