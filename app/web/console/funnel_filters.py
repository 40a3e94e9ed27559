"""What somebody asks the chain's table for, by the address: unknown words are as if nothing was said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import request

from app.accounts import staff
from app.db import Tx
from app.db.identifiers import StaffMemberId
from app.errors import BadInput
from app.places import funnel
from app.places.funnel import Group
from app.places.funnel_counts import Period
from app.places.placements import KINDS
from app.places.venues import Venue
from app.reports.funnel_table import ORDERS, Filters, Order, Row
from app.web.console.forms import digits
from app.web.console.visit import Visit

DAYS = (7, 28, 90, 365)
USUAL_DAYS = 28
MOST_DAYS = 366
INVITED = "staff"
ROWS = 100
"""Of a table, on one page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters, as they are and as they were spelt; ``trouble`` where the days made no sense."""

    filters: Filters
    order: Order
    today: date
    spelt: dict[str, str]
    trouble: bool = False

    def query(self, **changed: str) -> str:
        """The address's question with something changed; what is empty is left out."""
        return urlencode({key: value for key, value in {**self.spelt, **changed}.items() if value})


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of a table's rows: a phone that gets three thousand at once shows none for seconds."""

    number: int  # of the part, from 1
    count: int  # of parts
    first: int  # row, from 1
    rows: list[Row]
    all: int  # rows

    @property
    def last(self) -> int:
        """The row that ends it."""
        return self.first + len(self.rows) - 1


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from."""

    venues: list[tuple[str, str]]
    staff: list[tuple[str, str]]


def asked(visit: Visit, seen: list[Venue]) -> Asked:
    """What the address asks for, of the venues that the visitor may see."""
    today = visit.now.astimezone(ZoneInfo(visit.brand.time_zone)).date()
    given = {
        key: request.args.get(key, "")[:40] for key in ("days", "from", "to", "venue", "where", "by", "order")
    }
    period, trouble = _period(given, today)
    chosen = [one for one in seen if one.slug == given["venue"]]
    allowed = visit.access.venues
    by: Group = funnel.BY.get(given["by"], "venue")
    where = given["where"]
    person = digits(where.removeprefix("person-")) if where.startswith("person-") else None
    filters = Filters(
        period=period,
        by=by,
        venue_ids=frozenset({chosen[0].id}) if chosen else allowed,
        placement_kind=where if where in KINDS else None,
        invited=where == INVITED,
        staff_member_id=StaffMemberId(person) if person is not None else None,
    )
    order: Order = given["order"] if given["order"] in ORDERS else "name"
    return Asked(filters, order, today, given, trouble)


def part(rows: list[Row]) -> Shown:
    """The rows of the part that the address names; of the nearest where there is no such part."""
    count = max(1, -(-len(rows) // ROWS))
    number = min(max(1, digits(request.args.get("page", "")) or 1), count)
    first = (number - 1) * ROWS
    return Shown(number, count, first + 1, rows[first : first + ROWS], len(rows))


def options(tx: Tx, visit: Visit, seen: list[Venue]) -> Choices:
    """Venues by name, and people of them."""
    people = [
        one for one in staff.staff_of_brand(tx, visit.brand.id)
        if one.venue_id is None or visit.access.reaches(one.venue_id)
    ]  # fmt: skip
    return Choices(
        [(one.slug, one.name) for one in sorted(seen, key=lambda one: one.name.casefold())],
        [(f"person-{one.id}", one.name) for one in people],
    )


def _period(given: dict[str, str], today: date) -> tuple[Period, bool]:
    """Full days up to yesterday, or the days that were named; wrong ones give the usual, and say so."""
    usual = Period(first=today - timedelta(days=USUAL_DAYS), last=today - timedelta(days=1))
    if given["from"] or given["to"]:
        try:
            named = funnel.period(date.fromisoformat(given["from"]), date.fromisoformat(given["to"]))
        except (ValueError, BadInput):
            return usual, True
        return (named, False) if named.days <= MOST_DAYS else (usual, True)
    named_days = digits(given["days"])
    days = named_days if named_days in DAYS else USUAL_DAYS
    return Period(first=today - timedelta(days=days), last=today - timedelta(days=1)), False
