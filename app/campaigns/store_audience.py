"""SQL of audiences: how many are in one, by what is kept of guests; who comes next, by what is true now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Select, and_, func, literal, or_, select, union_all

from app.campaigns import store_filters, store_reach
from app.campaigns.store_filters import Asked, guest
from app.campaigns.store_reach import Span
from app.db import Id, Tx, Types, among, given
from app.db.identifiers import MemberId
from app.loyalty import habits
from app.loyalty.habit_tables import habit, habit_venue
from app.loyalty.habits import Fresh
from app.loyalty.store_habits import HABIT, VENUE, habit_rows, venue_rows
from app.loyalty.tables import member

BLOCK = 2_000
"""Members that a walk looks at by one statement."""


class Numbers(NamedTuple):
    """Members of an audience; ``both`` have Apple's card and Google's."""

    all: int
    consenting: int
    apple: int
    google: int
    both: int
    texts: int


@dataclass(frozen=True, slots=True)
class Found:
    """A member of an audience."""

    member_id: MemberId
    language: str
    phone: str | None


def cuts(tx: Tx, brand_id: int, column: str, parts: int, *, since: int) -> tuple[int, ...]:
    """The values of a column of ``habit`` at which equal parts end of those who bought since that day.

    Read along an index that has both.
    """
    lately = (habit.c.brand_id == brand_id, habit.c.last_day >= since)
    total = int(tx.scalar(select(func.count()).select_from(habit).where(*lately)) or 0)
    ends = [-(-total * part // parts) - 1 for part in range(1, parts)] if total else []
    ordered = select(habit.c[column]).where(*lately).order_by(habit.c[column])
    return tuple(int(tx.scalar(ordered.limit(1).offset(end)) or 0) for end in ends)


def count(tx: Tx, span: Span, asked: Asked, fresh: Fresh) -> Numbers:
    """One statement, so that the numbers are of one moment: all that are kept, less those of whom fresher
    facts are given, and these.
    """
    # Both ends have SQLite read along the key: half of the rows by another index would cost ten times that.
    ends = habit.c.member_id > span.after, habit.c.member_id <= span.upto
    kept = _numbers(span, asked, habit, habit_venue).where(*ends)
    if not fresh.member_ids:
        return Numbers(*tx.execute(kept).one())
    newer = _numbers(
        span,
        asked,
        _table(tx, habit_rows(fresh.habits), HABIT, "fresh_habit"),
        _table(tx, venue_rows(fresh.habits), VENUE, "fresh_venue"),
    )
    known = select(habit).where(habit.c.brand_id == span.brand_id, among(habit.c.member_id, fresh.member_ids))
    there = known.limit(len(fresh.member_ids)).subquery(
        "stale_habit"
    )  # looked up before they are asked about
    stale = _numbers(span, asked, there, habit_venue)
    signed = [one.add_columns(literal(sign)) for one, sign in ((kept, 1), (newer, 1), (stale, -1))]
    rows = tx.execute(union_all(*signed)).all()
    return Numbers(*(sum(row[-1] * row[at] for row in rows) for at in range(len(Numbers._fields))))


def page(tx: Tx, span: Span, asked: Asked, limit: int) -> list[Found]:
    """The first so many of the span, in order of id: by consents and cards as they are, habits as kept."""
    audience = asked.audience
    wanted = store_filters.bought(asked, habit)
    met = wanted and "never" not in audience.activity
    # SQLite asks where a column is known: sets are looked into last, for those alone whose habits fit.
    each = span.about("habit.member_id" if met else "guest.id")
    found = select(guest.c.id, guest.c.language, guest.c.phone).where(
        guest.c.brand_id == span.brand_id,
        guest.c.id > span.after,
        guest.c.id <= span.upto,
        guest.c.removed_at.is_(None),
        *store_filters.person(asked),
    )
    if wanted:
        joined = and_(habit.c.brand_id == guest.c.brand_id, habit.c.member_id == guest.c.id)
        found = found.join_from(guest, habit, joined, isouter=not met).where(*wanted)
    found = found.where(*store_filters.cards_and_venues(each, asked, habit_venue, guest.c.id))
    if audience.wallet:
        states = store_reach.in_state(each, audience.wallet, silent_days=audience.silent_days, now=asked.now)
        found = found.where(each.has(states, guest.c.id))
    if audience.consent:
        found = found.where(each.has(store_reach.consenting(each), guest.c.id))
    return [Found(*row) for row in tx.execute(found.order_by(guest.c.id).limit(limit))]


def block_end(tx: Tx, span: Span) -> MemberId:
    """The last id of the first :data:`BLOCK` members of the span."""
    ids = span.members().order_by(member.c.id).offset(BLOCK - 1).limit(1)
    return MemberId(tx.scalar(ids) or span.upto)


def last_member(tx: Tx, brand_id: int) -> MemberId:
    """The greatest id that a member of the brand has; 0 where there is none."""
    return MemberId(tx.scalar(select(func.max(member.c.id)).where(member.c.brand_id == brand_id)) or 0)


def chosen(tx: Tx, span: Span, asked: Asked, fresh: Fresh) -> Select[Any]:
    """Each of them by what is kept, or by what is fresher: id, language, phone, and how they are reached."""

    def members(ours: FromClause, venues: FromClause) -> Select[Any]:
        marks = (ours.c[name] for name in ("consenting", "texts", "apple", "google"))
        columns = (guest.c.id, guest.c.language, guest.c.phone, *marks)
        joined = select(*columns).join_from(ours, guest, guest.c.id == ours.c.member_id)
        return _passing(joined, span, asked, ours, venues).where(*store_filters.person(asked))

    kept = members(habit, habit_venue)
    if not fresh.member_ids:
        return kept
    waiting = given(tx, [{"member_id": one} for one in fresh.member_ids], {"member_id": Id})
    newer = members(
        _table(tx, habit_rows(fresh.habits), HABIT, "fresh_habit"),
        _table(tx, venue_rows(fresh.habits), VENUE, "fresh_venue"),
    )
    kept = kept.where(habit.c.member_id.not_in(select(waiting.c.member_id)))
    both = union_all(kept, newer).subquery()
    return select(*both.c)


def _numbers(span: Span, asked: Asked, ours: FromClause, venues: FromClause) -> Select[Any]:
    """Of those who pass every filter by what is kept of them here."""
    audience, apple, google = asked.audience, ours.c.apple, ours.c.google
    asked_of = (ours.c.consenting, apple, google, and_(apple, google), ours.c.texts)
    counted: list[Any] = [func.count(), *(func.count().filter(one) for one in asked_of)]
    found = select(*counted)
    if store_filters.asks_person(audience):
        found = found.join_from(ours, guest, guest.c.id == ours.c.member_id)
        found = found.where(*store_filters.person(asked))
    else:
        found = found.select_from(ours)
    return _passing(found, span, asked, ours, venues)


def _passing(
    found: Select[Any], span: Span, asked: Asked, ours: FromClause, venues: FromClause
) -> Select[Any]:
    """Those of them who pass what is asked of habits, cards and wallets."""
    audience = asked.audience
    each = span.about(f"{ours.description}.member_id")
    found = found.where(
        ours.c.brand_id == span.brand_id,
        *store_filters.bought(asked, ours),
        *store_filters.cards_and_venues(each, asked, venues, ours.c.member_id),
    )
    if audience.wallet:
        found = found.where(or_(*_in_state(asked, ours)))
    return found.where(ours.c.consenting) if audience.consent else found


def _in_state(asked: Asked, ours: FromClause) -> list[ColumnElement[bool]]:
    """In any of the states that are asked for; where "added" is, "silent" asks for nothing more.

    Phones are heard all the time: who is silent is known to the day, as of the last night.
    """
    states, added, had = asked.audience.wallet, ours.c.added, ours.c.had
    conditions: list[ColumnElement[bool]] = []
    if "added" in states:
        conditions.append(added)
    if "removed" in states:
        conditions.append(and_(~added, had))
    if "none" in states:
        conditions.append(and_(~added, ~had))
    if "silent" in states and "added" not in states:
        since = asked.now - timedelta(days=asked.audience.silent_days)
        conditions.append(ours.c.heard_day <= habits.day_number(since.date()))
    return conditions


def _table(tx: Tx, rows: Sequence[Mapping[str, Any]], types: Types, name: str) -> FromClause:
    """Rows as a table that is made once: without the limit SQLite reads them all again for each guest."""
    return select(given(tx, rows, types)).limit(len(rows)).subquery(name)
