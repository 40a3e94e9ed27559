"""SQL of announcements: what waits for its turn on a card, what was said, and what phones have seen of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import Integer, Text, Update, bindparam, delete, func, or_, select, text, update

from app.db import Id, Identifiers, Json, Tx, Types, UtcDateTime, among, given, given_later, insert, packed
from app.db.identifiers import WalletPassId
from app.passes.announcement_tables import SAID, WAITING, announcement
from app.passes.content import LocalizedText
from app.passes.tables import device, pass_evidence, registration

Ending = Literal["fetched", "expired", "cancelled"]
_columns = announcement.c
_ROW: Types = {
    "pass_id": Id,
    "name": Text(),
    "text": Json,
    "until": UtcDateTime(),
    "created_at": UtcDateTime(),
    "due_at": UtcDateTime(),
    "behind_version": Integer(),
    "version": Integer(),
    "said_at": UtcDateTime(),
}
_TURN: Types = {name: _ROW[name] for name in ("due_at", "behind_version", "version", "said_at")} | {
    "row_id": Id
}
_SEEN: Types = {"of_pass_id": Id, "seen_version": Integer(), "at": UtcDateTime()}
_NAMED: Types = {"of_pass_id": Id, "of_name": Text()}


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a message was said, by which version; or what it waits for, and how long at most."""

    version: int | None
    due_at: datetime
    behind_version: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message whose turn may have come."""

    id: int
    pass_id: WalletPassId
    name: str
    text: LocalizedText
    until: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What became of a message so far."""

    pass_id: WalletPassId
    version: int | None  # of the pass, which said it first
    said_at: datetime | None
    ended_at: datetime | None
    ending: Ending | None


# Evidence of every phone passes here, so these are put together once.
_SEEN_BY_PHONES = (
    select(
        registration.c.pass_id,
        func.max(func.coalesce(pass_evidence.c.fetched_version, 0)),
        func.max(func.coalesce(pass_evidence.c.installed_version, 0)),
    )
    .join(device, device.c.id == registration.c.device_id)
    .outerjoin(pass_evidence, pass_evidence.c.pass_id == registration.c.pass_id)
    .where(
        among(registration.c.pass_id, bindparam("ids", type_=Identifiers())),
        device.c.unreachable_since.is_(None),
    )
    .group_by(registration.c.pass_id)
)


def seen_versions(tx: Tx, pass_ids: Sequence[WalletPassId]) -> dict[WalletPassId, int]:
    """The newest version that a phone fetched, 0 for none; who is in no reachable phone is left out."""
    rows = tx.execute(_SEEN_BY_PHONES, {"ids": list(pass_ids)})
    return {row[0]: max(row[1], row[2]) for row in rows}


