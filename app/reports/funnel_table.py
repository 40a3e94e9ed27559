"""The funnel of a chain as a table: venues, placements, staff or links, filtered, compared and ordered.

Venues are always judged among all venues of the brand, also where somebody may see only a few of them; other
groups among those of the venues that are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

from sqlalchemy import select

from app.accounts import staff
from app.accounts.brands import Brand
from app.db import Tx
from app.db.identifiers import StaffMemberId, VenueId
from app.places import funnel, funnel_verdicts, links, placements
from app.places.funnel import Group
from app.places.funnel_counts import Counts, Flow, Period, total
from app.places.funnel_estimates import Estimate, estimates
from app.places.funnel_verdicts import FEWEST, Judgement
from app.places.placements import Kind
from app.places.store_tallies import Scope
from app.places.tables import venue

Order = Literal["name", "best", "weakest", "scans", "cards"]
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is looked at; ``venue_ids`` None: every venue of the brand."""

    period: Period
    by: Group = "venue"
    venue_ids: frozenset[VenueId] | None = None
    placement_kind: Kind | None = None
    invited: bool = False  # by staff members, and nothing else
    staff_member_id: StaffMemberId | None = None

    def scope(self, brand: Brand) -> Scope:
        """The same for the database."""
        return Scope(
            brand_id=brand.id,
            first=self.period.first,
            last=self.period.last,
            venue_ids=None if self.venue_ids is None else sorted(self.venue_ids),
            placement_kind=self.placement_kind,
            invited=self.invited,
            staff_member_id=self.staff_member_id,
        )


@dataclass(frozen=True, slots=True)
class Label:
    """What people call a group; ``kind`` is a placement's."""

    name: str
    venue_id: VenueId | None = None
    venue: str = ""  # its name
    venue_slug: str = ""
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A group with its counts, its whole way's share drawn towards the others', and what may be said."""

    id: int
    label: Label
    flow: Flow
    estimate: Estimate
    judgement: Judgement

    @property
    def known(self) -> bool:
        """Whether there are enough scans to place it in an order."""
        return self.flow.now.scan >= FEWEST


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in order, what they are together, and whether numbers are proved on the way."""

    rows: list[Row]
    total: Flow
    codes: bool


def table(tx: Tx, brand: Brand, filters: Filters, *, today: date, order: Order = "name") -> Table:
    """The filtered table; who had no visit in the period is left out.

    *best* and *weakest* go by what a group surely has; those with too few scans to say stand at the end.
    """
    scope = filters.scope(brand)
    judged_in = replace(scope, venue_ids=None) if filters.by == "venue" else scope
    flows = funnel.flows(tx, judged_in, by=filters.by, today=today)
    flows = {key: flow for key, flow in flows.items() if flow.now != Counts()}
    whole = total(flows.values())
    codes = funnel.asks_codes(brand, whole)
    judged = funnel_verdicts.judge(flows, whole, codes=codes)
    drawn = estimates({key: flow.installed for key, flow in flows.items()})
    shown = [
        key for key in flows
        if filters.by != "venue" or filters.venue_ids is None or VenueId(key) in filters.venue_ids
    ]  # fmt: skip
    names = labels(tx, brand, filters.by, venue_ids=filters.venue_ids) if shown else {}
    rows = [Row(key, names[key], flows[key], drawn[key], judged[key]) for key in shown]
    rows.sort(key=lambda row: natural(f"{row.label.venue} {row.label.name}"))
    if order != "name":
        rows.sort(key=_KEYS[order])
    return Table(rows, total(row.flow for row in rows), codes)


_KEYS: Mapping[Order, Callable[[Row], tuple[bool, float]]] = {
    "best": lambda row: (not row.known, -row.estimate.low),
    "weakest": lambda row: (not row.known, row.estimate.high),
    "scans": lambda row: (False, -row.flow.now.scan),
    "cards": lambda row: (False, -row.flow.now.added),
}


def labels(
    tx: Tx, brand: Brand, by: Group, *, venue_ids: Collection[VenueId] | None = None
) -> dict[int, Label]:
    """What people call the brand's groups; of placements those of ``venue_ids`` do, where it is given."""
    told = select(venue.c.id, venue.c.name, venue.c.slug).where(venue.c.brand_id == brand.id)
    places = {row.id: row for row in tx.execute(told)}

    def at(name: str, venue_id: VenueId | None, kind: Kind | None = None) -> Label:
        place = places[venue_id] if venue_id is not None else None
        return Label(name, venue_id, place.name if place else "", place.slug if place else "", kind)

    match by:
        case "venue":
            return {int(key): Label(one.name, key, "", one.slug) for key, one in places.items()}
        case "placement":
            one = next(iter(venue_ids)) if venue_ids is not None and len(venue_ids) == 1 else None
            spots = (
                placements.placements_of_brand(tx, brand.id)
                if one is None
                else placements.placements_of_venue(tx, one)
            )
            return {spot.id: at(spot.name, spot.venue_id, spot.kind) for spot in spots}
        case "staff_member":
            return {one.id: at(one.name, one.venue_id) for one in staff.staff_of_brand(tx, brand.id)}
        case "link":
            return {one.id: at(one.code, one.venue_id) for one in links.links_of_brand(tx, brand.id)}


def natural(name: str) -> list[tuple[int, str]]:
    """Table 2 stands before table 10, whatever the case of letters."""
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in name.casefold().split()]
