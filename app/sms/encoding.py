"""How a text travels and how many parts it costs: GSM 7-bit where every letter has a place there, else UCS-2.

Sources: 3GPP TS 23.038 6.2.1 (the default alphabet and its extension table), TS 23.040 9.2.3.24.1 (a part of
several gives six octets, seven septets, to the header that joins them).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from app.errors import BadInput

Encoding = Literal["gsm7", "ucs2"]

_ALPHABET: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Behind an escape: two septets each, never divided between two parts."""
_SEPTETS, _SEPTETS_OF_SEVERAL = 160, 153
_CODE_UNITS, _CODE_UNITS_OF_SEVERAL = 70, 67
LONGEST_PARTS: Final = 10
"""Of one text: some centres join no more."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a text takes."""

    encoding: Encoding
    units: int  # septets or UTF-16 code units
    parts: int


def measure(text: str) -> Measured:
    """How ``text`` travels; raises BadInput where it is empty, too long, or holds half a character."""
    if not text:
        raise BadInput("empty-text", "A text message says something: write its text.", field="text")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadInput("half-character", "The text holds half a character: type it again.", field="text")
    if all(letter in _ALPHABET or letter in _EXTENSION for letter in text):
        sizes = [2 if letter in _EXTENSION else 1 for letter in text]
        measured = _measured("gsm7", sizes, _SEPTETS, _SEPTETS_OF_SEVERAL)
    else:
        sizes = [2 if letter > "\uffff" else 1 for letter in text]
        measured = _measured("ucs2", sizes, _CODE_UNITS, _CODE_UNITS_OF_SEVERAL)
    if measured.parts > LONGEST_PARTS:
        raise BadInput(
            "text-too-long",
            f"The text takes {measured.parts} parts, and {LONGEST_PARTS} are the most: make it shorter.",
            field="text",
        )
    return measured


def _measured(encoding: Encoding, sizes: list[int], alone: int, of_several: int) -> Measured:
    units = sum(sizes)
    if units <= alone:
        return Measured(encoding, units, 1)
    parts, room = 1, of_several
    for size in sizes:
        if size > room:
            parts, room = parts + 1, of_several
        room -= size
    return Measured(encoding, units, parts)
