"""SQL of what an audience asks: conditions on guests' rows, on what is kept, on cards and venues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, false, func, literal, or_, select, true

from app.campaigns import birthdays
from app.campaigns.audience import Audience
from app.campaigns.store_reach import Span
from app.db import among
from app.loyalty import habits
from app.loyalty.tables import enrolment, member
from app.places.tables import install_link, placement, visit

guest = member.alias("guest")


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


def asks_person(audience: Audience) -> bool:
    """Something that only the member's own row says."""
    return bool(audience.languages or audience.phone) or audience.birthday_days is not None


def person(asked: Asked) -> list[ColumnElement[bool]]:
    """What a member's own row, :data:`guest`, says."""
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


def bought(asked: Asked, ours: FromClause) -> list[ColumnElement[bool]]:
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
            parts = or_(*(_part(column, part, cut) for part in wanted))
            conditions.append(and_(ours.c.visits > 0, parts))
    if audience.check_from is not None:
        conditions.append(ours.c.average >= audience.check_from)
    if audience.check_to is not None:
        conditions.append(ours.c.average <= audience.check_to)
    return conditions


def cards_and_venues(
    span: Span, asked: Asked, venues: FromClause, one: ColumnElement[int]
) -> list[ColumnElement[bool]]:
    """Which cards the member ``one`` has, and where they were last, by these habits."""
    audience = asked.audience
    conditions: list[ColumnElement[bool]] = []
    if audience.visited:
        since = habits.day_number(asked.today) - audience.visited_days
        there = select(venues.c.member_id).where(
            among(venues.c.venue_id, audience.visited),
            venues.c.last_day > since,
            venues.c.member_id > span.after,
            venues.c.member_id <= span.upto,
        )
        conditions.append(one.in_(there))
    if _asks_cards(audience):
        conditions.append(span.has(_with_card(span, audience), one))
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
            return ours.c.visits.between(1, audience.new_most)
        case "regular":
            return and_(as_many(audience.regular_from), ~as_many(audience.regular_most + 1))
        case "constant":
            return as_many(audience.regular_most + 1)
        case "asleep":
            return ours.c.last_day <= today - audience.asleep_days
        case _:
            return func.coalesce(ours.c.visits, 0) == 0


def _asks_cards(audience: Audience) -> bool:
    asked = (audience.programmes, audience.tiers, audience.home_venues)
    return any(asked) or _asks_sources(audience)


def _asks_sources(audience: Audience) -> bool:
    return any((audience.placements, audience.staff, audience.links))


def _with_card(span: Span, audience: Audience) -> Select[Any]:
    """Members with one living card that passes every filter about cards."""
    found = span.bounded(select(enrolment.c.member_id), enrolment.c.brand_id, enrolment.c.member_id)
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
