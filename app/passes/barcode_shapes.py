"""The code on a card's front as a drawing: a QR code that a scanner reads, and the shapes of the others.

The others are told apart by their outline, which is what the card's layout depends on; their bars are drawn
from the message so that another message looks another way, but no scanner reads them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import segno

SQUARE = ("PKBarcodeFormatQR", "PKBarcodeFormatAztec")
_SAMPLE_SIDE = 23  # modules of the smallest Aztec code that takes a card's code
_STRIPE_ROWS = {"PKBarcodeFormatPDF417": 9}
_COLUMNS = 120


class Shape(NamedTuple):
    """Black modules."""

    columns: int
    rows: int
    path: str
    is_read: bool  # by a scanner, from the screen


@lru_cache(64)  # an editor draws the same sample card over and over
def shape(format_name: str, message: str) -> Shape:
    """What to draw for a ``barcodes`` entry."""
    if format_name == "PKBarcodeFormatQR":
        matrix = [list(row) for row in segno.make(message, error="m", micro=False, mask=3).matrix]
        return _drawn(matrix, is_read=True)
    noise = _bits(message)
    if format_name == "PKBarcodeFormatAztec":
        return _drawn(_aztec(noise), is_read=False)
    rows = _STRIPE_ROWS.get(format_name, 1)
    stripes = [[next(noise) for _ in range(_COLUMNS)] for _ in range(rows)]
    for row in stripes:
        row[:8] = row[-8:] = [1, 1, 0, 1, 0, 1, 0, 1]
    return _drawn(stripes, is_read=False)


def _bits(message: str) -> Iterator[int]:
    number = 0
    while True:
        for byte in hashlib.sha256(f"{message}{number}".encode()).digest():
            for place in range(8):
                yield byte >> place & 1
        number += 1


def _aztec(noise: Iterator[int]) -> list[list[int]]:
    middle = _SAMPLE_SIDE // 2
    return [
        [
            (ring + 1) % 2 if (ring := max(abs(row - middle), abs(column - middle))) < 5 else next(noise)
            for column in range(_SAMPLE_SIDE)
        ]
        for row in range(_SAMPLE_SIDE)
    ]


def _drawn(matrix: list[list[int]], *, is_read: bool) -> Shape:
    """Runs of black modules, one after the other."""
    parts = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            run = x
            while run < len(row) and row[run]:
                run += 1
            if run > x:
                parts.append(f"M{x} {y}h{run - x}v1h-{run - x}z")
            x = run + 1
    return Shape(len(matrix[0]), len(matrix), "".join(parts), is_read)
