"""Token sign-in (`authorization: bearer`, ES256), as Apple checks it.

Source: Apple, "Establishing a token-based connection to APNs".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from app.simulators.apns_rules import Answer

LIFETIME_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A team's push key, as Apple knows it."""

    key_id: str
    team_identifier: str
    public_key: ec.EllipticCurvePublicKey
    topics: frozenset[str]  # the team's pass type identifiers


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class TokenDesk:
    """Verifies provider tokens; a token that was verified once is remembered until it expires."""

    def __init__(self, keys: tuple[ProviderKey, ...], clock: Callable[[], float]) -> None:
        """``clock`` gives UNIX seconds."""
        self._keys = {key.key_id: key for key in keys}
        self._clock = clock
        self._verified: dict[bytes, tuple[ProviderKey, float]] = {}

    def judge(self, authorization: bytes | None) -> ProviderKey | Answer:
        """The key that signed, or Apple's 403."""
        if authorization is None:
            return Answer(403, "MissingProviderToken")
        now = self._clock()
        if known := self._verified.get(authorization):
            return known[0] if known[1] > now else Answer(403, "ExpiredProviderToken")
        try:
            key, issued = self._verify(authorization.decode("ascii"))
        except (ValueError, KeyError, TypeError, InvalidSignature):
            return Answer(403, "InvalidProviderToken")
        if not now - LIFETIME_SECONDS < issued < now + LIFETIME_SECONDS:
            return Answer(403, "ExpiredProviderToken")
        self._verified[authorization] = (key, issued + LIFETIME_SECONDS)
        return key

    def _verify(self, authorization: str) -> tuple[ProviderKey, float]:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise ValueError("not a bearer token")
        head, claims, signature = token.split(".")
        header: dict[str, Any] = json.loads(_decoded(head))
        if header["alg"] != "ES256":
            raise ValueError("not ES256")
        key = self._keys[header["kid"]]
        raw = _decoded(signature)
        if len(raw) != 64:
            raise ValueError("not a P-256 signature")
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key.public_key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
        document: dict[str, Any] = json.loads(_decoded(claims))
        if document["iss"] != key.team_identifier:
            raise ValueError("another team")
        return key, float(document["iat"])
