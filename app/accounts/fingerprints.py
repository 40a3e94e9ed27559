"""Fingerprints of the installation's keys: a database knows which keys its cards were made with.

A lost key that were silently replaced would orphan every card while everything seems well.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from app.accounts import store_fingerprints as store
from app.db import Tx

_LABEL = b"perkpass key fingerprint 1"


def fingerprint(key: bytes) -> str:
    """64 hexadecimal digits (HMAC-SHA256 of a constant): equal for equal keys, and no way back to them."""
    return hmac.new(key, _LABEL, hashlib.sha256).hexdigest()


def known(tx: Tx) -> dict[str, str]:
    """Fingerprint by the name of the key; empty in a fresh installation."""
    return store.fingerprints(tx)


def remember(tx: Tx, name: str, key: bytes, *, now: datetime) -> None:
    """Note the key that this database is used with from now on; the first one that is noted stays."""
    store.add_fingerprint(tx, name=name, fingerprint=fingerprint(key), created_at=now)
