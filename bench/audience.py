"""How soon an audience is counted among a million guests, and what a step of a walk costs, first and last.

``python -m bench.audience [GUESTS] [ROUNDS]``. Guests have the habits of a chain: a fifth come often, a third
are asleep, a fifth never came. Some changes are not folded yet, as a busy minute leaves them.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psycopg
from sqlalchemy import select

from app.accounts.tables import brand as brand_table
from app.campaigns import audiences
from app.campaigns.audience import Audience
from app.db import Database, connect, schema
from app.db.identifiers import BrandId, MemberId
from app.loyalty import habits
from app.loyalty.habit_tables import habit, habit_venue
from app.loyalty.tables import member
from app.places.tables import venue
from bench import arguments, bulk, plans, world
from bench.report import Report, Table, deliver
from tests import servers

GUESTS, ROUNDS, STEP = 1_000_000, 5, 500
UNFOLDED = 1_000
"""Changes that the worker has not folded yet: what a busy minute leaves."""
AUDIENCES = {
    "everybody": Audience(),
    "asleep": Audience(activity=("asleep",), languages=("ru",)),
    "best, added, agreed": Audience(
        activity=("regular", "constant"),
        check=("high",),
        recency=(3, 4, 5),
        wallet=("added",),
        consent=True,
    ),
}
"""Of growing difficulty."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one audience on one kind of database; seconds are medians."""

    kind: str
    audience: str
    found: int
    count: float
    freeze: float
    first_step: float
    last_step: float
    plan: Sequence[str]


def main() -> None:
    """Fill, measure, report."""
    told = arguments.parser("audience")
    told.add_argument(
        "guests", nargs="?", type=arguments.number(STEP * 10), default=GUESTS, help="of the brand"
    )
    told.add_argument("rounds", nargs="?", type=arguments.number(), default=ROUNDS, help="of every question")
    given = told.parse_args()
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as name:
        for kind, url in _addresses(Path(name)):
            database = connect(url)
            brand_id, now = _fill(database, given.guests)
            found += [
                _measure(kind, database, brand_id, name, audience, now, given.rounds)
                for name, audience in AUDIENCES.items()
            ]
            database.close()
    deliver(_report(given.guests, found))


def _addresses(directory: Path) -> Iterator[tuple[str, str]]:
    """One kind after the other, that they do not disturb each other."""
    yield "SQLite", f"sqlite:///{directory / 'audience.db'}"
    if servers.postgresql_binaries():
        with servers.postgresql() as server:
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE audience")
            yield "PostgreSQL", server.url("audience")


def _fill(database: Database, guests: int) -> tuple[BrandId, datetime]:
    """Guests as :mod:`bench.world` makes them, with habits instead of the one receipt that each has."""
    schema.migrate(database)
    world.build(database, guests)
    with database.read() as tx:
        brand_id = BrandId(tx.scalar(select(brand_table.c.id).where(brand_table.c.slug == world.BRAND)) or 0)
        members = list(tx.scalars(select(member.c.id).where(member.c.brand_id == brand_id)))
        venue_ids = list(tx.scalars(select(venue.c.id).where(venue.c.brand_id == brand_id)))
    now = datetime.now(UTC)
    with bulk.loading(database) as loader:
        for table in (habit, habit_venue):
            loader.load(
                table,
                [column.name for column in table.c],
                _rows(table.name, members, venue_ids, brand_id, now),
            )
        loader.finish([habit, habit_venue])
    with database.write() as tx:
        for member_id in members[:: max(1, len(members) // UNFOLDED)]:
            habits.changed(tx, brand_id, member_id)
    return brand_id, now


def _rows(
    name: str, members: Sequence[int], venue_ids: Sequence[int], brand_id: int, now: datetime
) -> Iterator[Sequence[bulk.Value]]:
    """Of either table: the same guests, from the same dice."""
    dice, today = random.Random(1), habits.day_number(now.date())
    for member_id in members:
        kind = dice.random()
        if kind < 0.2:
            continue
        first = today - (dice.randrange(30, 700) if kind < 0.5 else dice.randrange(0, 30))
        step = 3 if kind > 0.8 else 20
        visits = dice.choice((1, 2, 3, 5, 8, 13, 21, 34))
        days = [first - number * step for number in range(visits)]
        spent = visits * dice.randrange(200_00, 3_000_00)
        if name == "habit":
            yield brand_id, member_id, visits, visits, spent, spent // visits, days[0], habits.packed(days)
        else:
            for venue_id in dice.sample(venue_ids, min(len(venue_ids), visits, 2)):
                yield member_id, venue_id, days[0]


def _measure(
    kind: str,
    database: Database,
    brand_id: BrandId,
    name: str,
    audience: Audience,
    now: datetime,
    rounds: int,
) -> Measured:
    with database.read() as tx:
        with plans.statements_of(database) as statements:
            counts = audiences.count(tx, brand_id, audience, now)
        count = _median(lambda: audiences.count(tx, brand_id, audience, now), rounds)
        freeze = _median(lambda: audiences.freeze(tx, brand_id, audience, now), rounds)
        frozen = audiences.freeze(tx, brand_id, audience, now)
        first = _median(lambda: audiences.walk(tx, frozen, MemberId(0), STEP), rounds * 4)
        after = _before_last(database, brand_id, counts.all, frozen)
        last = _median(lambda: audiences.walk(tx, frozen, after, STEP), rounds * 4)
        longest = max(statements, key=len)
        plan = plans.plan(tx, longest, statements[longest])
    return Measured(kind, name, counts.all, count, freeze, first, last, plan)


def _before_last(database: Database, brand_id: BrandId, found: int, frozen: audiences.Frozen) -> MemberId:
    """Where about so many are left as make a step."""
    with database.read() as tx:
        ids = select(member.c.id).where(member.c.brand_id == brand_id, member.c.id <= frozen.upto)
        total = tx.scalar(select(ids.subquery().c[0]).limit(1)) or 0
    return MemberId(frozen.upto - round((frozen.upto - total) * min(1.0, STEP / max(1, found))))


def _median(ask: Callable[[], object], rounds: int) -> float:
    ask()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - began)
    return median(taken)


def _report(guests: int, found: Sequence[Measured]) -> Report:
    rows = tuple(
        (
            one.kind, one.audience, f"{one.found:,}", f"{one.count * 1000:,.0f} ms",
            f"{one.freeze * 1000:,.1f} ms", f"{one.first_step * 1000:,.1f} ms",
            f"{one.last_step * 1000:,.1f} ms", f"{one.last_step / one.first_step:.2f}",
        )
        for one in found
    )  # fmt: skip
    notes = tuple(f"{one.kind}, {one.audience}:\n\n```\n" + "\n".join(one.plan) + "\n```" for one in found)
    return Report(
        title="Audiences",
        about=(
            f"Audiences of growing difficulty among {guests:,} guests of one brand, {UNFOLDED:,} of whose"
            f" habits are not folded yet: a live count with all of its numbers, a freeze, and a step of a"
            f" walk of {STEP} recipients with their cards, from the first guest on and up to the last."
            " Medians, everything in memory. Receipts are read of those alone who are not folded yet."
        ),
        tables=(
            Table(
                "Audiences",
                ("database", "audience", "guests", "count", "freeze", "first step", "last step", "growth"),
                rows,
            ),
        ),
        notes=notes,
    )


if __name__ == "__main__":
    main()
