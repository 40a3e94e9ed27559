"""SQL of the ledger of notifications; an object's lines are written by whoever holds its change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, and_, case, func, literal, or_, select, true, update

from app.db import Id, Tx, Types, UtcDateTime, among, given, insert
from app.db.identifiers import DeliveryId, GoogleObjectId
from app.delivery.google_quota import BELIEVED, COUNTED, MOST, WINDOW, Entry, Fate, How
from app.delivery.google_tables import google_notification

_NOTED: Final[Types] = {
    "delivery_id": Id,
    "google_object_id": Id,
    "at": UtcDateTime(),
    "how": Text(),
    "outcome": Text(),
}
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
    """What each object was notified of in the last 24 hours, by the change that asked for it."""
    found: defaultdict[GoogleObjectId, dict[DeliveryId, Entry]] = defaultdict(dict)
    ledger = google_notification.c
    rows = tx.execute(
        select(ledger.google_object_id, ledger.delivery_id, ledger.at, ledger.outcome).where(
            among(ledger.google_object_id, sorted(object_ids)), ledger.at > now - WINDOW
        )
    )
    for row in rows:
        found[row.google_object_id][row.delivery_id] = Entry(row.at, row.outcome)
    return found


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


def is_full(tx: Tx, objects: Select[int], *, now: datetime) -> bool:
    """Whether one of these may not be notified any more now."""
    ledger = google_notification.c
    counted = case((ledger.outcome.in_(COUNTED), 1), else_=0)
    refused = case((and_(ledger.outcome == "quota", ledger.at > now - BELIEVED), 1), else_=0)
    asked = (
        select(literal(1))
        .where(ledger.google_object_id.in_(objects), ledger.at > now - WINDOW)
        .group_by(ledger.google_object_id)
        .having(or_(func.sum(counted) >= MOST, func.sum(refused) > 0))
    )
    return tx.execute(asked.limit(1)).first() is not None


def note_all(tx: Tx, delivery_id: DeliveryId, objects: Select[int], *, now: datetime) -> None:
    """All of these are notified by one message, which was asked for."""
    one = objects.subquery()
    line: dict[str, ColumnElement[Any]] = {
        "delivery_id": literal(delivery_id),
        "at": literal(now, UtcDateTime()),
        "how": literal("message"),
    }
    rows = select(one.c[0], *line.values(), literal("asked")).where(true())
    statement = insert(tx, google_notification).from_select(["google_object_id", *line, "outcome"], rows)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["delivery_id", "google_object_id"],
            set_={name: statement.excluded[name] for name in ("at", "outcome")},
        )
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
