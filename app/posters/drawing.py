"""Draws posters: words and code in, PDF or SVG out."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import segno

from app.colours import hexadecimal
from app.posters.palette import palette
from app.posters.poster import Poster
from app.posters.press import Press, here
from app.posters.sizes import SHEETS, Size
from app.posters.wording import PHRASES, edition, place

LAYOUT_VERSION = 1
"""Raised when the layouts change so that prints of before and after should be told apart."""

_LONGEST_PART = 18
# "10 %" stays in one line, and a little word goes with the one that it belongs to.
_TOGETHER = re.compile(r"(?<=\d) (?=%)|(?:(?<=^.)|(?<=[\s«].)|(?<=[\s«]..)) (?=\w)")
_UNDRAWN = ("Cc", "Cf", "Cn", "Co", "Cs", "Sk", "So")  # Unicode's categories: controls, emoji and their tones
_SIGNS = "№°©®™^`"  # of those categories, and in every font
_SELECTORS = {chr(c) for c in range(0xFE00, 0xFE10)}
_BREAK = "\u200b"  # where a word without an end may go on in the next line


def draw_pdf(posters: Sequence[Poster], size: Size, *, press: Press = here) -> bytes:
    """One page each, vectors with the fonts' used glyphs embedded; equal posters give equal bytes."""
    return press(pages_given(posters, size), "pdf", max(poster.printed_on for poster in posters))


def draw_svg(poster: Poster, size: Size, *, press: Press = here) -> bytes:
    """The same page as an SVG without script and without fonts: its words are outlines."""
    return press(pages_given([poster], size), "svg", poster.printed_on)


def code(url: str) -> segno.QRCode:
    """The code of a print: a quarter of it may be scratched (level Q, raised where that is free)."""
    return segno.make(url, error="q", micro=False)


def pages_given(
    posters: Sequence[Poster], size: Size, *, layout: str = "", more: Mapping[str, Any] | None = None
) -> str:
    """What the layout reads: a page each, of this size; another ``layout`` may be told ``more``."""
    sheet = SHEETS[size]
    looks: list[dict[str, Any]] = []
    pages = [{"look": _numbered(looks, _look(poster)), **_page(poster), **(more or {})} for poster in posters]
    return json.dumps(
        {
            "size": layout or size,
            "title": posters[0].brand,
            "page": {"width": sheet.width, "height": sheet.height, "bleed": sheet.bleed},
            "looks": looks,
            "posters": pages,
        }
    )


def _page(poster: Poster) -> dict[str, Any]:
    """What tells this print from the others in its venue."""
    matrix = code(poster.url).matrix
    host, slash, last = _shown(poster.url).rpartition("/")
    return {
        "place": _drawable(place(poster)),
        "edition": _drawable(edition(poster)),
        "address": {"host": host + slash, "code": last},
        "code": {"modules": len(matrix), "runs": _runs(matrix)},
    }


def _look(poster: Poster) -> dict[str, Any]:
    """What it shares with them: measured and laid out once."""
    colours = palette(poster.ground, poster.ink, poster.label)
    return {
        "brand": _drawable(poster.brand),
        "words": [
            {
                "language": words.language,
                "programme": _drawable(words.programme),
                "promise": _drawable(words.promise),
                "heading": PHRASES[words.language].heading,
                "short": PHRASES[words.language].short,
                "steps": [_drawable(step) for step in PHRASES[words.language].steps],
            }
            for words in poster.words
        ],
        "colours": {
            name: hexadecimal(getattr(colours, name)) for name in ("ground", "ink", "label", "deep", "edge")
        },
        "logo": None if poster.logo is None else list(poster.logo),
    }


def _numbered(looks: list[dict[str, Any]], look: dict[str, Any]) -> int:
    if look not in looks:
        looks.append(look)
    return looks.index(look)


def _shown(url: str) -> str:
    """What people type: without the scheme, which browsers add."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


def _runs(matrix: Sequence[bytearray]) -> list[tuple[int, int, int]]:
    """Dark modules as (row, first column, how many)."""
    runs = []
    for y, row in enumerate(matrix):
        start = None
        for x, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                runs.append((y, start, x - start))
                start = None
    return runs


def _drawable(words: str) -> str:
    """Without what no printer's font draws (emoji, controls), and with breaks in words that have no end."""
    kept = "".join(c for c in unicodedata.normalize("NFC", words) if _is_drawn(c))
    line = " ".join(
        _BREAK.join(part[i : i + _LONGEST_PART] for i in range(0, len(part), _LONGEST_PART))
        for part in kept.split()
    )
    return _TOGETHER.sub("\u00a0", line)


def _is_drawn(character: str) -> bool:
    if character in _SELECTORS:
        return False
    return character in _SIGNS or unicodedata.category(character) not in _UNDRAWN