def add(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Messages, said already or waiting: columns as the table's; who has one of that name keeps it."""
    if rows:
        source = given(tx, rows, _ROW)
        # The condition tells SQLite's parser that "ON" begins no join.
        new = select(*(source.c[name] for name in _ROW)).where(source.c.pass_id.is_not(None))
        tx.execute(insert(tx, announcement).from_select(list(_ROW), new).on_conflict_do_nothing())


def names(tx: Tx, pass_ids: Sequence[WalletPassId]) -> set[tuple[WalletPassId, str]]:
    """Which messages these cards have had, by name."""
    statement = select(_columns.pass_id, _columns.name).where(among(_columns.pass_id, pass_ids))
    return {(row.pass_id, row.name) for row in tx.execute(statement)}


def known(tx: Tx, name: str, pass_ids: Sequence[WalletPassId]) -> dict[WalletPassId, Known]:
    """What became of the message of this name on each card that has it."""
    statement = select(
        _columns.pass_id, _columns.version, _columns.said_at, _columns.ended_at, _columns.ending
    ).where(among(_columns.pass_id, pass_ids), _columns.name == name)
    return {row.pass_id: Known(*row) for row in tx.execute(statement)}


def due(tx: Tx, *, now: datetime, limit: int) -> list[Waiting]:
    """Those whose turn may have come, the longest due first."""
    statement = (
        select(_columns.id, _columns.pass_id, _columns.name, _columns.text, _columns.until)
        .where(text(WAITING), _columns.due_at <= now)
        .order_by(_columns.due_at, _columns.id)
        .limit(limit)
    )
    return [
        Waiting(row.id, row.pass_id, row.name, LocalizedText(**row.text), row.until)
        for row in tx.execute(statement)
    ]


def take_turns(tx: Tx, turns: Mapping[int, Turn], *, now: datetime) -> None:
    """Write for waiting messages, by id, that they were said or what they wait for."""
    if not turns:
        return
    rows = [{"row_id": key, **turn_columns(turn, now)} for key, turn in sorted(turns.items())]
    new = given(tx, rows, _TURN)
    tx.execute(
        update(announcement)
        .where(_columns.id == new.c.row_id, _columns.version.is_(None), _columns.ended_at.is_(None))
        .values({name: new.c[name] for name in _TURN if name != "row_id"})
    )


def turn_columns(turn: Turn, now: datetime) -> dict[str, Any]:
    """A turn as the table has it."""
    return {
        "due_at": turn.due_at,
        "behind_version": turn.behind_version,
        "version": turn.version,
        "said_at": None if turn.version is None else now,
    }


@cache
def _by_evidence(dialect: str) -> tuple[Update, Update]:
    """Whose message a phone has come for; and whose turn has come, since it came for the one before."""
    new = given_later(dialect, bindparam("rows", type_=Text()), _SEEN)
    of_pass = _columns.pass_id == new.c.of_pass_id
    proved = (
        update(announcement)
        .where(of_pass, text(SAID), _columns.version <= new.c.seen_version)
        .values(ended_at=new.c.at, ending="fetched")
    )
    next_one = (
        update(announcement)
        .where(of_pass, text(WAITING), _columns.behind_version <= new.c.seen_version)
        .values(due_at=new.c.at, behind_version=None)
    )
    return proved, next_one


def seen(tx: Tx, sightings: Collection[tuple[WalletPassId, int, datetime]]) -> None:
    """Phones fetched these versions: (pass, version, when). What they say is proved, what waited is due."""
    if not sightings:
        return
    newest: dict[WalletPassId, tuple[int, datetime]] = {}
    for pass_id, version, at in sightings:
        newest[pass_id] = max(newest.get(pass_id, (0, at)), (version, at))
    rows = [
        {"of_pass_id": pass_id, "seen_version": version, "at": at}
        for pass_id, (version, at) in sorted(newest.items())
    ]
    for statement in _by_evidence(tx.dialect.name):
        tx.execute(statement, {"rows": packed(tx.dialect, rows, _SEEN)})


def put_back(tx: Tx, names: Sequence[tuple[WalletPassId, str]], *, now: datetime) -> None:
    """Messages that lost their place unseen wait for it again."""
    if names:
        new = given(tx, [{"of_pass_id": key, "of_name": name} for key, name in sorted(names)], _NAMED)
        tx.execute(
            update(announcement)
            .where(_columns.pass_id == new.c.of_pass_id, _columns.name == new.c.of_name, text(SAID))
            .values(version=None, said_at=None, due_at=now, behind_version=None)
        )


def end(tx: Tx, names: Sequence[tuple[WalletPassId, str]], ending: Ending, *, now: datetime) -> None:
    """End these, where they have not ended."""
    if names:
        new = given(tx, [{"of_pass_id": key, "of_name": name} for key, name in sorted(names)], _NAMED)
        tx.execute(
            update(announcement)
            .where(
                _columns.pass_id == new.c.of_pass_id,
                _columns.name == new.c.of_name,
                _columns.ended_at.is_(None),
            )
            .values(ended_at=now, ending=ending)
        )


def expire(tx: Tx, *, now: datetime, said_before: datetime, limit: int) -> int:
    """End those that wait and whose time is over, and those that were said and whose time was over before.

    The longest over first; returns how many.
    """
    ended = 0
    for where, until in ((WAITING, now), (SAID, said_before)):
        over = (
            select(_columns.id)
            .where(text(where), _columns.until <= until)
            .order_by(_columns.until)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = tx.execute(
            update(announcement)
            .where(_columns.id.in_(over.scalar_subquery()))
            .values(ended_at=now, ending="expired")
            .returning(_columns.id)
        )
        ended += len(rows.all())
    return ended


def forget(tx: Tx, pass_ids: Collection[WalletPassId]) -> None:
    """No word is left of what was to be said on these cards; that a phone came for it stays."""
    if pass_ids:
        theirs = among(_columns.pass_id, sorted(pass_ids))
        fetched = _columns.ending == "fetched"
        tx.execute(delete(announcement).where(theirs, or_(_columns.ending.is_(None), ~fetched)))
        tx.execute(update(announcement).where(theirs).values(text={"ru": "", "en": ""}))
