"""The colours of a print: the brand's own where they can be read, else the nearest that can."""

from __future__ import annotations

from dataclasses import dataclass

from app.colours import BLACK, WHITE, Colour, contrast, more_legible

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
