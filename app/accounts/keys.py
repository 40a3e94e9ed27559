"""Point-of-sale keys: how a till says which venue it stands in.

A secret is ``ppk_`` and 256 random bits. It is shown once and kept as its SHA-256: a slow password hash
would add nothing, since there is nothing to guess, and would cost every receipt its time.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.accounts import audit, checks
from app.accounts import store_keys as store
from app.accounts.store_brands import brand_of_venue, is_venue_closed
from app.db import Tx
from app.db.identifiers import BrandId, PointOfSaleKeyId, VenueId
from app.errors import BadInput, Conflict, NotFound

PREFIX = "ppk_"
_SECRET_BYTES = 32
_LONGEST_SECRET = 100
_USE_IS_NOTED_EVERY = timedelta(minutes=1)
LONGEST_OVERLAP = timedelta(days=90)
REVOCATION_MAY_BE_TAKEN_BACK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointOfSaleKey:
    """A key as it is kept, without its secret."""

    id: PointOfSaleKeyId
    brand_id: BrandId
    venue_id: VenueId
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    def works(self, now: datetime) -> bool:
        """Whether a till may still use it."""
        return self.expires_at is None or self.expires_at > now

    def use_is_due(self, now: datetime) -> bool:
        """Whether a use at ``now`` would be noted: the last one noted is a minute old."""
        return self.last_used_at is None or self.last_used_at <= now - _USE_IS_NOTED_EVERY


def create_key(
    tx: Tx, *, brand_id: BrandId, venue_id: VenueId, name: str, now: datetime, actor: str
) -> tuple[PointOfSaleKey, str]:
    """Make a key for the tills of a venue; returns it and its secret, which cannot be had again.

    Raises BadInput for a venue of another brand, Conflict where it is closed or has a key of that name.
    """
    name = checks.name(name)
    if brand_of_venue(tx, venue_id) != brand_id:
        raise BadInput("other-brand", "The venue is not one of this brand", field="venue_id")
    if is_venue_closed(tx, venue_id):
        raise Conflict("venue-closed", "The venue is closed: no new keys")
    key, secret = _insert(tx, brand_id=brand_id, venue_id=venue_id, name=name, now=now)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=brand_id,
        action="key.created",
        subject=f"key {key.id}",
        detail={"name": name, "venue": venue_id},
    )
    return key, secret


def rotate_key(
    tx: Tx, key_id: PointOfSaleKeyId, *, overlap: timedelta, now: datetime, actor: str
) -> tuple[PointOfSaleKey, str]:
    """Make the successor of a key; the old one works on for ``overlap``, so that no till stands still.

    Returns the new key and its secret. Raises BadInput for an overlap out of 0…90 days, Conflict for a key
    that was rotated or revoked before, NotFound.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise BadInput(
            "bad-overlap", f"The overlap must be between 0 and {LONGEST_OVERLAP.days} days", field="overlap"
        )
    old = key(tx, key_id)
    # One statement decides: of two rotations at once the second finds nothing to end.
    if not store.end(tx, key_id, at=now + overlap, only_if_endless=True):
        raise Conflict(
            "key-rotated", f"Key {key_id} was rotated or revoked before: rotate the one that followed it"
        )
    new, secret = _insert(tx, brand_id=old.brand_id, venue_id=old.venue_id, name=old.name, now=now)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=old.brand_id,
        action="key.rotated",
        subject=f"key {old.id}",
        detail={"new_key": new.id, "old_key_works_until": (now + overlap).isoformat()},
    )
    return new, secret


def revoke_key(tx: Tx, key_id: PointOfSaleKeyId, *, now: datetime, actor: str) -> PointOfSaleKey:
    """End a key at once; revoking one that has ended changes nothing. Raises NotFound."""
    old = key(tx, key_id)
    if not old.works(now):
        return old
    store.end(tx, key_id, at=now, only_if_endless=False)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=old.brand_id,
        action="key.revoked",
        subject=f"key {old.id}",
        detail={"name": old.name},
    )
    return key(tx, key_id)


def restore_key(tx: Tx, key_id: PointOfSaleKeyId, *, now: datetime, actor: str) -> PointOfSaleKey:
    """Take back a revocation of the last :data:`REVOCATION_MAY_BE_TAKEN_BACK`; a working key stays as it is.

    A key that ended longer ago stays ended: whoever has its secret by now is not known. Raises Conflict for
    such a one, for a closed venue and where the venue has another key of that name by now; NotFound.
    """
    old = key(tx, key_id)
    if old.expires_at is None or old.works(now):
        return old
    if old.expires_at < now - REVOCATION_MAY_BE_TAKEN_BACK:
        raise Conflict("key-ended", f"Key {key_id} ended too long ago to be taken back: make a new one")
    if is_venue_closed(tx, old.venue_id):
        raise Conflict("venue-closed", "The venue is closed: its keys stay ended")
    if store.living_name(tx, old.venue_id, old.name) is not None:
        raise Conflict("key-name-taken", f"The venue has another key {old.name!r} by now")
    store.restore(tx, key_id)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=old.brand_id,
        action="key.restored",
        subject=f"key {old.id}",
        detail={"name": old.name},
    )
    return key(tx, key_id)


def authenticate(tx: Tx, secret: str, *, now: datetime) -> PointOfSaleKey | None:
    """The key whose secret this is, or None where there is none or its time is over.

    Looked up by hash over a unique index: how long that takes tells nothing about any secret. Only reads, so
    that whoever makes keys up waits for no lock and holds none; a use is noted by :func:`note_use`.
    """
    if not secret.startswith(PREFIX) or len(secret) > _LONGEST_SECRET:
        return None
    row = store.key_by_hash(tx, _hash(secret))
    return _key(row) if row and _key(row).works(now) else None


def note_use(tx: Tx, used: PointOfSaleKey, *, now: datetime) -> None:
    """Remember that the key was used, at most once a minute; see :meth:`PointOfSaleKey.use_is_due`."""
    store.note_use(tx, used.id, now=now, unless_since=now - _USE_IS_NOTED_EVERY)


def key(tx: Tx, key_id: PointOfSaleKeyId) -> PointOfSaleKey:
    """The key; raises NotFound."""
    if row := store.key(tx, key_id):
        return _key(row)
    raise NotFound("no-such-key", f"There is no key number {key_id}. See: perkpass key list")


def keys_of_brand(tx: Tx, brand_id: BrandId) -> list[PointOfSaleKey]:
    """Every key of the brand, by venue, oldest first; ended ones too."""
    return [_key(row) for row in store.keys_of_brand(tx, brand_id)]


def _insert(
    tx: Tx, *, brand_id: BrandId, venue_id: VenueId, name: str, now: datetime
) -> tuple[PointOfSaleKey, str]:
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    row = store.insert_key(
        tx, brand_id=brand_id, venue_id=venue_id, name=name, secret_hash=_hash(secret), now=now
    )
    if row is None:
        raise Conflict(
            "key-name-taken", f"The venue has a key {name!r} already: rotate it, or choose another name"
        )
    return _key(row), secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: store.KeyRow) -> PointOfSaleKey:
    return PointOfSaleKey(
        id=PointOfSaleKeyId(row.id),
        brand_id=BrandId(row.brand_id),
        venue_id=VenueId(row.venue_id),
        name=row.name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
