"""SQL of habits: what receipts say of guests, what is kept of that, and who has to be counted anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    delete,
    func,
    select,
    text,
)
from sqlalchemy import insert as plain_insert

from app.db import Id, Identifiers, Tx, Types, among, given
from app.db import insert as insert_into
from app.db.identifiers import BrandId, MemberId, VenueId
from app.loyalty.habit_tables import habit, habit_change, habit_venue
from app.loyalty.tables import enrolment, member, receipt
from app.places.tables import venue


@dataclass(frozen=True, slots=True)
class Habit:
    """What is kept of a guest: what receipts come to, and reach. Minor units; days as they are kept."""

    member_id: MemberId
    brand_id: BrandId
    visits: int
    receipts: int
    spent: int
    average: int | None  # of a receipt, rounded down; None for who never bought, and so is the next
    last_day: int | None
    recent: str  # days of the newest visits, newest first
    consenting: bool
    texts: bool
    apple: bool
    google: bool
    added: bool
    had: bool
    heard_day: int | None  # or later
    venues: tuple[tuple[VenueId, int], ...]  # by venue the last day there, in order of venue


@dataclass(frozen=True, slots=True)
class Bought:
    """A receipt that was not refunded, with the clock of its venue."""

    member_id: MemberId
    venue_id: VenueId
    time_zone: str
    at: datetime
    amount: int  # minor units


HABIT: Types = {
    "brand_id": Id,
    "member_id": Id,
    "visits": Integer(),
    "receipts": Integer(),
    "spent": BigInteger(),
    "average": BigInteger(),
    "last_day": Integer(),
    "recent": Text(),
    "consenting": Boolean(),
    "texts": Boolean(),
    "apple": Boolean(),
    "google": Boolean(),
    "added": Boolean(),
    "had": Boolean(),
    "heard_day": Integer(),
}
VENUE: Types = {"member_id": Id, "venue_id": Id, "last_day": Integer()}
_LOCK = 0x4AB1_75  # any number that nothing else of this database locks
_IDS = bindparam("ids", type_=Identifiers())
# Built once: a till waits for it.
_CHANGE = plain_insert(habit_change).inline()
_CHANGES = plain_insert(habit_change).from_select(
    ["brand_id", "member_id"], select(member.c.brand_id, member.c.id).where(among(member.c.id, _IDS))
)
_BOUGHT = (
    select(
        enrolment.c.member_id,
        receipt.c.venue_id,
        venue.c.time_zone,
        receipt.c.at,
        receipt.c.amount,
    )
    .select_from(enrolment)
    .join(receipt, receipt.c.enrolment_id == enrolment.c.id)
    .join(venue, venue.c.id == receipt.c.venue_id)
    .where(among(enrolment.c.member_id, _IDS), receipt.c.refunded_at.is_(None))
)


def insert_change(tx: Tx, brand_id: int, member_id: int) -> None:
    """Note that a member has to be counted anew."""
    tx.execute(_CHANGE, {"brand_id": brand_id, "member_id": member_id})


def insert_changes(tx: Tx, member_ids: Sequence[MemberId]) -> None:
    """Note that these members have to be counted anew."""
    tx.execute(_CHANGES, {"ids": member_ids})


def insert_changes_of_number(tx: Tx, brand_id: int, number: str) -> None:
    """Note that everybody in the brand who gave this number has to be counted anew."""
    theirs = member.c.brand_id == brand_id, member.c.phone == number, member.c.phone.is_not(None)
    them = select(member.c.brand_id, member.c.id).where(*theirs)
    tx.execute(plain_insert(habit_change).from_select(["brand_id", "member_id"], them))


def one_at_a_time(tx: Tx) -> None:
    """Let nobody else count until the transaction ends, or the older count of two might be written last."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def take_changes(tx: Tx, limit: int) -> list[MemberId]:
    """Delete so many, the oldest first."""
    oldest = select(habit_change.c.id).order_by(habit_change.c.id).limit(limit)
    taken = delete(habit_change).where(habit_change.c.id.in_(oldest)).returning(habit_change.c.member_id)
    return list(tx.scalars(taken))


