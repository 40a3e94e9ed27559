"""What Google has to be asked so that an object, or a class, becomes what it should be. Pure.

One plan is at most a patch and a message: what an answer makes necessary beyond that (an insert after a 404,
a patch after a 409, a message after a look whether it is there) is the next plan, of the next claim, so that
every request has its own departure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from app.db.identifiers import DeliveryId, GoogleBroadcastId, GoogleClassId
from app.delivery import google_quota
from app.delivery.google_promises import HELD_BY_QUOTA, NO_HOLDER, NOTIFIED, SILENT, UNCHANGED, ClaimedGoogle
from app.delivery.google_quota import Entry, How
from app.google import calls
from app.google.calls import Call
from app.passes import google_patches
from app.passes.content import PassContent
from app.passes.google_class import CLASS_FIELDS, REVIEW, GoogleDesign
from app.passes.google_object import BALANCES, MOST_MESSAGES, OBJECT_FIELDS, message_body, message_id
from app.passes.store_google import ClassRow, ObjectRow
from app.passes.store_google_broadcasts import BroadcastRow

Step = Literal["read", "insert", "patch", "message", "nothing"]
_TOLD: Final = ("receipt", "level", "campaign")
MOST_KEPT: Final = 5
"""Of a class's messages, where there is room for no more: as many as a card keeps."""
_NOTIFY: Final = "NOTIFY_ON_UPDATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked for one promise, and what Google has once it was taken."""

    step: Step
    first: Call | None = None
    message: Call | None = None  # after the first, where somebody holds the card
    fields: tuple[str, ...] = ()  # of a patch
    sent: Mapping[str, str] | None = None
    messages: tuple[str, ...] = ()  # on the object, before the message
    message_id: str | None = None  # of the newest: of the message, or of one that goes along silently
    class_id: GoogleClassId | None = None
    how: How | None = None  # how the holder is notified
    held: How | None = None  # how they would have been, but for the quota
    doubted: str | None = None  # a message that may be on the object: it is read for that
    doubted_at: datetime | None = None
    done: str = UNCHANGED  # the reason where nothing need be asked
    broadcast: BroadcastRow | None = None  # said to the whole class
    kept: tuple[GoogleBroadcastId, ...] | None = (
        None  # of the class's older messages, where there are too many
    )

    @property
    def requests(self) -> int:
        """How many departures it takes."""
        return (self.first is not None) + (self.message is not None)

    def reason(self, *, has_users: bool | None, notified: bool) -> str:
        """What is told of it once Google took all of it."""
        if has_users is False:
            return NO_HOLDER
        if notified:
            return NOTIFIED
        return HELD_BY_QUOTA if self.held else SILENT


def plan_class(row: ClassRow, body: Mapping[str, Any]) -> Plan:
    """Insert a class that Google does not have, patch one that differs: on real changes alone."""
    sent = google_patches.digests(body)
    if row.accepted_at is None:
        return Plan(step="insert", first=calls.insert_class(body), sent=sent, class_id=row.id)
    patch = google_patches.patch(body, row.sent, CLASS_FIELDS)
    if not patch:
        return Plan(step="nothing", class_id=row.id)
    call = calls.patch_class(row.resource_id, patch | {"reviewStatus": REVIEW})
    return Plan(step="patch", first=call, fields=tuple(patch), sent=sent, class_id=row.id)


def plan_broadcast(
    row: BroadcastRow,
    of_class: ClassRow,
    message: Mapping[str, Any],
    older: Sequence[tuple[GoogleBroadcastId, Mapping[str, Any]]],
    *,
    held: bool,
) -> Plan:
    """Look for it on the class where it may be there, else say it; ``older`` are there, newest first."""
    if row.doubted_at is not None:
        return Plan(
            step="read",
            first=calls.get_class(of_class.resource_id),
            doubted=str(message["id"]),
            doubted_at=row.doubted_at,
            class_id=of_class.id,
            broadcast=row,
            done=NOTIFIED if held else NO_HOLDER,
        )
    kept = list(reversed(older[:MOST_KEPT])) if len(older) >= MOST_MESSAGES else None
    prune = {"messages": [body for _, body in kept or ()], "reviewStatus": REVIEW}
    return Plan(
        step="message",
        first=calls.patch_class(of_class.resource_id, prune) if kept is not None else None,
        message=calls.message_class(of_class.resource_id, message),
        class_id=of_class.id,
        how="message" if held else None,
        broadcast=row,
        done=NOTIFIED if held else NO_HOLDER,
        kept=None if kept is None else tuple(one for one, _ in kept),
    )


