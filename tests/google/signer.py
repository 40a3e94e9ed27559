"""Callbacks as Google signs them, made by its description alone: nothing of the service is used here."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "3388000000022141777"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def spki(key: EllipticCurvePrivateKey) -> str:
    return b64(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def covered(*parts: str) -> bytes:
    return b"".join(struct.pack("<I", len(part.encode())) + part.encode() for part in parts)


def ec_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


@dataclass
class Google:
    """A signer with one root and one intermediate key. What it is told to do wrong, it does wrong."""

    root: EllipticCurvePrivateKey = field(default_factory=ec_key)
    intermediate: EllipticCurvePrivateKey = field(default_factory=ec_key)
    sender: str = "GooglePayPasses"
    protocol: str = "ECv2SigningOnly"

    def keys(self, *, protocol: str = "ECv2SigningOnly", expires: datetime | None = None) -> dict[str, str]:
        entry = {"keyValue": spki(self.root), "protocolVersion": protocol}
        return entry | ({"keyExpiration": str(millis(expires))} if expires else {})

    def document(self, *entries: Any) -> bytes:
        return json.dumps({"keys": [*entries] or [self.keys()]}).encode()

    def message(self, **changes: Any) -> str:
        said = {
            "classId": f"{ISSUER}.kofe-gold",
            "objectId": f"{ISSUER}.member-0001",
            "eventType": "save",
            "expTimeMillis": millis(NOW + timedelta(minutes=10)),
            "count": 1,
            "nonce": "5a0c3a8e-6c5c-4a9f-9b6c-0d3a3f1f2b11",
        } | changes
        return json.dumps(said, ensure_ascii=False)

    def envelope(
        self,
        message: str | None = None,
        *,
        recipient: str = ISSUER,
        key_expires: datetime = NOW + timedelta(days=7),
        **key_changes: Any,
    ) -> dict[str, Any]:
        message = self.message() if message is None else message
        signed_key = json.dumps(
            {"keyValue": spki(self.intermediate), "keyExpiration": str(millis(key_expires))} | key_changes,
            ensure_ascii=False,
        )
        by_root = self.root.sign(covered(self.sender, self.protocol, signed_key), ECDSA(SHA256()))
        by_key = self.intermediate.sign(
            covered(self.sender, recipient, self.protocol, message), ECDSA(SHA256())
        )
        return {
            "signature": b64(by_key),
            "intermediateSigningKey": {"signedKey": signed_key, "signatures": [b64(by_root)]},
            "protocolVersion": self.protocol,
            "signedMessage": message,
        }

    def callback(self, message: str | None = None, **wishes: Any) -> bytes:
        # Google escapes "=" within its strings, and so the octets on the wire are not those that are signed.
        return json.dumps(self.envelope(message, **wishes)).replace("=", "\\u003d").encode()
