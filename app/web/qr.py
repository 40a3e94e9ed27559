"""QR codes: of an install link for print, and inline in a page."""

from __future__ import annotations

import io
from functools import lru_cache

import segno

MIN_SCALE, DEFAULT_SCALE, MAX_SCALE = 1, 10, 40
"""Pixels per module. 40 makes a code of version 4 a picture of 1,640 pixels: 14 cm at 300 dpi."""

QUIET_ZONE = 4
"""Modules of white around the code (ISO/IEC 18004)."""

_ANY_MASK = 3
_KEPT = 256
"""Pictures of a few kilobytes: drawing a large one takes thirty milliseconds, and anybody may ask for it."""


@lru_cache(_KEPT)
def png(text: str, *, scale: int = DEFAULT_SCALE) -> bytes:
    """A black-on-white PNG; error correction M, raised where that costs no larger code."""
    picture = io.BytesIO()
    _code(text).save(picture, kind="png", scale=scale, border=QUIET_ZONE, dark="#000", light="#fff")
    return picture.getvalue()


@lru_cache(_KEPT)
def svg(text: str, *, scale: int = DEFAULT_SCALE) -> bytes:
    """The same as a vector; ``scale`` gives its natural size."""
    picture = io.BytesIO()
    _code(text).save(
        picture, kind="svg", scale=scale, border=QUIET_ZONE, dark="#000", light="#fff", svgclass=None,
        lineclass=None,
    )  # fmt: skip
    return picture.getvalue()


def inline_svg(text: str) -> str:
    """Markup to put into a page; it fills the width it is given and needs no style of its own.

    A guest waits for it: choosing the best of the eight masks takes four times as long as all the rest, and
    a camera before a screen reads any of them. What is printed gets the best.
    """
    return str(_code(text, mask=_ANY_MASK).svg_inline(
        border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    ))  # fmt: skip


def _code(text: str, *, mask: int | None = None) -> segno.QRCode:
    return segno.make(text, error="m", micro=False, mask=mask)
