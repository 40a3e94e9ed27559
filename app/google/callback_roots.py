"""Google's root keys: the document that lists them, as keys that may sign.

``https://pay.google.com/gp/m/issuer/keys`` answers ``{"keys": […]}``, each with ``keyValue``,
``protocolVersion`` and perhaps ``keyExpiration``: the same keys serve tests and production, and keys of other
protocols stand beside ours.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

PROTOCOL: Final = "ECv2SigningOnly"
_MOST: Final = 16
"""Keys that are looked at: a forged callback costs us a verification each."""


@dataclass(frozen=True, slots=True)
class RootKey:
    """A key of Google's; ``expires_at`` in milliseconds since 1970, None where it says nothing."""

    key: EllipticCurvePublicKey
    expires_at: int | None


def parse(content: bytes) -> tuple[RootKey, ...]:
    """The keys of our protocol in the document; what cannot be understood is left out. Raises nothing."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return ()
    listed = document.get("keys") if isinstance(document, dict) else None
    found = [
        _root(entry)
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, dict) and entry.get("protocolVersion") == PROTOCOL
    ]
    return tuple(root for root in found if root)[:_MOST]


def public_key(encoded: object) -> EllipticCurvePublicKey | None:
    """A P-256 key of base64 SubjectPublicKeyInfo; None where it is none."""
    octets = octets_of(encoded)
    if octets is None:
        return None
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1) else None


def octets_of(encoded: object) -> bytes | None:
    """Standard base64 of at most 1,000 characters; None where it is none."""
    if not isinstance(encoded, str) or len(encoded) > 1000:
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:  # also where it is not ASCII
        return None


def milliseconds(value: object) -> int | None:
    """Milliseconds since 1970, from a number or from digits: Google writes both; None of anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15:
        return value
    return None


def _root(entry: Mapping[str, Any]) -> RootKey | None:
    key = public_key(entry.get("keyValue"))
    expires_at = milliseconds(entry["keyExpiration"]) if "keyExpiration" in entry else None
    if key is None or (expires_at is None and "keyExpiration" in entry):
        return None
    return RootKey(key, expires_at)
