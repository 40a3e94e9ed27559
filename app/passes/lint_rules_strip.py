"""Words on a picture: the primary field of a store card or coupon stands on the left of its strip."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from PIL import Image

from app.colours import Colour, contrast, parse_colour
from app.passes.findings import Finding, warn
from app.passes.lint_rules_images import MOST_PIXELS, size_of
from app.passes.lint_rules_values import LEAST_CONTRAST

_STRIPS = ("strip.png", "strip@2x.png", "strip@3x.png")
_WORDS = (0.02, 0.2, 0.5, 0.95)  # left, top, right, bottom of where the words stand, as shares of the strip


def check_strip(document: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[Finding]:
    """The primary field against what lies behind it, on average."""
    style = next((style for style in ("storeCard", "coupon") if isinstance(document.get(style), dict)), None)
    strip = next((files[name] for name in _STRIPS if name in files), None)
    if style is None or strip is None or not document[style].get("primaryFields"):
        return
    key = "stripColor" if "stripColor" in document else "foregroundColor"
    words, ground = _colour(document, key), _colour(document, "backgroundColor")
    behind = _average(strip, ground) if ground else None
    if words is None or behind is None:
        return
    if (found := contrast(words, behind)) < LEAST_CONTRAST:
        yield warn(
            "low-contrast",
            f"{key} on strip.png",
            f"the primary field is hard to read on its picture ({found:.1f} : 1, wanted "
            f"{LEAST_CONTRAST:.0f} : 1); calm the picture on its left, or choose another colour",
        )


def _colour(document: Mapping[str, Any], key: str) -> Colour | None:
    value = document.get(key)
    return parse_colour(value) if isinstance(value, str) else None


@lru_cache(64)  # one picture lies behind many guests' words
def _average(strip: bytes, ground: Colour) -> Colour | None:
    size = size_of(strip)
    if size is None or max(size) > MOST_PIXELS or min(size) < 4:
        return None
    try:
        with Image.open(io.BytesIO(strip), formats=["PNG"]) as image:
            whole = image.convert("RGBA")
    except (OSError, SyntaxError, ValueError):
        return None  # told as an image that is damaged
    left, top, right, bottom = _WORDS
    box = (int(left * size[0]), int(top * size[1]), int(right * size[0]), int(bottom * size[1]))
    card = Image.new("RGBA", whole.size, (*ground, 255))
    card.alpha_composite(whole)
    red, green, blue = card.convert("RGB").resize((1, 1), Image.Resampling.BOX, box).tobytes()
    return red, green, blue
