"""A till's call acts once: its first answer is kept and given again to the same key.

The key is claimed by an insert in the transaction that acts, so a duplicate that arrives meanwhile waits
for it (on PostgreSQL at the unique index, on SQLite at the writer's lock) and then gets its answer. A
refusal changes nothing and is not kept: the transaction is rolled back with its claim, so a till may correct
the body and try again under the same key, and the same body may succeed later (the guest has points now).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.db import Tx
from app.db.identifiers import VenueId
from app.errors import BadInput
from app.loyalty import store_calls as store

LONGEST_KEY = 64
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the till is told; ``document`` is JSON."""

    status: int
    document: dict[str, Any]
    repeated: bool = False


def fingerprint(operation: str, body: object) -> str:
    """What makes two calls the same: the operation and its words, in any order and spacing."""
    canonical = json.dumps([operation, body], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def checked_key(key: str | None) -> str:
    """The Idempotency-Key; raises :class:`BadInput` where it is missing or malformed."""
    if not key:
        raise BadInput(
            "idempotency-key-missing",
            "Send an Idempotency-Key header: one new key for each new act, the same key to repeat it.",
            field="Idempotency-Key",
        )
    if len(key) > LONGEST_KEY or not all("!" <= character <= "~" for character in key):
        raise BadInput(
            "idempotency-key-malformed",
            f"An Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters without spaces.",
            field="Idempotency-Key",
        )
    return key


def once(
    tx: Tx, *, venue_id: VenueId, key: str, fingerprint: str, now: datetime, act: Callable[[], Answer]
) -> Answer:
    """``act``'s answer, or the one that the first call with this key got; nothing is done twice.

    Raises :class:`BadInput` for another call under the same key, and what ``act`` raises: then the caller
    must roll back.
    """
    key = checked_key(key)
    if store.begin(tx, venue_id=venue_id, key=key, fingerprint=fingerprint, now=now):
        answer = act()
        store.answer(tx, venue_id=venue_id, key=key, status=answer.status, document=answer.document)
        return answer
    first = store.call(tx, venue_id=venue_id, key=key)
    if first is None or first.fingerprint != fingerprint:
        raise BadInput(
            "idempotency-key-reused",
            "This Idempotency-Key belongs to another call of this venue. Use a new one for a new act.",
            field="Idempotency-Key",
        )
    return Answer(first.status, first.answer, repeated=True)


def purge_calls(tx: Tx, *, now: datetime, limit: int = 1000) -> int:
    """Forget calls older than 30 days; returns how many, 0 when done."""
    return store.purge(tx, before=now - KEPT_FOR, limit=limit)