def plan_object(
    claimed: ClaimedGoogle,
    row: ObjectRow,
    content: PassContent,
    body: Mapping[str, Any],
    *,
    design: GoogleDesign,
    class_id: GoogleClassId,
    ledger: Mapping[DeliveryId, Entry],
    now: datetime,
) -> Plan:
    """Read it where something is in doubt, else insert or patch it, and say what is new to its holder.

    ``ledger``: what it was notified of in the last 24 hours. A message that nobody is notified of goes along
    with the patch: that can be repeated, an ``addMessage`` cannot.
    """
    sent = google_patches.digests(body)
    said = {message_id(each): each for each in content.messages}
    ids = tuple(said)

    def silently(chosen: Sequence[str]) -> list[dict[str, Any]]:
        """Oldest first, as they would have been added."""
        return [message_body(design, said[one], content.language, notify=False) for one in reversed(chosen)]

    if row.inserted_at is None:
        whole = dict(body) | ({"messages": silently(ids)} if ids else {})
        return Plan(
            step="insert",
            first=calls.insert_object(whole),
            sent=sent,
            messages=ids,
            message_id=ids[0] if ids else None,
            class_id=class_id,
        )
    if row.doubted_message is not None or row.unread_since is not None:
        return Plan(
            step="read",
            first=calls.get_object(row.resource_id),
            doubted=row.doubted_message,
            doubted_at=row.doubted_at,
        )
    patch = google_patches.patch(body, row.sent, OBJECT_FIELDS)
    how = _what_is_new(claimed, row, ids, patch)
    own = ledger.get(claimed.id)
    others = [
        entry for delivery, entry in ledger.items() if delivery != claimed.id or entry.outcome == "quota"
    ]
    allowed = how if google_quota.room(others, now=now) else None
    adding = ids[0] if allowed == "message" else None
    placed = ids[1:] if adding else ids
    have = None if row.messages is None else tuple(row.messages)
    if _must_place(have, placed, adding, empty=not ids):
        patch["messages"] = silently(placed) or None
        have = placed
    if allowed == "field":
        patch["notifyPreference"] = _NOTIFY
    if not patch and adding is None:
        notified = own is not None and own.outcome == "notified"
        return Plan(step="nothing", done=NOTIFIED if notified else UNCHANGED)
    return Plan(
        step="patch" if patch else "message",
        first=calls.patch_object(row.resource_id, patch) if patch else None,
        message=calls.message_object(
            row.resource_id, message_body(design, said[adding], content.language, notify=True)
        )
        if adding
        else None,
        fields=tuple(patch),
        sent=sent,
        messages=have or (),
        message_id=ids[0] if ids else None,
        class_id=class_id,
        how=allowed,
        held=how if allowed is None else None,
    )


def _what_is_new(
    claimed: ClaimedGoogle, row: ObjectRow, ids: Sequence[str], patch: Mapping[str, Any]
) -> How | None:
    """What the holder should be notified of, if Google lets us."""
    if claimed.kind not in _TOLD:
        return None
    if ids and ids[0] != row.announced and ids[0] not in (row.messages or ()):
        return "message"
    known = row.sent is not None  # else a balance in the patch need be no other one
    return "field" if known and any(patch.get(field) for field in BALANCES) else None


def _must_place(
    have: Sequence[str] | None, placed: Sequence[str], adding: str | None, *, empty: bool
) -> bool:
    """Whether the patch has to set the messages: some are missing, all must go, or there is no more room."""
    if have is None:
        return True
    if empty:
        return bool(have)
    return any(one not in have for one in placed) or len(have) + (adding is not None) > MOST_MESSAGES
