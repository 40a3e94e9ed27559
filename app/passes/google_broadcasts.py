"""Telling all holders of a loyalty class at once: one request instead of one or two for each card.

What is said counts as one of the three notifications of every card of the class. Where one of them has none
left, or Google says so, the message is handed to the cards instead: each is told by itself, within its own
three, and silently beyond. A card that came to the class later is not told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from app.db import Tx
from app.db.identifiers import (
    BrandId,
    DeliveryId,
    GoogleBroadcastId,
    GoogleClassId,
    GoogleObjectId,
    ProgrammeId,
)
from app.delivery import google, google_quota, store_google_quota
from app.delivery.google_promises import GooglePromise, Shown
from app.delivery.store_google_quota import Noted
from app.passes import store_google, store_google_broadcasts
from app.passes.content import MOST_MESSAGES, LocalizedText, Message, PassContent
from app.passes.google_ids import OVER
from app.passes.store_google import ObjectRow
from app.passes.store_google_broadcasts import BroadcastRow

AT_ONCE: Final = 200
"""Cards that a broadcast is counted for, or handed to, in one transaction: no till waits longer for it."""
Counted = Literal["all", "more", "full"]
"""Whether it is counted for all cards, for some yet, or one of them has none of its three left."""
HANDED_FOR: Final = timedelta(days=30)
"""So long what was handed to cards stays among their messages, unless newer ones take its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A class of a programme, and how many cards in wallets are of it."""

    class_id: GoogleClassId
    brand_id: BrandId
    tier: LocalizedText | None
    holders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastState:
    """How a message to a class stands."""

    to_cards: bool  # each card is told by itself: their own changes say how that went
    shown: Shown | None  # as people are told; None while it is under way, and of what was handed to cards
    reason: str | None  # Google's own words, where it failed


def audiences(tx: Tx, programme_id: ProgrammeId) -> list[Audience]:
    """The classes of a programme that Google has: the whole of it, or each tier, without its tombstones."""
    return [
        Audience(
            class_id=row.id,
            brand_id=row.brand_id,
            tier=row.tier,
            holders=store_google_broadcasts.count_holders(tx, row.id),
        )
        for row in store_google.every_class(tx)
        if row.programme_id == programme_id and row.accepted_at is not None and row.tier_key != OVER
    ]


def tell_all(
    tx: Tx, audience: Audience, text: LocalizedText, *, announcement: str, now: datetime
) -> GoogleBroadcastId | None:
    """Promise a message to everybody who holds a card of the class; None where they were told of it before.

    ``announcement`` identifies what is announced ("campaign:17"). The words are the card's own; on the lock
    screen are Google's. Whoever calls it does not write the same message into these cards' contents.
    """
    made = store_google_broadcasts.add(tx, audience.class_id, announcement, text, now=now)
    if made is not None:
        promise = GooglePromise(brand_id=audience.brand_id, target=made, kind="broadcast", due_at=now)
        google.promise(tx, [promise], now=now)
    return made


def state(tx: Tx, broadcast_id: GoogleBroadcastId) -> BroadcastState | None:
    """How it stands; None where there is none, or it was settled weeks ago."""
    row = store_google_broadcasts.broadcasts(tx, [broadcast_id]).get(broadcast_id)
    last = google.last_broadcast(tx, broadcast_id)
    if row is None or last is None:
        return None
    to_cards = row.way == "cards"
    done = last.shown if not to_cards or last.shown == "failed" else None
    return BroadcastState(to_cards=to_cards, shown=done, reason=last.reason if done == "failed" else None)


def count(tx: Tx, row: BroadcastRow, delivery_id: DeliveryId, *, now: datetime) -> Counted:
    """Count it as one of the three of the next cards, before it is said."""
    found = store_google_broadcasts.next_holders(tx, row.google_class_id, after=row.noted_to, limit=AT_ONCE)
    if not found:
        return "all"
    ledgers = store_google_quota.ledgers(tx, found, now=now)
    if any(not google_quota.room(list(lines.values()), now=now) for lines in ledgers.values()):
        return "full"
    noted = [Noted(delivery_id, one, "message", "asked") for one in found]
    store_google_quota.note(tx, noted, now=now)
    store_google_broadcasts.write(tx, row.id, noted_to=found[-1])
    return "more" if len(found) == AT_ONCE else "all"


def counted_for_movers(tx: Tx, moved: Mapping[GoogleObjectId, GoogleClassId]) -> list[Noted]:
    """For cards that come to a class behind the count of a message that is not said yet: it reaches them."""
    under_way = google.broadcasts_under_way(tx) if moved else {}
    rows = store_google_broadcasts.broadcasts(tx, under_way.keys()) if under_way else {}
    return [
        Noted(under_way[row.id], card, "message", "asked")
        for row in rows.values()
        for card, class_id in moved.items()
        if row.way == "class" and class_id == row.google_class_id and card <= row.noted_to
    ]


def hand_on(tx: Tx, row: BroadcastRow, delivery_id: DeliveryId, brand_id: BrandId, *, now: datetime) -> bool:
    """Have the next cards told by themselves; True where there are more of them."""
    found = store_google_broadcasts.next_holders(tx, row.google_class_id, after=row.handed_to, limit=AT_ONCE)
    if found:
        store_google_broadcasts.write(tx, row.id, way="cards", handed_to=found[-1])
        store_google_quota.unused(tx, delivery_id, found)
        promises = [
            GooglePromise(brand_id=brand_id, target=one, kind="campaign", due_at=now) for one in found
        ]
        google.promise(tx, promises, now=now)
    return len(found) == AT_ONCE


def handed(tx: Tx, rows: Sequence[ObjectRow], *, now: datetime) -> dict[GoogleClassId, list[BroadcastRow]]:
    """What was handed to cards of these cards' classes, the newest first."""
    ids = {row.google_class_id for row in rows if row.google_class_id is not None}
    found: dict[GoogleClassId, list[BroadcastRow]] = {}
    if ids:
        since = now - HANDED_FOR
        for one in store_google_broadcasts.of_classes(tx, ids, way="cards", since=since):
            found.setdefault(one.google_class_id, []).append(one)
    return found


def with_handed(content: PassContent, row: ObjectRow, handed_on: Sequence[BroadcastRow]) -> PassContent:
    """What the card says, with what was handed to it. Pure."""
    own = [as_message(one) for one in handed_on if row.id <= one.handed_to and _was_there(row, one)]
    if not own or content.voided:
        return content
    said = sorted([*content.messages, *own], key=lambda each: each.at, reverse=True)
    return replace(content, messages=tuple(said[:MOST_MESSAGES]))


def as_message(row: BroadcastRow) -> Message:
    """As cards hold messages."""
    return Message(row.text, row.at, row.announcement)


def _was_there(row: ObjectRow, broadcast: BroadcastRow) -> bool:
    return row.inserted_at is not None and row.inserted_at <= broadcast.at
