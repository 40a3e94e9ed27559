"""The funnel's days as a file for a spreadsheet: a row for every day and install link, as they are read.

Rows are read some at a time and written to the disk, never gathered: memory does not grow with the period.
Text that a spreadsheet would take for a formula is written as text.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import IO

import xlsxwriter

from app.accounts import staff
from app.accounts.brands import Brand
from app.db import Tx
from app.errors import BadInput
from app.places import links, placements, store_tallies, venues
from app.places.store_tallies import COLUMNS
from app.reports.funnel_table import Filters

Cell = str | int
NAMES: tuple[str, ...] = ("day", "venue", "placement_kind", "placement", "staff_member", "link")
"""Columns that say of what; steps follow, as :data:`app.places.store_tallies.COLUMNS`."""
MOST_SHEET_ROWS = 1_048_575
"""Beside the heading: what every spreadsheet program opens."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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


def write_csv(target: IO[bytes], headings: Sequence[str], found: Iterable[Sequence[Cell]]) -> None:
    """Comma-separated, in UTF-8 with the mark by which spreadsheets know it."""
    text = TextIOWrapper(target, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([_harmless(cell) for cell in row] for row in found)
    text.flush()
    text.detach()


def write_xlsx(path: Path, title: str, headings: Sequence[str], found: Iterable[Sequence[Cell]]) -> None:
    """A workbook with one sheet of rows that fit into it (:func:`fits_a_sheet`)."""
    # Row by row to the disk, beside the file itself.
    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet(title[:31])
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, headings, bold)
        for number, row in enumerate(found, 1):
            sheet.write_row(number, 0, row)


def _harmless(cell: Cell) -> Cell:
    """What begins like a formula is quoted: a venue's name must not compute anything on somebody's desk."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
