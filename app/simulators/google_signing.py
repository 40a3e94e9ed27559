"""ECv2SigningOnly: how Google signs what it tells an issuer, with root and intermediate keys of our own."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PROTOCOL = "ECv2SigningOnly"
_SENDER = "GooglePayPasses"
_WEEK = 7 * 86_400


class Signer:
    """Four root keys (the true one, an expired one, one of another protocol, one that is not listed)."""

    def __init__(self) -> None:
        self._root, self._expired, self._other, self._unlisted, self._intermediate = (
            ec.generate_private_key(ec.SECP256R1()) for _ in range(5)
        )

    def listed(self, now: float) -> dict[str, Any]:
        """What ``GET /gp/m/issuer/keys`` answers at UNIX second ``now``; the decoys come first."""
        expired, ahead = _millis(now - 86_400), _millis(now + 50 * _WEEK)
        return {
            "keys": [
                {"keyValue": _public(self._expired), "protocolVersion": PROTOCOL, "keyExpiration": expired},
                {"keyValue": _public(self._other), "protocolVersion": "ECv2", "keyExpiration": ahead},
                {"keyValue": _public(self._root), "protocolVersion": PROTOCOL, "keyExpiration": ahead},
            ]
        }

    def envelope(self, issuer: str, message: dict[str, Any], now: float, spoil: str = "") -> bytes:
        """A signed message for ``issuer``; ``spoil`` is one of :data:`~.google_faults.SPOILS`."""
        root = {
            "expired_root": self._expired,
            "other_protocol_root": self._other,
            "unknown_root": self._unlisted,
        }.get(spoil, self._root)
        if spoil == "expired_message":
            message = message | {"expTimeMillis": int(_millis(now - 1))}
        if spoil == "non_ascii":
            message = message | {"nonce": f"{message['nonce']}-кофе-☕"}
        ends = now - 1 if spoil == "expired_intermediate" else now + _WEEK
        key = {"keyValue": _public(self._intermediate), "keyExpiration": _millis(ends)}
        signed_key = _text(key).replace("=", "\\u003d")
        signed_message = _text(message)
        recipient = str(int(issuer) + 1) if spoil == "recipient" else issuer
        of_key = _sign(root, _SENDER, PROTOCOL, signed_key)
        signature = _sign(self._intermediate, _SENDER, recipient, PROTOCOL, signed_message)
        if spoil == "signature":
            signature = _sign(self._unlisted, _SENDER, recipient, PROTOCOL, signed_message)
        if spoil == "tampered":
            event = message["eventType"]
            signed_message = signed_message.replace(event, "del" if event == "save" else "save")
        said = {
            "signature": signature,
            "intermediateSigningKey": {"signedKey": signed_key, "signatures": [of_key]},
            "protocolVersion": "ECv1" if spoil == "protocol" else PROTOCOL,
            "signedMessage": signed_message,
        }
        return json.dumps(said, ensure_ascii=False).replace("=", "\\u003d").encode()


def _sign(key: ec.EllipticCurvePrivateKey, *parts: str) -> str:
    told = b"".join(len(part.encode()).to_bytes(4, "little") + part.encode() for part in parts)
    return base64.b64encode(key.sign(told, ec.ECDSA(hashes.SHA256()))).decode()


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


def _millis(seconds: float) -> str:
    return str(round(seconds * 1000))


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
