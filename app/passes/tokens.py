"""The authentication token of a pass: derived, never stored, never changed while the pass lives.

Apple, "Adding a Web Service to Update Passes": at least 16 characters, and the token of an installed pass
cannot be replaced by an update. Hence a function of things that do not change.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode

from app.db.identifiers import PassTypeIdentifier, SerialNumber

_PURPOSE = b"perkpass authentication token 1"


def authentication_token(
    pass_key: bytes, pass_type_identifier: PassTypeIdentifier, serial_number: SerialNumber, key_version: int
) -> str:
    """43 characters of ``[A-Za-z0-9_-]``: HMAC-SHA256 under ``pass_key``.

    Every part goes in with its length before it, so that no two identities share a token by joining alike.
    """
    message = b"".join(
        len(part).to_bytes(4, "big") + part
        for part in (
            _PURPOSE,
            pass_type_identifier.encode(),
            serial_number.encode(),
            str(key_version).encode(),
        )
    )
    return urlsafe_b64encode(hmac.digest(pass_key, message, hashlib.sha256)).rstrip(b"=").decode()


def matches(
    given: str,
    pass_key: bytes,
    pass_type_identifier: PassTypeIdentifier,
    serial_number: SerialNumber,
    key_version: int,
) -> bool:
    """Whether ``given`` is the token of this pass; takes the same time wherever it differs."""
    expected = authentication_token(pass_key, pass_type_identifier, serial_number, key_version)
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
