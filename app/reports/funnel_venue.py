"""One venue's funnel, as its manager sees it on one screen: a week against the one before, and what to do.

Nothing is said that the data do not carry: which is worse or better, and where guests are lost, comes from
:mod:`app.places.funnel_verdicts`, what went up or down from :mod:`app.places.funnel_changes`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from app.accounts.brands import Brand
from app.db import Tx
from app.db.identifiers import VenueId
from app.places import funnel, store_tallies
from app.places.funnel_changes import Change, Traffic, change, changes, traffic
from app.places.funnel_counts import Counts, Flow, Period, Step, cohort_of
from app.places.funnel_intervals import Share
from app.places.funnel_verdicts import Judgement, Loss
from app.places.store_tallies import Scope
from app.places.venues import Venue
from app.reports import funnel_staff, funnel_table, funnel_today
from app.reports.funnel_staff import StaffRow
from app.reports.funnel_table import Filters, Row

WEEK = 7
COMPARED_DAYS = 28
"""Days by which a venue is compared with the chain, and its placements with each other."""

Told = Literal["alone", "cannot_tell", "nothing", "losses"]
Advice = Literal[
    "first_scan", "first_day", "no_scans", "lose_page", "lose_form", "lose_code", "lose_added",
    "lose_receipt", "lose_active", "weak_placement", "fewer_scans", "fewer_get_on", "more_removed",
    "behind_plan", "strong_placement", "keep_on",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A step of the way: how many of how many took it, in which days, and against the days before."""

    step: Step
    days: Period
    change: Change

    @property
    def late(self) -> bool:
        """Whether its visits are older than the week that is shown, since the step takes time."""
        return cohort_of(self.step) != "now"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The one thing to do; ``step`` is what it is about, ``row`` the placement, ``staff`` the person."""

    advice: Advice
    step: Step | None = None
    row: Row | None = None
    staff: StaffRow | None = None


@dataclass(frozen=True, slots=True)
class Spots:
    """The venue's placements, and which of them are surely better and worse than the others."""

    rows: list[Row]
    best: Row | None
    weakest: Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFunnel:
    """All of the screen."""

    venue: Venue
    week: Period
    month: Period  # of the comparisons
    flow: Flow
    codes: bool
    today: Counts  # of the day that is not over: it is compared with nothing
    scans: Traffic
    lines: list[Line]
    removed: Change  # of the cards of a month ago, how many were given up
    removed_days: Period
    told: Told
    losses: tuple[Loss, ...]  # where it surely loses more guests than the other venues, the greatest first
    spots: Spots
    staff: list[StaffRow]
    suggestion: Suggestion


def venue_funnel(
    tx: Tx, brand: Brand, venue: Venue, *, now: datetime, seen: Collection[VenueId] | None = None
) -> VenueFunnel:
    """The seven full days that are over, by the venue's own clock, and what may be said of them.

    ``seen`` are the venues that the asker may see, None for all: of staff only their cards are counted.
    """
    today = now.astimezone(ZoneInfo(venue.time_zone)).date()
    yesterday = today - timedelta(days=1)
    week = Period(first=today - timedelta(days=WEEK), last=yesterday)
    month = Period(first=today - timedelta(days=COMPARED_DAYS), last=yesterday)
    one = _of_venue(tx, brand, venue, week, today)
    other = _of_venue(tx, brand, venue, week.before(), today - timedelta(days=WEEK))
    codes = funnel.asks_codes(brand, one.plus(other))
    scope = Scope(brand_id=brand.id, first=today, last=today, venue_ids=[venue.id])
    by_now = funnel_today.so_far(tx, scope, [venue], now=now)
    ever = store_tallies.had_days(tx, venue.id, before=today)
    told, losses = _against_chain(tx, brand, venue, month, today)
    spots = _spots(tx, brand, venue, month, today)
    staff = funnel_staff.month_so_far(tx, brand, venue_id=venue.id, today=today, seen=seen)
    turned, scans = changes(one, other, codes=codes), traffic(one.now.scan, other.now.scan)
    removed = change(_given_up(one), _given_up(other))
    return VenueFunnel(
        venue=venue,
        week=week,
        month=month,
        flow=one,
        codes=codes,
        today=by_now,
        scans=scans,
        lines=[Line(step, week.of(cohort_of(step), today=today), turned[step]) for step in turned],
        removed=removed,
        removed_days=week.of("month", today=today),
        told=told,
        losses=losses,
        spots=spots,
        staff=staff,
        suggestion=_suggest(scans, turned, removed, losses, spots, staff, ever=ever, today=by_now.scan),
    )


def _spots(tx: Tx, brand: Brand, venue: Venue, month: Period, today: date) -> Spots:
    filters = Filters(period=month, by="placement", venue_ids=frozenset({venue.id}))
    rows = funnel_table.table(tx, brand, filters, today=today, order="best").rows
    best = next((row for row in rows if row.judgement.verdict == "better"), None)
    weakest = next((row for row in reversed(rows) if row.judgement.verdict == "worse"), None)
    return Spots(rows, best, weakest)


def _of_venue(tx: Tx, brand: Brand, venue: Venue, days: Period, today: date) -> Flow:
    scope = Scope(brand_id=brand.id, first=days.first, last=days.last, venue_ids=[venue.id])
    return funnel.flows(tx, scope, by="venue", today=today).get(venue.id, Flow())


def _against_chain(
    tx: Tx, brand: Brand, venue: Venue, month: Period, today: date
) -> tuple[Told, tuple[Loss, ...]]:
    shown = Filters(period=month, venue_ids=frozenset({venue.id}))
    rows = funnel_table.table(tx, brand, shown, today=today).rows
    judgement = rows[0].judgement if rows else Judgement("too_few")
    if judgement.losses:
        return "losses", judgement.losses
    match judgement.verdict:
        case "alone":
            return "alone", ()
        case "too_few":
            return "cannot_tell", ()
        case _:
            return "nothing", ()


def _given_up(flow: Flow) -> Share:
    """Of the cards that were added a month ago."""
    return Share(flow.kept.out_of - flow.kept.count, flow.kept.out_of)


def _suggest(
    scans: Traffic,
    turned: Mapping[Step, Change],
    removed: Change,
    losses: Sequence[Loss],
    spots: Spots,
    staff: Sequence[StaffRow],
    *,
    ever: bool,
    today: int,
) -> Suggestion:
    """The one thing that helps most: no scans at all, then what is surely lost, then what could be more."""
    if not scans.now and today:
        return Suggestion("keep_on" if ever else "first_day")
    if not scans.now:
        return Suggestion("no_scans" if ever else "first_scan")
    if losses:
        return Suggestion(_LOSE[losses[0].step])
    if spots.weakest:
        return Suggestion("weak_placement", row=spots.weakest)
    if scans.turn == "down":
        return Suggestion("fewer_scans")
    if fallen := [step for step in turned if turned[step].turn == "down"]:
        return Suggestion("fewer_get_on", step=fallen[0])
    if removed.turn == "up":
        return Suggestion("more_removed")
    behind = [row for row in staff if row.standing == "behind"]
    if behind:
        return Suggestion("behind_plan", staff=min(behind, key=lambda row: row.weighted - row.expected))
    if spots.best:
        return Suggestion("strong_placement", row=spots.best)
    return Suggestion("keep_on")


_LOSE: Mapping[Step, Advice] = {
    "page": "lose_page",
    "form": "lose_form",
    "code": "lose_code",
    "added": "lose_added",
    "receipt": "lose_receipt",
    "active": "lose_active",
}
