"""SQL of audiences: who is in one, how many, who comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from app.campaigns import birthdays, store_reach
from app.campaigns.audience import Audience
from app.campaigns.store_reach import Span
from app.db import Id, Tx, Types, among, given
from app.db.identifiers import MemberId
from app.loyalty import habits
from app.loyalty.habit_tables import habit, habit_venue
from app.loyalty.habits import Fresh
from app.loyalty.store_habits import HABIT, VENUE, habit_rows, venue_rows
from app.loyalty.tables import enrolment, member
from app.places.tables import install_link, placement, visit

guest = member.alias("guest")
BLOCK = 2_000
"""Members that a walk looks at by one statement."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the parts of guests who bought lately end, each end included; none where nobody did."""

    average: tuple[int, ...] = ()  # two
    last_day: tuple[int, ...] = ()  # four, and so are the next
    visits: tuple[int, ...] = ()
    spent: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """An audience at a moment."""

    audience: Audience
    today: date
    now: datetime
    cuts: Cuts


@dataclass(frozen=True, slots=True)
class Numbers:
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
    """One statement, so that the numbers are of one moment."""
    found = chosen(tx, span, asked, fresh).cte("chosen")

    def of(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return select(func.count()).select_from(found).where(*conditions).scalar_subquery()

    each = span.about("chosen.id")
    apple = each.has(store_reach.with_phone(each, apple=True), found.c.id)
    google = each.has(store_reach.with_google(each), found.c.id)
    row = tx.execute(
        select(
            of(),
            of(each.has(store_reach.consenting(each), found.c.id)),
            of(apple),
            of(google),
            of(apple, google),
            of(found.c.phone.is_not(None), each.has(store_reach.consenting(each, texts=True), found.c.id)),
        )
    ).one()
    return Numbers(*map(int, row))


def page(tx: Tx, span: Span, asked: Asked, limit: int) -> list[Found]:
    """The first so many of the span, in order of id, by the habits that are kept."""
    chosen = _branch(span, asked, habit, habit_venue).order_by(guest.c.id).limit(limit)
    return [Found(*row) for row in tx.execute(chosen)]


def block_end(tx: Tx, span: Span) -> MemberId:
    """The last id of the first :data:`BLOCK` members of the span."""
    ids = span.members().order_by(member.c.id).offset(BLOCK - 1).limit(1)
    return MemberId(tx.scalar(ids) or span.upto)


def last_member(tx: Tx, brand_id: int) -> MemberId:
    """The greatest id that a member of the brand has; 0 where there is none."""
    return MemberId(tx.scalar(select(func.max(member.c.id)).where(member.c.brand_id == brand_id)) or 0)


def chosen(tx: Tx, span: Span, asked: Asked, fresh: Fresh) -> Select[Any]:
    """Id, language and phone of members by the habits kept, but for those of whom fresher ones are given."""
    kept = _branch(span, asked, habit, habit_venue)
    if not fresh.member_ids:
        return kept
    waiting = given(tx, [{"member_id": one} for one in fresh.member_ids], {"member_id": Id})
    newer = _branch(
        span,
        asked,
        _table(tx, habit_rows(fresh.habits), HABIT, "fresh_habit"),
        _table(tx, venue_rows(fresh.habits), VENUE, "fresh_venue"),
    )
    both = union_all(
        kept.where(guest.c.id.not_in(select(waiting.c.member_id))),
        newer.where(guest.c.id.in_(select(waiting.c.member_id))),
    ).subquery("both")
    return select(both)


def _table(tx: Tx, rows: Sequence[Mapping[str, Any]], types: Types, name: str) -> FromClause:
    """Rows as a table that is made once: without the limit SQLite reads them all again for each guest."""
    return select(given(tx, rows, types)).limit(len(rows)).subquery(name)


def _branch(span: Span, asked: Asked, ours: FromClause, venues: FromClause) -> Select[Any]:
    """Living members who pass every filter, by these habits."""
    audience = asked.audience
    bought = _bought(asked, ours)
    met = bought and "never" not in audience.activity
    # SQLite asks where a column is known: sets are looked into last, for those alone whose habits fit.
    each = span.about(f"{ours.description}.member_id" if met else "guest.id")
    found = select(guest.c.id, guest.c.language, guest.c.phone).where(
        guest.c.brand_id == span.brand_id,
        guest.c.id > span.after,
        guest.c.id <= span.upto,
        guest.c.removed_at.is_(None),
        *_person(asked),
    )
    if bought:
        joined = and_(ours.c.brand_id == guest.c.brand_id, ours.c.member_id == guest.c.id)
        found = found.join_from(guest, ours, joined, isouter=not met).where(*bought)
    if audience.visited:
        since = habits.day_number(asked.today) - audience.visited_days
        there = select(venues.c.member_id).where(
            among(venues.c.venue_id, audience.visited),
            venues.c.last_day > since,
            venues.c.member_id > span.after,
            venues.c.member_id <= span.upto,
        )
        found = found.where(guest.c.id.in_(there))
    if _asks_cards(audience):
        found = found.where(each.has(_with_card(each, audience), guest.c.id))
    if audience.wallet:
        states = store_reach.in_state(each, audience.wallet, silent_days=audience.silent_days, now=asked.now)
        found = found.where(each.has(states, guest.c.id))
    if audience.consent:
        found = found.where(each.has(store_reach.consenting(each), guest.c.id))
    return found


def _person(asked: Asked) -> list[ColumnElement[bool]]:
    """What a member's own row says."""
    audience = asked.audience
    conditions: list[ColumnElement[bool]] = []
    if audience.languages:
        conditions.append(guest.c.language.in_(audience.languages))
    if audience.phone:
        known: Mapping[str, ColumnElement[bool]] = {
            "verified": guest.c.phone_verified_at.is_not(None),
            "given": and_(guest.c.phone.is_not(None), guest.c.phone_verified_at.is_(None)),
            "none": guest.c.phone.is_(None),
        }
        conditions.append(or_(*(known[one] for one in audience.phone)))
    if audience.birthday_days is not None:
        ranges = birthdays.window(asked.today, audience.birthday_days)
        conditions.append(or_(*(guest.c.birthday.between(*ends) for ends in ranges)))
    return conditions


def _bought(asked: Asked, ours: FromClause) -> list[ColumnElement[bool]]:
    """What receipts say."""
    audience, ends = asked.audience, asked.cuts
    conditions: list[ColumnElement[bool]] = []
    if audience.activity:
        conditions.append(or_(*(_active(one, asked, ours) for one in audience.activity)))
    for column, wanted, cut in (
        (ours.c.average, [("low", "middle", "high").index(one) + 1 for one in audience.check], ends.average),
        (ours.c.last_day, audience.recency, ends.last_day),
        (ours.c.visits, audience.frequency, ends.visits),
        (ours.c.spent, audience.monetary, ends.spent),
    ):
        if wanted:
            conditions.append(or_(*(_part(column, part, cut) for part in wanted)))
    if audience.check_from is not None:
        conditions.append(ours.c.average >= audience.check_from)
    if audience.check_to is not None:
        conditions.append(ours.c.average <= audience.check_to)
    return conditions


def _part(column: ColumnElement[Any], part: int, cut: Sequence[int]) -> ColumnElement[bool]:
    """The value is in this part, from 1; where nobody bought lately there are none."""
    if not cut:
        return false()
    above = column > cut[part - 2] if part > 1 else true()
    return and_(above, column <= cut[part - 1] if part <= len(cut) else true())


def _active(preset: str, asked: Asked, ours: FromClause) -> ColumnElement[bool]:
    audience, today = asked.audience, habits.day_number(asked.today)

    def as_many(visits: int) -> ColumnElement[bool]:
        """So many of the last days' visits, or more: the visit that many back was in them."""
        begin, width = (visits - 1) * habits.DAY_DIGITS + 1, habits.DAY_DIGITS
        earliest = f"{today - audience.activity_days + 1:0{width}d}"
        return func.substr(ours.c.recent, begin, width) >= literal(earliest)

    match preset:
        case "new":
            return ours.c.visits <= audience.new_most
        case "regular":
            return and_(as_many(audience.regular_from), ~as_many(audience.regular_most + 1))
        case "constant":
            return as_many(audience.regular_most + 1)
        case "asleep":
            return ours.c.last_day <= today - audience.asleep_days
        case _:
            return ours.c.member_id.is_(None)


def _asks_cards(audience: Audience) -> bool:
    asked = (audience.programmes, audience.tiers, audience.home_venues)
    return any(asked) or _asks_sources(audience)


def _asks_sources(audience: Audience) -> bool:
    return any((audience.placements, audience.staff, audience.links))


def _with_card(span: Span, audience: Audience) -> Select[Any]:
    """Members with one living card that passes every filter about cards."""
    found = span.members().join(enrolment, enrolment.c.member_id == member.c.id)
    found = found.where(enrolment.c.ended_at.is_(None))
    if audience.programmes:
        found = found.where(among(enrolment.c.programme_id, audience.programmes))
    if audience.tiers:
        found = found.where(enrolment.c.tier.in_(audience.tiers))
    if audience.home_venues:
        found = found.where(among(enrolment.c.venue_id, audience.home_venues))
    if not _asks_sources(audience):
        return found
    found = found.join(visit, visit.c.id == enrolment.c.visit_id)
    found = found.join(install_link, install_link.c.id == visit.c.install_link_id)
    if audience.placements:
        found = found.join(placement, placement.c.id == install_link.c.placement_id)
        found = found.where(placement.c.kind.in_(audience.placements))
    if audience.staff:
        found = found.where(among(install_link.c.staff_member_id, audience.staff))
    if audience.links:
        found = found.where(among(install_link.c.id, audience.links))
    return found
