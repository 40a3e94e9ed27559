"""The card's opaque code: what the barcode holds and a till sends to name a guest.

Twelve random symbols of Crockford's base 32 (60 bits; no I, L, O, U), in groups of four, so that the
same text is the barcode's message and what a person reads out. A hyphen stays within the alphanumeric
mode of QR codes, and the code is ASCII as barcodes want it.
"""

from __future__ import annotations

import secrets

from app.db.identifiers import CardCode

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SYMBOLS, _GROUP = 12, 4
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


def new_card_code() -> CardCode:
    """A code that nobody can guess."""
    return _grouped("".join(secrets.choice(ALPHABET) for _ in range(_SYMBOLS)))


def understood(text: str) -> CardCode | None:
    """The code a till or a person meant: any case, with or without hyphens, O for 0, I or L for 1.

    None where it cannot be one.
    """
    symbols = text.upper().translate(_MISREAD)
    if len(symbols) != _SYMBOLS or not set(symbols) <= set(ALPHABET):
        return None
    return _grouped(symbols)


def _grouped(symbols: str) -> CardCode:
    return CardCode("-".join(symbols[i : i + _GROUP] for i in range(0, len(symbols), _GROUP)))
