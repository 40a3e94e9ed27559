"""Whether a callback is Google's, and what it says: ECv2SigningOnly, on keys and a clock that are passed in.

Source: ``developers.google.com/wallet/…/use-callbacks-for-saves-and-deletions`` and the construction that
holds for genuine callbacks: a root key signs an intermediate one, which signs the message; each signature
covers its parts with their lengths in octets (not in characters) before them. The recipient is the bare
issuer id.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeGuard

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from app.errors import PerkpassError
from app.google.callback_roots import PROTOCOL, RootKey, milliseconds, octets_of, public_key
from app.google.identifiers import issuer_of

_SENDER: Final = "GooglePayPasses"
LARGEST: Final = 64 * 1024
"""Octets of a callback that are read at all; a genuine one has about one thousand."""
_MOST_SIGNATURES: Final = 4
_LONGEST_NONCE: Final = 200


class Event(StrEnum):
    """What a guest did."""

    SAVE = "save"
    DELETE = "del"


class Fault(StrEnum):
    """Why a callback is refused: for logs and metrics."""

    MALFORMED = "malformed"
    PROTOCOL = "protocol"
    OTHER_ISSUER = "other-issuer"
    NO_KEYS = "no-keys"  # ours, not the caller's: let it come again
    INTERMEDIATE = "intermediate"  # no root key signed it
    INTERMEDIATE_EXPIRED = "intermediate-expired"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    UNKNOWN_EVENT = "unknown-event"  # Google's own word, which we do not know: it need not come again


class CallbackRefused(PerkpassError):
    """A callback that nothing may follow from."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A callback of Google's. It names no guest and no device; Google may send it more than once."""

    event: Event
    issuer_id: str
    class_id: str
    object_id: str
    nonce: str
    expires_at_ms: int  # until then a nonce that was seen must be remembered


def verify(body: bytes, *, roots: Sequence[RootKey], issuers: Collection[str], now: datetime) -> Callback:
    """What ``body`` says, where Google signed it for one of ``issuers``; ``now`` is aware.

    Raises :class:`CallbackRefused`, and nothing else, whatever the body is.
    """
    envelope = _object(body) if len(body) <= LARGEST else None
    intermediate = (envelope or {}).get("intermediateSigningKey")
    if envelope is None or not isinstance(intermediate, dict):
        raise CallbackRefused(Fault.MALFORMED)
    if envelope.get("protocolVersion") != PROTOCOL:
        raise CallbackRefused(Fault.PROTOCOL)
    signed_key, signed_message = (
        _octets(intermediate.get("signedKey")),
        _octets(envelope.get("signedMessage")),
    )
    key_parts, message = _object(signed_key), _object(signed_message)
    signatures = intermediate.get("signatures")
    if signed_key is None or signed_message is None or key_parts is None or message is None:
        raise CallbackRefused(Fault.MALFORMED)
    if not isinstance(signatures, list) or not 0 < len(signatures) <= _MOST_SIGNATURES:
        raise CallbackRefused(Fault.MALFORMED)
    # Read before it is verified, to know whom it is for: the signature below must name that very issuer.
    callback_issuer = _issuer(message)
    if callback_issuer not in issuers:
        raise CallbackRefused(Fault.OTHER_ISSUER)
    milli_now = int(now.timestamp() * 1000)
    living = [root for root in roots if root.expires_at is None or root.expires_at > milli_now]
    if not living:
        raise CallbackRefused(Fault.NO_KEYS)
    covered = _covered(_SENDER.encode(), PROTOCOL.encode(), signed_key)
    if not any(_signed(root.key, one, covered) for root in living for one in signatures):
        raise CallbackRefused(Fault.INTERMEDIATE)
    key, key_ends = public_key(key_parts.get("keyValue")), milliseconds(key_parts.get("keyExpiration"))
    if key is None or key_ends is None:
        raise CallbackRefused(Fault.MALFORMED)
    if key_ends <= milli_now:
        raise CallbackRefused(Fault.INTERMEDIATE_EXPIRED)
    covered = _covered(_SENDER.encode(), callback_issuer.encode(), PROTOCOL.encode(), signed_message)
    if not _signed(key, envelope.get("signature"), covered):
        raise CallbackRefused(Fault.SIGNATURE)
    return _read(message, callback_issuer, milli_now)


def _read(message: Mapping[str, Any], issuer: str, milli_now: int) -> Callback:
    expires_at, nonce = milliseconds(message.get("expTimeMillis")), message.get("nonce")
    event = message.get("eventType")
    if expires_at is None or not _is_nonce(nonce):
        raise CallbackRefused(Fault.MALFORMED)
    if expires_at <= milli_now:
        raise CallbackRefused(Fault.EXPIRED)
    if not isinstance(event, str) or event not in set(Event):
        raise CallbackRefused(Fault.UNKNOWN_EVENT)
    return Callback(
        event=Event(event),
        issuer_id=issuer,
        class_id=message["classId"],
        object_id=message["objectId"],
        nonce=nonce,
        expires_at_ms=expires_at,
    )


def _is_nonce(value: object) -> TypeGuard[str]:
    """Whether every database takes it: printable, and so without NUL and without half of a surrogate pair."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NONCE and value.isprintable()


def _issuer(message: Mapping[str, Any]) -> str:
    """Whose class and object it names; both are one issuer's."""
    class_id, object_id = message.get("classId"), message.get("objectId")
    if not isinstance(class_id, str) or not isinstance(object_id, str):
        raise CallbackRefused(Fault.MALFORMED)
    issuer = issuer_of(class_id)
    if issuer is None or issuer != issuer_of(object_id):
        raise CallbackRefused(Fault.MALFORMED)
    return issuer


def _covered(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "little") + part for part in parts)


def _signed(key: EllipticCurvePublicKey, signature: object, covered: bytes) -> bool:
    octets = octets_of(signature)
    if octets is None:
        return False
    try:
        key.verify(octets, covered, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _octets(text: object) -> bytes | None:
    """The very octets that were signed; None where it is no text, or holds half of a surrogate pair."""
    if not isinstance(text, str):
        return None
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def _object(text: bytes | None) -> dict[str, Any] | None:
    try:
        document = json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
