"""SQL of broadcasts: what all holders of a class are told at once, and who they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Select, func, select, update

from app.db import Tx, among, insert
from app.db.identifiers import GoogleBroadcastId, GoogleClassId, GoogleObjectId
from app.passes.content import LocalizedText
from app.passes.google_tables import google_broadcast, google_object

Way = Literal["class", "cards"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastRow:
    """One message to a class."""

    id: GoogleBroadcastId
    google_class_id: GoogleClassId
    announcement: str
    text: LocalizedText
    at: datetime
    way: Way
    handed_to: int
    noted_to: int
    on_class: bool
    doubted_at: datetime | None


_COLUMNS: Final = tuple(google_broadcast.c[name] for name in BroadcastRow.__dataclass_fields__)


def _row(row: Any) -> BroadcastRow:
    found = dict(row._mapping)
    return BroadcastRow(**(found | {"text": LocalizedText(**found["text"])}))


def add(
    tx: Tx, class_id: GoogleClassId, announcement: str, text: LocalizedText, *, now: datetime
) -> GoogleBroadcastId | None:
    """None where the class was told of it before."""
    statement = insert(tx, google_broadcast).values(
        google_class_id=class_id, announcement=announcement, text=text.to_json(), at=now, way="class"
    )
    made = tx.scalar(statement.on_conflict_do_nothing().returning(google_broadcast.c.id))
    return None if made is None else GoogleBroadcastId(made)


def broadcasts(tx: Tx, ids: Collection[GoogleBroadcastId]) -> dict[GoogleBroadcastId, BroadcastRow]:
    """These."""
    rows = tx.execute(select(*_COLUMNS).where(among(google_broadcast.c.id, sorted(ids))))
    return {one.id: one for one in map(_row, rows)}


def of_classes(tx: Tx, ids: Collection[GoogleClassId], *, way: Way, since: datetime) -> list[BroadcastRow]:
    """What was said to these classes since then, the newest first."""
    asked = select(*_COLUMNS).where(
        among(google_broadcast.c.google_class_id, sorted(ids)),
        google_broadcast.c.way == way,
        google_broadcast.c.at > since,
    )
    return [_row(row) for row in tx.execute(asked.order_by(google_broadcast.c.at.desc()))]


def on_class(tx: Tx, class_id: GoogleClassId) -> list[BroadcastRow]:
    """Those that Google has on the class, the newest first."""
    asked = select(*_COLUMNS).where(
        google_broadcast.c.google_class_id == class_id, google_broadcast.c.on_class
    )
    return [_row(row) for row in tx.execute(asked.order_by(google_broadcast.c.id.desc()))]


def write(tx: Tx, broadcast_id: GoogleBroadcastId, **facts: Any) -> None:
    """What is known of it now."""
    tx.execute(update(google_broadcast).where(google_broadcast.c.id == broadcast_id).values(**facts))


def keep_on_class(tx: Tx, class_id: GoogleClassId, kept: Sequence[GoogleBroadcastId]) -> None:
    """Of the class's messages Google has these alone."""
    tx.execute(
        update(google_broadcast)
        .where(google_broadcast.c.google_class_id == class_id, google_broadcast.c.id.not_in(kept))
        .values(on_class=False)
    )


def doubt(tx: Tx, ids: Collection[GoogleBroadcastId], *, now: datetime) -> None:
    """These may have been said."""
    tx.execute(
        update(google_broadcast).where(among(google_broadcast.c.id, sorted(ids))).values(doubted_at=now)
    )


def holders(class_id: GoogleClassId) -> Select[int]:
    """The cards of the class that somebody holds, or may."""
    return select(google_object.c.id).where(
        google_object.c.google_class_id == class_id,
        google_object.c.inserted_at.is_not(None),
        google_object.c.has_users.is_not(False),
    )


def next_holders(tx: Tx, class_id: GoogleClassId, *, after: int, limit: int) -> list[GoogleObjectId]:
    """The next of them, in order."""
    asked = holders(class_id).where(google_object.c.id > after).order_by(google_object.c.id).limit(limit)
    return [GoogleObjectId(one) for one in tx.scalars(asked)]


def count_holders(tx: Tx, class_id: GoogleClassId) -> int:
    """How many there are."""
    return int(tx.scalar(select(func.count()).select_from(holders(class_id).subquery())) or 0)
