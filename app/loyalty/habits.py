"""Habits: how often guests come, when they were last there and what they spend, kept as receipts change.

A till only notes that a guest's receipts changed, and locks nothing for that; a worker counts the guest anew,
once a minute. Whoever asks gets what is kept and, counted at that moment, what is not yet, so that answers
are exact with or without a worker. A visit is a venue on a day by the venue's own clock, if any receipt of it
was not refunded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from app.db import Tx
from app.db.identifiers import BrandId, MemberId
from app.loyalty import store_habits as store
from app.loyalty.store_habits import Bought, Habit

AT_ONCE = 500
"""Changes folded by one transaction."""
MOST_RECENT = 40
"""Visits whose days are kept: nobody is asked for more of them in any number of days."""
MOST_FRESH = 10_000
"""Changes that a reader counts itself; where more wait, the worker is away, and it is told how many."""
DAY_DIGITS = 5
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Fresh:
    """What is not kept yet: what to use instead for those ``member_ids``, and how many are ``left`` out."""

    member_ids: Sequence[MemberId]
    habits: Sequence[Habit]
    left: int


@dataclass(frozen=True, slots=True)
class Mended:
    """A part of all members was counted anew: up to which one, and for how many that was needed."""

    after: MemberId | None  # where to go on; None: that was the last part
    wrong: int


def day_number(day: date) -> int:
    """Days since 1970: five digits from 1997 to 2243."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The other way."""
    return _EPOCH + timedelta(days=number)


def changed(tx: Tx, brand_id: BrandId, member_id: MemberId) -> None:
    """Note that a guest's receipts changed, or that they are somebody else's now."""
    store.insert_change(tx, brand_id, member_id)


def forget(tx: Tx, brand_id: BrandId, member_id: MemberId) -> None:
    """Nothing is kept of a guest who is gone; a count that is under way meanwhile is taken back later."""
    store.delete_all(tx, [member_id])
    store.insert_change(tx, brand_id, member_id)


def fold(tx: Tx, *, limit: int = AT_ONCE) -> int:
    """Count those anew whose receipts changed, the first to change first; returns how many, 0 when done."""
    store.one_at_a_time(tx)
    taken = store.take_changes(tx, limit)
    if taken:
        member_ids = sorted(set(taken))
        store.write(tx, member_ids, _counted(tx, member_ids))
    return len(taken)


def fresh(tx: Tx, brand_id: BrandId) -> Fresh:
    """What is not folded in yet, counted now."""
    waiting = store.changes(tx, brand_id, MOST_FRESH + 1)
    if len(waiting) <= MOST_FRESH:
        left = 0
    else:
        left = store.count_changes(tx, brand_id) - MOST_FRESH
        waiting = waiting[:MOST_FRESH]
    member_ids = sorted(set(waiting))
    return Fresh(member_ids, _counted(tx, member_ids), left)


def mend(tx: Tx, *, after: MemberId | None = None, limit: int = AT_ONCE) -> Mended:
    """Count so many members anew, in order of id, and put right what was not as counted.

    That is nothing, unless somebody wrote into the tables by hand or a venue was moved to another time zone.
    """
    store.one_at_a_time(tx)
    member_ids = store.members_after(tx, after or MemberId(0), limit)
    waiting = set(store.changes_of(tx, member_ids))
    counted = {one.member_id: one for one in _counted(tx, member_ids)}
    kept = {one.member_id: one for one in store.kept(tx, member_ids)}
    wrong = [one for one in member_ids if counted.get(one) != kept.get(one) and one not in waiting]
    store.write(tx, wrong, [counted[one] for one in wrong if one in counted])
    return Mended(member_ids[-1] if len(member_ids) == limit else None, len(wrong))


def _counted(tx: Tx, member_ids: Sequence[MemberId]) -> list[Habit]:
    """Of those among the living who bought anything, in order of id."""
    by_member: dict[MemberId, list[Bought]] = {}
    for row in store.bought(tx, member_ids) if member_ids else ():
        by_member.setdefault(row.member_id, []).append(row)
    zones = {row.time_zone: ZoneInfo(row.time_zone) for rows in by_member.values() for row in rows}
    return [_habit(rows, zones) for _, rows in sorted(by_member.items())]


def _habit(rows: Sequence[Bought], zones: dict[str, ZoneInfo]) -> Habit:
    visited = {(row.venue_id, day_number(row.at.astimezone(zones[row.time_zone]).date())) for row in rows}
    days = sorted((day for _, day in visited), reverse=True)
    last = dict(sorted(visited))  # of each venue the latest day, which comes last
    spent = sum(row.amount for row in rows)
    return Habit(
        member_id=rows[0].member_id,
        brand_id=rows[0].brand_id,
        visits=len(visited),
        receipts=len(rows),
        spent=spent,
        average=spent // len(rows),
        last_day=days[0],
        recent=packed(days),
        venues=tuple(last.items()),
    )


def packed(days: Iterable[int]) -> str:
    """The newest of ``days``, which come newest first, as they are kept."""
    return "".join(f"{day:0{DAY_DIGITS}d}" for day, _ in zip(days, range(MOST_RECENT), strict=False))
