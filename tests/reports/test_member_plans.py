"""A guest is found, shown and handed out by index: no statement of theirs reads a table of all guests."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime

from app.accounts import brands
from app.db import Database, Tx
from app.db.identifiers import BrandId, MemberId, VenueId
from app.loyalty import enrolment
from app.reports import members as report
from app.reports.member_archive import write_archive
from app.reports.member_file import tables_of_member
from app.reports.timeline import Surroundings, timeline
from bench import plans, world

GUESTS = plans.MANY + 200
NOW = datetime(2026, 7, 1, tzinfo=UTC)


def test_no_table_of_all_guests_is_read_for_one(database: Database) -> None:
    filled = world.build(database, GUESTS, now=NOW)
    number = GUESTS // 2
    with database.read() as tx:
        brand = brands.brand_by_slug(tx, filled.brand)
        known = enrolment.enrolment_of_card(tx, filled.card_code(number))
        rows = plans.rows_of(tx)
    assert rows["wallet_pass"] == rows["enrolment"] == GUESTS >= plans.MANY
    own, around = MemberId(known.member_id), Surroundings(https=True)

    def found(query: str, venues: frozenset[VenueId] | None = None) -> Callable[[Tx], object]:
        return lambda tx: report.search(tx, BrandId(brand.id), query, venues=venues, region="RU").members

    asked: dict[str, Callable[[Tx], object]] = {
        "code": found(filled.card_code(number)),
        "serial": found(filled.serial_number(number)),
        "code, a manager": found(filled.card_code(number), frozenset({known.venue_id})),
        "nobody's code": found("0000-0000-0000"),
        "the newest": found(""),
        "page": lambda tx: timeline(tx, BrandId(brand.id), own, around=around, now=NOW),
        "file": lambda tx: write_archive(io.BytesIO(), tables_of_member(tx, own), language="en", now=NOW),
    }
    scans: list[str] = []
    for name, ask in asked.items():
        with plans.statements_of(database) as statements, database.read() as tx:
            assert ask(tx) or name in ("nobody's code", "file"), name
        with database.read() as tx:
            for statement, parameters in statements.items():
                read = plans.scanned(statement, plans.plan(tx, statement, parameters), rows)
                scans += [f"{name}: {table}\n{statement}" for table in read]
    assert not scans, "\n\n".join(scans)
