"""The funnel's days as a file for a spreadsheet: a row for every day and install link, as they are read."""

from __future__ import annotations

from collections.abc import Iterator

from app.accounts import staff
from app.accounts.brands import Brand
from app.db import Tx
from app.errors import BadInput
from app.places import links, placements, store_tallies, venues
from app.places.store_tallies import COLUMNS
from app.reports.funnel_table import Filters
from app.reports.sheets import MOST_SHEET_ROWS, Cell

NAMES: tuple[str, ...] = ("day", "venue", "placement_kind", "placement", "staff_member", "link")
"""Columns that say of what; steps follow, as :data:`app.places.store_tallies.COLUMNS`."""


def columns() -> tuple[str, ...]:
    """The columns' names, for programs."""
    return (*NAMES, *COLUMNS)


def rows(tx: Tx, brand: Brand, filters: Filters) -> Iterator[tuple[Cell, ...]]:
    """By day, then by link; days are ISO dates of the venue's own calendar."""
    places = {venue.id: venue.name for venue in venues.all_venues(tx, brand.id)}
    spots = {spot.id: spot for spot in placements.placements_of_brand(tx, brand.id)}
    people = {one.id: one.name for one in staff.staff_of_brand(tx, brand.id)}
    named: dict[int, tuple[str, ...]] = {}
    for link in links.links_of_brand(tx, brand.id):
        spot = spots.get(link.placement_id) if link.placement_id is not None else None
        person = people.get(link.staff_member_id, "") if link.staff_member_id is not None else ""
        kind, name = (spot.kind, spot.name) if spot else ("", "")
        named[link.id] = (places[link.venue_id], kind, name, person, link.code)
    for row in store_tallies.days(tx, filters.scope(brand)):
        yield (row.day.isoformat(), *named[row.install_link_id], *row.steps)


def fits_a_sheet(tx: Tx, brand: Brand, filters: Filters, *, most: int = MOST_SHEET_ROWS) -> None:
    """Raises BadInput ("too-many-rows") where a sheet would end before the rows do.

    Asked first: to find it out by writing takes minutes.
    """
    if store_tallies.count_days(tx, filters.scope(brand)) > most:
        raise BadInput(
            "too-many-rows", "This is more than a spreadsheet holds: ask for fewer days", field="from"
        )
