"""How wide words are on an iPhone, as far as that can be known without Apple's font.

Wallet sets San Francisco, which may not be shipped. Widths are those of Manrope, letter by letter, drawn
together to San Francisco's average: weighted by how often letters occur, San Francisco's lower case and
space take 0.411 em (seek-oss/capsize, systemFonts.json: 842 of 2,048 units), Manrope's 0.459 em by the same
count, which gives Helvetica's published 0.441 em too. Below 20 points iOS spaces letters wider, by up to 0.03
em at 12 points (Apple, Human Interface Guidelines, tracking values).

The average is right; single words are off by some hundredths, words in capitals by a little more. So a
verdict leaves :data:`DOUBT` on either side of the limit.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from PIL import ImageFont

Weight = Literal["Regular", "Medium", "SemiBold"]
Verdict = Literal["fits", "close", "cut"]

DOUBT = 0.06
"""The share of a width by which an estimate may be wrong: within it nothing is called certain."""

ELLIPSIS = "\u2026"
_MANROPE, _SAN_FRANCISCO = 0.4592, 842 / 2048  # em, see above
_UNITS = 1000  # pixels an em in measuring: hinting no longer shows
_TIGHT, _WIDE = 20.0, 12.0  # points: from here on the average holds, from here down the widest spacing
_WIDEST_SPACING = 0.03  # em a letter
_KEPT = 4096


@lru_cache(3)
def _font(weight: Weight) -> ImageFont.FreeTypeFont:
    import font_manrope

    return ImageFont.truetype(Path(font_manrope.font_directory) / f"Manrope-{weight}.ttf", _UNITS)


@lru_cache(_KEPT)
def _ems(words: str, weight: Weight) -> float:
    return _font(weight).getlength(words) / _UNITS


def width(words: str, size: float, weight: Weight = "Regular") -> float:
    """Points that one line of ``words`` takes at ``size`` points."""
    spacing = _WIDEST_SPACING * min(max((_TIGHT - size) / (_TIGHT - _WIDE), 0.0), 1.0)
    return (_ems(words, weight) * _SAN_FRANCISCO / _MANROPE + spacing * len(words)) * size


def verdict(natural: float, room: float) -> Verdict:
    """Whether so many points of words fit into so many of room, as far as can be told."""
    if natural * (1 - DOUBT) > room:
        return "cut"
    return "close" if natural * (1 + DOUBT) > room else "fits"


def shorten(words: str, size: float, room: float, weight: Weight = "Regular") -> str:
    """``words`` with an ellipsis where they do not fit; whole where they do."""
    if width(words, size, weight) <= room:
        return words
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if width(words[:middle].rstrip() + ELLIPSIS, size, weight) <= room:
            low = middle
        else:
            high = middle - 1
    return words[:low].rstrip() + ELLIPSIS


def wrap(words: str, size: float, room: float, weight: Weight = "Regular") -> list[str]:
    """Lines no wider than ``room``; a word that is wider than a whole line is broken."""
    lines: list[str] = []
    for paragraph in words.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if width(longer, size, weight) <= room:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while width(line, size, weight) > room and len(line) > 1:
                fitting = next(
                    (n for n in range(len(line) - 1, 0, -1) if width(line[:n], size, weight) <= room), 1
                )
                lines.append(line[:fitting])
                line = line[fitting:]
        lines.append(line)
    return lines
