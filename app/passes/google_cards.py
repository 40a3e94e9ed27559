"""Cards at Google: which pass shall have one, whether its link works, who holds it, what callbacks say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from app.db import Tx
from app.db.identifiers import BrandId, GoogleIssuerId, GoogleObjectId, WalletPassId
from app.delivery import google
from app.delivery.google import LastChange
from app.delivery.google_promises import GooglePromise
from app.errors import Conflict, NotFound
from app.passes import google_ids, store_designs, store_google, store_google_public, store_passes
from app.passes.google_layout import parse
from app.passes.store_google import ObjectRow

NONCES_KEPT: Final = timedelta(days=30)
"""A callback that Google repeats later would be heard again; they expire long before."""

REREAD_AFTER: Final = (timedelta(minutes=10), timedelta(hours=2), timedelta(days=1), timedelta(days=7))
"""So long after an object was made it is asked who holds it, whatever callbacks said."""

_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleCard:
    """A pass's card at Google, as pages and reports need it."""

    object_id: GoogleObjectId
    resource_id: str  # what the save link names
    issuer_id: GoogleIssuerId
    link_works: bool  # Google has the object: the link may be shown
    failed: str | None  # why Google does not take it, where that is final; in its own words
    has_users: bool | None  # as Google last said
    first_saved_at: datetime | None
    removed_at: datetime | None
    last: LastChange | None

    @property
    def is_held(self) -> bool:
        """Whether somebody has it in a wallet, as far as we have heard."""
        return self.first_saved_at is not None and self.removed_at is None

    @property
    def is_begun(self) -> bool:
        """Whether its link does not work yet, and nothing speaks against its working in a moment."""
        under_way = self.last is not None and self.last.state in ("pending", "sending")
        return not self.link_works and under_way and self.last is not None and self.last.reason is None


@dataclass(frozen=True, slots=True)
class HolderChange:
    """Somebody holds a card now, or nobody does any more."""

    pass_id: WalletPassId
    change: Literal["added", "removed"]
    first: bool  # added for the first time


def ensure(
    tx: Tx, pass_id: WalletPassId, *, brand_id: BrandId, issuer_id: GoogleIssuerId, now: datetime
) -> GoogleCard:
    """Have the pass at Google: its object is promised, and inserted by the worker at once.

    Call it before the link is shown, ring the worker's bell after the commit, and show the link once it
    works. Asked again it changes nothing, but for an object that Google refused: that is tried anew. Raises
    NotFound; Conflict for a tombstone ("card-is-over"), a card of a draft ("test-card"), and a design that
    has no google.toml ("no-google-design").
    """
    found = store_passes.lock(
        tx, [pass_id]
    )  # a change of the pass either sees the object, or comes before it
    if not found:
        raise NotFound("no-such-pass", "There is no such pass.")
    if found[0].voided_at is not None:
        raise Conflict("card-is-over", "This card is void: it is in no wallet any more.")
    known = store_google.object_of_pass(tx, pass_id)
    if known is None:
        design = store_designs.by_id(tx, found[0].design_id)
        if design is None or design.version == 0:
            raise Conflict("test-card", "A test card shows a draft: Google keeps every card for ever.")
        if design.layout.google is None or parse(design.layout.google)[0] is None:
            raise Conflict("no-google-design", "This design has no google.toml: publish one that has.")
        resource_id = google_ids.object_id(issuer_id, found[0].serial_number)
        store_google.add_object(
            tx, pass_id=pass_id, brand_id=brand_id, issuer_id=issuer_id, resource_id=resource_id, now=now
        )
        known = store_google.object_of_pass(tx, pass_id)
    if known is None:
        raise NotFound("no-such-card", "There is no such card at Google.")
    if known.inserted_at is None:
        _promise(tx, [known], now=now, kind="receipt")  # somebody waits with the phone in hand
    return _card(tx, known)


def card(tx: Tx, pass_id: WalletPassId) -> GoogleCard | None:
    """The pass's card at Google, where it has one."""
    known = store_google.object_of_pass(tx, pass_id)
    return _card(tx, known) if known else None


