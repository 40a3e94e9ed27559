"""The funnel: how far guests came, by venue, link, placement or staff member, told honestly.

Counts are derived from visits' steps when somebody asks. A step is counted once a visit, in the days in which
the visit began (in its venue's own time zone), whenever it was taken. Robots, link previews and prefetches
begin no visit, so nothing has to be taken out here.

Shares carry intervals, groups stand in the order of their names, and a group is called better or worse than
the others only where that is no chance: with enough visits on both sides, and surely enough for as many
comparisons as are made at once (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from app.accounts import staff
from app.db import Tx
from app.db.identifiers import BrandId, VenueId
from app.errors import BadInput
from app.places import links, placements, store_funnel, venues
from app.places.funnel_intervals import CONFIDENCE, Share, difference
from app.places.venues import Venue
from app.places.visits import VisitEventKind

Group = Literal["venue", "link", "placement", "staff_member"]
GROUPS: tuple[Group, ...] = get_args(Group)
BY: Mapping[str, Group] = {
    "venue": "venue",
    "link": "link",
    "placement": "placement",
    "staff": "staff_member",
}
"""Groups by the words that people and programs ask with."""
Step = Literal["page", "form", "added"]
STEPS: Mapping[Step, VisitEventKind] = {"page": "scan", "form": "page", "added": "form"}
"""The steps of the way, each with the one before it."""

Verdict = Literal["alone", "too_few", "no_difference", "better", "worse"]
FEWEST = 30
"""Scans in a group, and in all others together, below which nothing is compared."""

MOST_DAYS = 3660


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days of the venue's own calendar, both included."""

    first: date
    last: date

    def window(self, venue: Venue) -> store_funnel.Window:
        """The same for the database: from midnight to midnight there."""
        zone = ZoneInfo(venue.time_zone)
        since, until = (
            datetime.combine(day, time(), zone).astimezone(UTC)
            for day in (self.first, self.last + timedelta(days=1))
        )
        return store_funnel.Window(venue.id, since, until)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many visits took each step; ``in_app`` are detours, ``removed`` gave the card up again."""

    scan: int = 0
    page: int = 0
    in_app: int = 0
    form: int = 0
    added: int = 0
    removed: int = 0

    def share(self, step: Step) -> Share:
        """Of those who took the step before, how many took this one."""
        return _share(getattr(self, step), getattr(self, STEPS[step]))

    @property
    def installed(self) -> Share:
        """Of those who scanned, how many have added the card."""
        return _share(self.added, self.scan)

    def less(self, other: Counts) -> Counts:
        """What is left without ``other``."""
        return Counts(*(getattr(self, name) - getattr(other, name) for name in COUNTED))


COUNTED: tuple[VisitEventKind, ...] = get_args(VisitEventKind)


@dataclass(frozen=True, slots=True)
class Entry:
    """A venue, link, placement or staff member with its counts, compared with all the others together.

    ``loses_at`` is the step at which a worse one loses most, where that is no chance either.
    """

    id: int
    name: str
    counts: Counts
    verdict: Verdict
    loses_at: Step | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """Entries by name, and what they are together."""

    entries: list[Entry]
    total: Counts


def period(first: date, last: date) -> Period:
    """Checked: raises BadInput for days in the wrong order, or more than :data:`MOST_DAYS`."""
    if last < first:
        raise BadInput("bad-period", f"The last day, {last}, is before the first, {first}", field="to")
    if (last - first).days >= MOST_DAYS:
        raise BadInput("bad-period", f"Ask for at most {MOST_DAYS} days at once", field="from")
    # Midnight of the neighbouring days must still be a moment, in whatever zone.
    if first <= date.min + timedelta(days=1) or last >= date.max - timedelta(days=1):
        raise BadInput("bad-period", "These days are beyond any calendar", field="from")
    return Period(first=first, last=last)


def last_days(days: int, *, time_zone: str, now: datetime) -> Period:
    """Today in that zone, and the days before it: so many in all."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    return period(today - timedelta(days=days - 1), today)


def funnel(
    tx: Tx, brand_id: BrandId, *, by: Group, period: Period, venue_id: VenueId | None = None
) -> Funnel:
    """The funnel of a brand, or of one of its venues; who had no visit is left out."""
    shown = [v for v in venues.all_venues(tx, brand_id) if venue_id in (None, v.id)]
    steps: dict[int, dict[str, int]] = {}
    for row in store_funnel.counts(tx, [period.window(venue) for venue in shown], by=by):
        steps.setdefault(row.group_id, {})[row.kind] = row.visits
    groups = {group_id: Counts(**kinds) for group_id, kinds in steps.items()}
    total = Counts(*(sum(getattr(counts, name) for counts in groups.values()) for name in COUNTED))
    names = _names(tx, brand_id, by, shown) if groups else {}
    entries = [
        Entry(group_id, names[group_id], counts, *_compared(counts, total, len(groups)))
        for group_id, counts in groups.items()
    ]
    return Funnel(sorted(entries, key=lambda entry: _natural(entry.name)), total)


def _compared(counts: Counts, total: Counts, groups: int) -> tuple[Verdict, Step | None]:
    others = total.less(counts)
    if groups == 1:
        return "alone", None
    if min(counts.scan, others.scan) < FEWEST:
        return "too_few", None
    surely = 1 - (1 - CONFIDENCE) / groups
    low, high = difference(counts.installed, others.installed, surely)
    if low > 0:
        return "better", None
    if high >= 0:
        return "no_difference", None
    surely = 1 - (1 - CONFIDENCE) / (groups * len(STEPS))
    gaps = {step: difference(counts.share(step), others.share(step), surely) for step in STEPS}
    worst = min(gaps, key=lambda step: gaps[step][1])
    return "worse", worst if gaps[worst][1] < 0 else None


def _names(tx: Tx, brand_id: BrandId, by: Group, shown: list[Venue]) -> dict[int, str]:
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


def _share(count: int, out_of: int) -> Share:
    # A step without the one before it is possible (an imported card, a lost pixel): never more than all.
    return Share(min(count, out_of), out_of)
