"""The link that saves a card: a skinny JWT that names objects which are inserted already.

Sources: ``developers.google.com/wallet/reference/rest/v1/Jwt`` (claims), ``…/retail/loyalty-cards/web``
(address), ``…/retail/gift-cards/web`` (1,800 characters are safe in every browser). No ``origins``: those are
for the JavaScript button, and a link that is sent by mail or text has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import jwt

from app.errors import PerkpassError
from app.google.credentials import ServiceAccount
from app.google.identifiers import issuer_of

URL: Final = "https://pay.google.com/gp/v/save"
_LONGEST: Final = 1800


class LinkTooLong(PerkpassError):
    """A link that browsers may cut off."""


def sign(account: ServiceAccount, object_ids: Sequence[str], *, now: datetime) -> str:
    """The JWT that saves these loyalty objects. ``now`` is aware. Needs no network.

    Raises ValueError for what is no object's identifier.
    """
    if not object_ids or not all(issuer_of(one) for one in object_ids):
        raise ValueError(f"not identifiers of objects: {object_ids!r}")
    claims = {
        "iss": account.email,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(now.timestamp()),
        "payload": {"loyaltyObjects": [{"id": one} for one in object_ids]},
    }
    return jwt.encode(claims, account.private_key, algorithm="RS256", headers={"kid": account.key_id})


def save_link(account: ServiceAccount, object_ids: Sequence[str], *, now: datetime, url: str = URL) -> str:
    """The whole link, under 1,800 characters; raises :class:`LinkTooLong`, and ValueError as :func:`sign`."""
    link = f"{url.rstrip('/')}/{sign(account, object_ids, now=now)}"
    if len(link) >= _LONGEST:
        raise LinkTooLong(
            f"a save link of {len(link)} characters for {len(object_ids)} cards: {_LONGEST - 1} are safe"
        )
    return link
