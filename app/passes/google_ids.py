"""Identifiers of classes and objects: ``ISSUER.`` and a suffix of ``[A-Za-z0-9._-]``.

Google never deletes either, so a name says what it is for and is never used for anything else. Source: the
discovery document, ``LoyaltyClass.id`` and ``LoyaltyObject.id``; the length is not documented, so ours are
short.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

from app.db.identifiers import GoogleIssuerId, ProgrammeId, SerialNumber
from app.passes.content import LocalizedText

FAMILY: Final = "card"
"""The one design family of a programme: all its versions share their classes."""

OVER: Final = "over"
"""In the place of a tier: the class of a programme's tombstones. What is said to a class reaches everybody
who holds a card of it, and whose card ended is told nothing more. No tier has such a key."""

_SUFFIX: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ISSUER: Final = re.compile(r"\d{1,20}")
_OTHERS: Final = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME: Final = 24


def is_issuer(issuer_id: str) -> bool:
    """Whether it looks like an issuer's number (int64, written as a string)."""
    return _ISSUER.fullmatch(issuer_id) is not None


def tier_key(tier: LocalizedText | None) -> str:
    """What a tier is called within a class's name: readable, and unlike any other tier's; "" for none."""
    if tier is None:
        return ""
    readable = _OTHERS.sub("-", tier.en.lower()).strip("-")[:_LONGEST_NAME].strip("-")
    mark = hashlib.blake2b(f"{tier.ru}\0{tier.en}".encode(), digest_size=4).hexdigest()
    return f"{readable}-{mark}" if readable else mark


def class_id(issuer_id: GoogleIssuerId, programme_id: ProgrammeId, tier: str, *, family: str = FAMILY) -> str:
    """``3388….p12.card.gold-1f2e3d4c``: the class of a programme's cards, of one tier where it has tiers."""
    return ".".join(part for part in (issuer_id, f"p{programme_id}", family, tier) if part)


def object_id(issuer_id: GoogleIssuerId, serial_number: SerialNumber) -> str:
    """Named like the pass, or by chance where a serial number that was imported has other characters."""
    fits = _SUFFIX.fullmatch(serial_number)
    return f"{issuer_id}.{serial_number if fits else secrets.token_urlsafe(16)}"