def changes(tx: Tx, brand_id: int, limit: int) -> list[MemberId]:
    """Whose changes wait, the oldest first; a member may be there several times."""
    waiting = select(habit_change.c.member_id).where(habit_change.c.brand_id == brand_id)
    return list(tx.scalars(waiting.order_by(habit_change.c.id).limit(limit)))


def count_changes(tx: Tx, brand_id: int) -> int:
    """How many of a brand wait."""
    waiting = select(func.count()).select_from(habit_change).where(habit_change.c.brand_id == brand_id)
    return int(tx.scalar(waiting) or 0)


def changes_of(tx: Tx, member_ids: Sequence[MemberId]) -> list[MemberId]:
    """Those of them whose changes wait."""
    waiting = select(habit_change.c.member_id).where(among(habit_change.c.member_id, member_ids))
    return list(tx.scalars(waiting))


def members_after(tx: Tx, after: MemberId, limit: int) -> list[MemberId]:
    """The next members of all brands, those who are gone too."""
    return list(tx.scalars(select(member.c.id).where(member.c.id > after).order_by(member.c.id).limit(limit)))


def bought(tx: Tx, member_ids: Sequence[MemberId]) -> list[Bought]:
    """All that these members bought, with any card that they ever had."""
    return [Bought(*row) for row in tx.execute(_BOUGHT, {"ids": member_ids})]


def kept(tx: Tx, member_ids: Sequence[MemberId]) -> list[Habit]:
    """What is kept of these members."""
    venues: dict[MemberId, list[tuple[VenueId, int]]] = {}
    there = select(habit_venue).where(among(habit_venue.c.member_id, member_ids))
    for row in tx.execute(there.order_by(habit_venue.c.member_id, habit_venue.c.venue_id)):
        venues.setdefault(row.member_id, []).append((row.venue_id, row.last_day))
    rows = tx.execute(select(*(habit.c[name] for name in HABIT)).where(_theirs(member_ids)))
    return [Habit(**row._mapping, venues=tuple(venues.get(row.member_id, ()))) for row in rows]


def write(tx: Tx, member_ids: Sequence[MemberId], counted: Sequence[Habit]) -> None:
    """Keep what was ``counted`` of these members in place of what was kept; nothing of the others of them."""
    delete_all(tx, member_ids)
    if not counted:
        return
    for table, rows, types in (
        (habit, habit_rows(counted), HABIT),
        (habit_venue, venue_rows(counted), VENUE),
    ):
        source = given(tx, rows, types)
        tx.execute(
            insert_into(tx, table).from_select(list(types), select(*(source.c[name] for name in types)))
        )


def habit_rows(counted: Sequence[Habit]) -> list[dict[str, object]]:
    """As rows of ``habit``."""
    return [{name: getattr(one, name) for name in HABIT} for one in counted]


def venue_rows(counted: Sequence[Habit]) -> list[dict[str, object]]:
    """As rows of ``habit_venue``."""
    return [
        {"member_id": one.member_id, "venue_id": venue_id, "last_day": day}
        for one in counted
        for venue_id, day in one.venues
    ]


def delete_all(tx: Tx, member_ids: Sequence[MemberId]) -> None:
    """Nothing is kept of these members."""
    tx.execute(delete(habit).where(_theirs(member_ids)))
    tx.execute(delete(habit_venue).where(among(habit_venue.c.member_id, member_ids)))


def _theirs(member_ids: Sequence[MemberId]) -> ColumnElement[bool]:
    """Rows of ``habit`` of these members, by its key, which begins with the brand."""
    brands = select(member.c.brand_id).where(among(member.c.id, member_ids))
    return and_(habit.c.brand_id.in_(brands), among(habit.c.member_id, member_ids))
