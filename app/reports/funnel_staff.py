"""Staff members' invitations against their plan, weighted by what came of them.

A card that is thrown away, or whose guest never comes again, is worth less than one that lives. So cards of
this month are weighted by how many of somebody's earlier cards were kept and led to a second visit, compared
with the whole brand's: 1 is as everybody. With few cards to go by the weight is near 1, whatever they did.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from app.accounts import staff
from app.accounts.brands import Brand
from app.accounts.staff import StaffMember
from app.db import Tx
from app.db.identifiers import VenueId
from app.places import store_tallies
from app.places.funnel_changes import pace
from app.places.funnel_counts import COHORT_STEPS, Counts, Flow, Period, total
from app.places.funnel_estimates import Prior, estimate
from app.places.funnel_intervals import Share
from app.places.store_tallies import Scope
from app.places.visits import VisitEventKind

Standing = Literal["no_plan", "ahead", "on_plan", "behind"]
_JUDGED_DAYS = 60
"""How many days' cards somebody's weight goes by: those whose month has just passed."""
_DRAWN = 30.0
"""As how many cards the brand's shares count beside somebody's own."""


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One staff member's month so far.

    ``quality`` is the weight of a card of theirs, 1 as everybody's; ``expected`` is the plan's part for the
    days that are over.
    """

    member: StaffMember
    cards: int
    quality: float
    expected: float
    standing: Standing

    @property
    def weighted(self) -> float:
        """Cards, by what came of earlier ones."""
        return self.cards * self.quality


def month_so_far(
    tx: Tx,
    brand: Brand,
    *,
    venue_id: VenueId | None,
    today: date,
    seen: Collection[VenueId] | None = None,
) -> list[StaffRow]:
    """Who works there (or, without a venue, in the brand), by name: who has a plan or invited somebody.

    Who belongs to no venue in particular is told of every venue, with what they invited in all of them.
    ``seen`` are the venues that the asker may see, None for all: cards of others count nowhere, and a part of
    somebody's cards is not held against the plan that is for all of them.
    """
    month = Period(first=today.replace(day=1), last=today)
    ripe = Period(first=today, last=today).of("month", today=today)
    judged = Period(first=ripe.back(_JUDGED_DAYS - 1).first, last=ripe.last)
    now = _by_person(tx, brand, month, ("added",), seen)
    earlier = {
        person: Flow(month=counts)
        for person, counts in _by_person(tx, brand, judged, COHORT_STEPS["month"], seen).items()
    }
    everybody = total(earlier.values())
    over = Period(first=month.first, last=max(month.first, today - timedelta(days=1)))
    until_yesterday = _by_person(tx, brand, over, ("added",), seen) if today > month.first else {}
    rows = []
    for member in staff.staff_of_brand(tx, brand.id):
        cards = now.get(member.id, Counts()).added
        gone = member.left_at is not None
        if (venue_id is not None and member.venue_id not in (None, venue_id)) or (gone and not cards):
            continue
        in_part = seen is not None and member.venue_id is None
        person = replace(member, monthly_target=None) if in_part else member
        if person.monthly_target is None and not cards:
            continue
        quality = weight(earlier.get(member.id, Flow()), everybody)
        expected = _expected(person, brand, today)
        # Today is not over: it counts neither for nor against anybody.
        judged_cards = until_yesterday.get(member.id, Counts()).added
        standing = _standing(person, judged_cards * quality, expected)
        rows.append(StaffRow(person, cards, quality, expected, standing))
    return rows


def _by_person(
    tx: Tx,
    brand: Brand,
    days: Period,
    columns: Sequence[VisitEventKind],
    seen: Collection[VenueId] | None,
) -> dict[int, Counts]:
    where = sorted(seen) if seen is not None else None
    scope = Scope(brand_id=brand.id, first=days.first, last=days.last, venue_ids=where, invited=True)
    found = store_tallies.sums(tx, scope, by="staff_member", columns=columns)
    return {key: Counts(**dict(zip(columns, steps, strict=True))) for key, steps in found.items()}


def weight(own: Flow, everybody: Flow) -> float:
    """Half by cards kept, half by second visits, each against everybody's."""
    parts = [_against(own.kept, everybody.kept), _against(own.came_again, everybody.came_again)]
    return sum(parts) / len(parts)


def _against(own: Share, everybody: Share) -> float:
    if not everybody.value:
        return 1.0
    return estimate(own, Prior(everybody.value, _DRAWN)).value / everybody.value


def _expected(member: StaffMember, brand: Brand, today: date) -> float:
    """The plan's part for the days of this month that are over, from the day after they came."""
    days = calendar.monthrange(today.year, today.month)[1]
    came = member.created_at.astimezone(ZoneInfo(brand.time_zone)).date()
    began = max(today.replace(day=1), came + timedelta(days=1))
    return (member.monthly_target or 0) * max(0, (today - began).days) / days


def _standing(member: StaffMember, weighted: float, expected: float) -> Standing:
    if not member.monthly_target:
        return "no_plan"
    turn = pace(round(weighted), expected)
    return "ahead" if turn == "up" else "behind" if turn == "down" else "on_plan"
