"""SQL of the ledger of notifications; an object's lines are written by whoever holds its change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Text, select, true, update

from app.db import Id, Tx, Types, UtcDateTime, among, given, insert
from app.db.identifiers import DeliveryId, GoogleObjectId
from app.delivery.google_promises import NOTIFIED
from app.delivery.google_quota import WINDOW, Entry, Fate, How
from app.delivery.google_tables import google_notification
from app.delivery.tables import delivery

_NOTED: Final[Types] = {
    "delivery_id": Id,
    "google_object_id": Id,
    "at": UtcDateTime(),
    "how": Text(),
    "outcome": Text(),
}
_NOTED_WITHIN: Final = 2 * WINDOW
"""A message to a class may be taken a day after its lines were written."""
_CAME: Final[Types] = {"row": Id, "outcome": Text()}


@dataclass(frozen=True, slots=True)
class Noted:
    """A notification of one change: asked for, or held back."""

    delivery_id: DeliveryId
    object_id: GoogleObjectId
    how: How
    outcome: Fate


def ledgers(
    tx: Tx, object_ids: Sequence[GoogleObjectId], *, now: datetime
) -> Mapping[GoogleObjectId, Mapping[DeliveryId, Entry]]:
    """What each object was notified of in the last 24 hours, by the change that asked for it.

    A message to a class has a line for each of its cards, and what came of it is read from its promise: no
    answer of Google's rewrites a hundred thousand lines.
    """
    found: defaultdict[GoogleObjectId, dict[DeliveryId, Entry]] = defaultdict(dict)
    ledger = google_notification.c
    promise = delivery.c
    rows = tx.execute(
        select(*ledger, promise.kind, promise.state, promise.reason, promise.settled_at)
        .join(delivery, promise.id == ledger.delivery_id)
        .where(among(ledger.google_object_id, sorted(object_ids)), ledger.at > now - _NOTED_WITHIN)
    )
    for row in rows:
        entry = _of_broadcast(row, now) if row.kind == "broadcast" else Entry(row.at, row.outcome)
        if entry.at > now - WINDOW:
            found[row.google_object_id][row.delivery_id] = entry
    return found


def _of_broadcast(row: Any, now: datetime) -> Entry:
    fate = fate_of_broadcast(row)
    if fate == row.outcome != "asked":
        return Entry(row.at, fate)
    return Entry(now if row.settled_at is None else row.settled_at, fate)


def fate_of_broadcast(row: Any) -> Fate:
    """What became of a message to a class for one card: of its line's outcome, and its promise's end."""
    outcome: Fate = row.outcome
    if outcome != "asked" or row.settled_at is None:
        return outcome
    return "notified" if row.state == "accepted" and row.reason == NOTIFIED else "unused"


def note(tx: Tx, noted: Sequence[Noted], *, now: datetime) -> None:
    """Write them; a change that was noted before is as it is noted now."""
    if not noted:
        return
    rows = [
        {
            "delivery_id": one.delivery_id,
            "google_object_id": one.object_id,
            "at": now,
            "how": one.how,
            "outcome": one.outcome,
        }
        for one in noted
    ]
    new = given(tx, rows, _NOTED)
    statement = insert(tx, google_notification).from_select(
        [*_NOTED],
        select(*new.c).where(true()),  # SQLite's parser needs a WHERE before ON CONFLICT
    )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["delivery_id", "google_object_id"],
            set_={name: statement.excluded[name] for name in ("at", "how", "outcome")},
        )
    )


def unused(tx: Tx, delivery_id: DeliveryId, object_ids: Sequence[GoogleObjectId]) -> None:
    """None of these was notified by it, nor will be."""
    ledger = google_notification.c
    tx.execute(
        update(google_notification)
        .where(ledger.delivery_id == delivery_id, among(ledger.google_object_id, sorted(object_ids)))
        .values(outcome="unused")
    )


def came(tx: Tx, outcomes: Mapping[DeliveryId, Fate], *, now: datetime) -> None:
    """What became of those that were asked for; they count from ``now``: Google's day began before it."""
    if outcomes:
        new = given(tx, [{"row": row, "outcome": fate} for row, fate in sorted(outcomes.items())], _CAME)
        tx.execute(
            update(google_notification)
            .where(google_notification.c.delivery_id == new.c.row)
            .values(outcome=new.c.outcome, at=now)
        )
