"""The funnel: how far guests came, by venue, link, placement or staff member, told honestly.

Counts are kept as events arrive (:mod:`app.places.tallies`). A step is counted once a visit, in the day in
which the visit began (by its venue's own clock), whenever it was taken. Robots, link previews and prefetches
begin no visit, so nothing has to be taken out here.

Shares carry intervals, groups stand in the order of their names, and a group is called better or worse than
the others only where that is no chance (:mod:`app.places.funnel_verdicts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from app.accounts import brands, staff
from app.db import Tx
from app.db.identifiers import BrandId, VenueId
from app.errors import BadInput
from app.places import funnel_verdicts, links, placements, store_tallies, venues
from app.places.funnel_counts import COHORT_STEPS, COUNTED, STEPS, Counts, Flow, Period, Step, total
from app.places.funnel_estimates import Estimate, estimates
from app.places.funnel_verdicts import FEWEST, Judgement, Verdict
from app.places.store_tallies import Part, Scope
from app.places.venues import Venue

__all__ = [
    "BY",
    "COUNTED",
    "FEWEST",
    "GROUPS",
    "STEPS",
    "Counts",
    "Entry",
    "Flow",
    "Funnel",
    "Group",
    "Period",
    "Step",
    "Verdict",
    "asks_codes",
    "flows",
    "funnel",
    "last_days",
    "period",
]

Group = Literal["venue", "link", "placement", "staff_member"]
GROUPS: tuple[Group, ...] = get_args(Group)
BY: Mapping[str, Group] = {
    "venue": "venue",
    "link": "link",
    "placement": "placement",
    "staff": "staff_member",
}
"""Groups by the words that people and programs ask with."""

MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Entry:
    """A venue, link, placement or staff member, compared with all the others together.

    ``estimate`` is the whole way's share, drawn towards what the groups have in common.
    """

    id: int
    name: str
    flow: Flow
    estimate: Estimate
    judgement: Judgement

    @property
    def counts(self) -> Counts:
        """Of the days that were asked for."""
        return self.flow.now

    @property
    def verdict(self) -> Verdict:
        """By the whole way."""
        return self.judgement.verdict

    @property
    def loses_at(self) -> Step | None:
        """The step at which it surely loses most, compared with the others."""
        return self.judgement.loses_at


@dataclass(frozen=True, slots=True)
class Funnel:
    """Entries by name, and what they are together; ``codes``: numbers are proved on the way."""

    entries: list[Entry]
    total: Flow
    codes: bool


def period(first: date, last: date) -> Period:
    """Checked: raises BadInput for days in the wrong order, or more than :data:`MOST_DAYS`."""
    if last < first:
        raise BadInput("bad-period", f"The last day, {last}, is before the first, {first}", field="to")
    if (last - first).days >= MOST_DAYS:
        raise BadInput("bad-period", f"Ask for at most {MOST_DAYS} days at once", field="from")
    # A year before must still be in the calendar, and the day after as well.
    if first <= date.min + timedelta(days=MOST_DAYS) or last >= date.max - timedelta(days=1):
        raise BadInput("bad-period", "These days are beyond any calendar", field="from")
    return Period(first=first, last=last)


def last_days(days: int, *, time_zone: str, now: datetime) -> Period:
    """Today in that zone, and the days before it: so many in all."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    return period(today - timedelta(days=days - 1), today)


def funnel(
    tx: Tx, brand_id: BrandId, *, by: Group, period: Period, now: datetime, venue_id: VenueId | None = None
) -> Funnel:
    """The funnel of a brand, or of one of its venues; who had no visit is left out."""
    brand = brands.brand(tx, brand_id)
    shown = [v for v in venues.all_venues(tx, brand_id) if venue_id in (None, v.id)]
    zone = shown[0].time_zone if venue_id and shown else brand.time_zone
    scope = Scope(
        brand_id=brand_id,
        first=period.first,
        last=period.last,
        venue_ids=[venue_id] if venue_id is not None else None,
    )
    found = flows(tx, scope, by=by, today=now.astimezone(ZoneInfo(zone)).date())
    found = {key: flow for key, flow in found.items() if flow.now != Counts()}
    whole = total(found.values())
    codes = asks_codes(brand, whole)
    names = _names(tx, brand_id, by, shown) if found else {}
    judged = funnel_verdicts.judge(found, whole, codes=codes)
    drawn = estimates({key: flow.installed for key, flow in found.items()})
    entries = [Entry(key, names[key], flow, drawn[key], judged[key]) for key, flow in found.items()]
    return Funnel(sorted(entries, key=lambda entry: _natural(entry.name)), whole, codes)


def flows(tx: Tx, scope: Scope, *, by: Group, today: date) -> dict[int, Flow]:
    """What became of the scope's visits, by group: of its days, and of as many days that are old enough."""
    asked = Period(first=scope.first, last=scope.last)
    wanted = []
    for cohort, columns in COHORT_STEPS.items():
        days = asked.of(cohort, today=today)
        wanted.append(Part(days.first, days.last, columns))
    parts = [
        {key: Counts(**dict(zip(part.columns, steps, strict=True))) for key, steps in found.items()}
        for part, found in zip(wanted, store_tallies.sums_of(tx, scope, by=by, parts=wanted), strict=True)
    ]
    none = Counts()
    return {key: Flow(*(part.get(key, none) for part in parts)) for key in sorted(set().union(*parts))}


def asks_codes(brand: brands.Brand, whole: Flow) -> bool:
    """Whether numbers are proved on the way: they are now, or were in these days."""
    return brand.asks_phone == "proved" or whole.now.code > 0


def _names(tx: Tx, brand_id: BrandId, by: Group, shown: Sequence[Venue]) -> dict[int, str]:
    """What people call the groups."""
    slugs = {venue.id: venue.slug for venue in shown}
    match by:
        case "venue":
            return {int(key): slug for key, slug in slugs.items()}
        case "placement":
            spots = placements.placements_of_brand(tx, brand_id)
            return {s.id: f"{slugs[s.venue_id]}, {s.kind} {s.name}" for s in spots if s.venue_id in slugs}
        case "staff_member":
            return {person.id: person.name for person in staff.staff_of_brand(tx, brand_id)}
        case "link":
            return {made.id: made.code for made in links.links_of_brand(tx, brand_id)}


def _natural(name: str) -> list[tuple[int, str]]:
    """Table 2 stands before table 10."""
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in name.split()]
