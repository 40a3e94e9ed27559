"""What Google's identifiers look like: of issuers, classes and objects ([D] ``LoyaltyClass.id``).

The discovery document says ``issuerId.identifier``, the identifier of letters, digits, ``.``, ``_`` and
``-``; it names no greatest length, so that ours is one that no link and no address breaks at.
"""

from __future__ import annotations

import re
from typing import Final

_ISSUER: Final = re.compile(r"[0-9]{1,20}")
_RESOURCE: Final = re.compile(r"([0-9]{1,20})\.[A-Za-z0-9._-]{1,200}")


def is_issuer(text: str) -> bool:
    """Whether ``text`` can be an issuer's: an int64 in decimal digits."""
    return bool(_ISSUER.fullmatch(text)) and int(text) < 2**63


def issuer_of(resource: str) -> str | None:
    """The issuer in the identifier of a class or an object; None where it is none.

    An identifier may hold dots itself: the first one ends the issuer.
    """
    found = _RESOURCE.fullmatch(resource)
    return found[1] if found and is_issuer(found[1]) else None