def image(tx: Tx, digest: str) -> bytes | None:
    """The PNG at ``/google/images/{digest}.png``: it never changes, whoever asks may keep it for ever."""
    return store_google_public.image(tx, digest)


def hear(
    tx: Tx, resource_id: str, event: Literal["save", "del"], *, nonce: str, now: datetime
) -> HolderChange | None:
    """Take in a callback that was verified; None where it says nothing new.

    A nonce counts once. Callbacks may come late and in any order, and one holder's deletion leaves others, so
    that every one also has the object read: that is what counts in the end. A save is believed before, so
    that the guest's page may say so at once, unless the card was removed: it may be an older one.
    """
    if not store_google_public.take_nonce(tx, nonce, now=now):
        return None
    known = store_google.object_named(tx, resource_id)
    if known is None:
        return None
    heard = replace(known, unread_since=now, inserted_at=known.inserted_at or now)
    change = None
    if event == "save" and known.removed_at is None:
        heard, change = with_holders(heard, has_users=True, now=now)
    store_google.write_objects(tx, [heard])
    _promise(tx, [known], now=now)
    return change


def reread(
    tx: Tx, *, after: GoogleObjectId, now: datetime, every: timedelta, limit: int = 200
) -> GoogleObjectId | None:
    """Have objects read some times after they were made: a callback of theirs may have been lost.

    Call it once in ``every`` with an ``after`` of 0, and on with what it returns until that is None.
    """
    ends = [now - age for age in REREAD_AFTER]
    found = store_google.inserted_between(tx, [(end - every, end) for end in ends], after=after, limit=limit)
    rows = store_google.lock_objects(tx, found)
    unread = [replace(one, unread_since=now) for one in rows.values() if one.unread_since is None]
    store_google.write_objects(tx, unread)
    _promise(tx, unread, now=now)
    return found[-1] if len(found) == limit else None


def with_holders(row: ObjectRow, *, has_users: bool, now: datetime) -> tuple[ObjectRow, HolderChange | None]:
    """The object after it is known whether anybody holds it, and what that changes. Pure."""
    known = replace(row, has_users=has_users)
    if has_users and (row.first_saved_at is None or row.removed_at is not None):
        first = row.first_saved_at is None
        saved = replace(known, first_saved_at=row.first_saved_at or now, removed_at=None)
        return saved, HolderChange(row.pass_id, "added", first)
    if not has_users and row.first_saved_at is not None and row.removed_at is None:
        return replace(known, removed_at=now), HolderChange(row.pass_id, "removed", first=False)
    return known, None


def look_at_all_again(tx: Tx, *, now: datetime) -> int:
    """After a restore: what Google has may be newer than what we know. Every object is read and put right.

    Returns how many there are.
    """
    found = store_google.doubt_everything(tx, now=now)
    promises = [
        GooglePromise(brand_id=brand, target=one, kind="silent", due_at=now)
        for brand, ids in found.items()
        for one in ids
    ]
    for start in range(0, len(promises), _AT_ONCE):
        google.promise(tx, promises[start : start + _AT_ONCE], now=now)
    return len(promises)


def forget_callbacks(tx: Tx, *, now: datetime) -> int:
    """Forget nonces that no callback comes with any more; returns how many."""
    return store_google_public.forget_nonces(tx, before=now - NONCES_KEPT)


def _promise(
    tx: Tx, rows: Sequence[ObjectRow], *, now: datetime, kind: Literal["receipt", "silent"] = "silent"
) -> None:
    promises = [GooglePromise(brand_id=one.brand_id, target=one.id, kind=kind, due_at=now) for one in rows]
    google.promise(tx, promises, now=now)


def _card(tx: Tx, row: ObjectRow) -> GoogleCard:
    last = google.last_changes(tx, [row.id]).get(row.id)
    failed = last.reason if last and last.shown == "failed" and row.inserted_at is None else None
    return GoogleCard(
        object_id=row.id,
        resource_id=row.resource_id,
        issuer_id=row.issuer_id,
        link_works=row.inserted_at is not None,
        failed=failed,
        has_users=row.has_users,
        first_saved_at=row.first_saved_at,
        removed_at=row.removed_at,
        last=last,
    )
