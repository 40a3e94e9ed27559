"""Habits: how often guests come, what they spend and how they are reached, kept as that changes.

A till only notes that a guest's receipts changed, and locks nothing for that; so do consents, phones that
register and let go, and Google's holders. A worker counts the guest anew, once a minute. Whoever asks gets
what is kept and, counted at that moment, what is not yet, so that answers are exact with or without a worker.
A visit is a venue on a day by the venue's own clock, if any receipt of it was not refunded.

What is kept is for counting. Whoever sends asks the consents and the phones themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from app.db import Tx
from app.db.identifiers import BrandId, MemberId
from app.loyalty import reach, store_holding
from app.loyalty import store_habits as store
from app.loyalty.reach import Reach
from app.loyalty.store_habits import Bought, Habit

AT_ONCE = 200
"""Changes folded by one transaction, and members counted anew: tills wait for no more."""
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
    wrong: int  # but for days on which phones were heard, which nothing else brings up to date


def day_number(day: date) -> int:
    """Days since 1970: five digits from 1997 to 2243."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The other way."""
    return _EPOCH + timedelta(days=number)


def changed(tx: Tx, brand_id: BrandId, member_id: MemberId) -> None:
    """Note that a guest's receipts, consents or cards changed, or that they are somebody else's now."""
    store.insert_change(tx, brand_id, member_id)


def number_heard(tx: Tx, brand_id: BrandId, number: str) -> None:
    """Note that a number (E.164) was silenced, or is so no more, whoever gave it."""
    store.insert_changes_of_number(tx, brand_id, number)


def forget(tx: Tx, brand_id: BrandId, member_id: MemberId) -> None:
    """Nothing is kept of a guest who is gone; a count that is under way meanwhile is taken back later."""
    store.delete_all(tx, [member_id])
    store.insert_change(tx, brand_id, member_id)


def fold(tx: Tx, *, limit: int = AT_ONCE) -> int:
    """Count those anew of whom something changed, the first to change first; how many notes, 0 when done."""
    store.one_at_a_time(tx)
    taken = store.take_changes(tx, limit)
    notes, holding = store_holding.take_changes(tx, limit)
    if member_ids := sorted({*taken, *holding}):
        store.write(tx, member_ids, _counted(tx, member_ids))
    return len(taken) + notes


def fresh(tx: Tx, brand_id: BrandId) -> Fresh:
    """What is not folded in yet, counted now."""
    waiting: set[MemberId] = set()
    left = 0
    for queue in (store, store_holding):
        found = queue.changes(tx, brand_id, MOST_FRESH + 1)
        waiting |= set(found[:MOST_FRESH])
        left += queue.count_changes(tx, brand_id) - MOST_FRESH if len(found) > MOST_FRESH else 0
    member_ids = sorted(waiting)
    return Fresh(member_ids, _counted(tx, member_ids), left)


def mend(tx: Tx, *, after: MemberId | None = None, limit: int = AT_ONCE) -> Mended:
    """Count so many members anew, in order of id, and put right what was not as counted.

    That is nothing but the days on which phones were heard, unless somebody wrote into the tables by hand, a
    venue was moved to another time zone, or a phone let go of a card before it was noted that it had asked.
    """
    store.one_at_a_time(tx)
    member_ids = store.members_after(tx, after or MemberId(0), limit)
    waiting = {*store.changes_of(tx, member_ids), *store_holding.changes_of(tx, member_ids)}
    counted = {one.member_id: one for one in _counted(tx, member_ids)}
    kept = {one.member_id: one for one in store.kept(tx, member_ids)}
    stale = [one for one in member_ids if counted.get(one) != kept.get(one) and one not in waiting]
    if stale:
        store.write(tx, stale, [counted[one] for one in stale if one in counted])
    wrong = sum(_but_heard(counted.get(one)) != _but_heard(kept.get(one)) for one in stale)
    return Mended(member_ids[-1] if len(member_ids) == limit else None, wrong)


def _but_heard(one: Habit | None) -> Habit | None:
    return replace(one, heard_day=None) if one else None


def _counted(tx: Tx, member_ids: Collection[MemberId]) -> list[Habit]:
    """Of the living among them, in order of id."""
    reached = reach.of_members(tx, sorted(member_ids))
    by_member: dict[MemberId, list[Bought]] = {}
    for row in store.bought(tx, list(reached)) if reached else ():
        by_member.setdefault(row.member_id, []).append(row)
    zones = {row.time_zone: ZoneInfo(row.time_zone) for rows in by_member.values() for row in rows}
    return [_habit(one, how, by_member.get(one, ()), zones) for one, how in reached.items()]


def _habit(member_id: MemberId, how: Reach, rows: Sequence[Bought], zones: dict[str, ZoneInfo]) -> Habit:
    visited = {(row.venue_id, day_number(row.at.astimezone(zones[row.time_zone]).date())) for row in rows}
    days = sorted((day for _, day in visited), reverse=True)
    last = dict(sorted(visited))  # of each venue the latest day, which comes last
    spent = sum(row.amount for row in rows)
    return Habit(
        member_id=member_id,
        brand_id=how.brand_id,
        visits=len(visited),
        receipts=len(rows),
        spent=spent,
        average=spent // len(rows) if rows else None,
        last_day=days[0] if rows else None,
        recent=packed(days),
        consenting=how.consenting,
        texts=how.texts,
        apple=how.apple,
        google=how.google,
        added=how.added,
        had=how.had,
        heard_day=day_number(how.heard_at.date()) if how.heard_at else None,
        venues=tuple(last.items()),
    )


def packed(days: Iterable[int]) -> str:
    """The newest of ``days``, which come newest first, as they are kept."""
    return "".join(f"{day:0{DAY_DIGITS}d}" for day, _ in zip(days, range(MOST_RECENT), strict=False))
