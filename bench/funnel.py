"""How soon a chain's funnel is answered, and how often it says what is not so.

``python -m bench.funnel [EVENTS] [VENUES] [CHAINS]``. The databases get EVENTS a month, of VENUES with six
install links each, and the month before as well, which steps that take time look back to. Whether what is
told is true is counted on simulated chains (:mod:`bench.funnel_truth`).
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from statistics import median

from sqlalchemy import text

from app.accounts.brands import Brand, all_brands
from app.accounts.tables import brand as brand_table
from app.accounts.tables import staff_member
from app.db import Database, connect, schema
from app.db.identifiers import InstallLinkId
from app.loyalty.tables import programme
from app.places import tallies, venues, visits
from app.places.funnel import Group
from app.places.funnel_counts import Period
from app.places.tables import install_link, placement, venue, visit_event
from app.reports import funnel_table
from app.reports.funnel_table import Filters
from app.reports.funnel_venue import venue_funnel
from bench import arguments, bulk, funnel_truth
from bench.funnel_truth import USUAL, Score
from bench.report import Figure, Report, Table, deliver
from tests import servers

EVENTS, VENUES, CHAINS = 2_000_000, 500, 60
DAYS, LINKS, ROUNDS, PAIRS = 30, 6, 15, 5_000
NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
UNFOLDED = 1_000
"""Steps that the worker has not folded yet: what a busy minute leaves."""
_ROOMS = ("accounts", "places", "delivery", "passes", "loyalty")
_SCANS_EACH = 1 + sum(
    USUAL["page"] * share for share in (1, 0.45, 0.45 * 0.71, 0.45 * 0.71 * 0.85)
)  # events to a scan, roughly


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one kind of database; times are medians in seconds."""

    kind: str
    events: int
    table: float
    slowest: float  # of the table
    placements: float
    page: float
    counted: float  # the same counts out of the events, as if there were no tallies
    mended: float
    fold: float  # a change
    step: float  # one is written


def main() -> None:
    """Fill, measure, simulate and report."""
    told = arguments.parser("funnel")
    told.add_argument("events", nargs="?", type=arguments.number(1000), default=EVENTS, help="a month")
    told.add_argument("venues", nargs="?", type=arguments.number(2), default=VENUES, help="of the chain")
    told.add_argument(
        "chains", nargs="?", type=arguments.number(), default=CHAINS, help="to simulate, a kind"
    )
    given = told.parse_args()
    for room in _ROOMS:
        import_module(f"app.{room}.tables")
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        urls = {"SQLite": f"sqlite:///{Path(directory) / 'funnel.db'}"}
        if servers.postgresql_binaries():
            urls["PostgreSQL"] = stack.enter_context(servers.postgresql()).url("postgres")
        measured = [_measure(kind, url, given.events, given.venues) for kind, url in urls.items()]
    chance = random.Random(2026)
    scores = {
        name: funnel_truth.simulate(chance, chains=given.chains, venues=given.venues, truth=truth)
        for name, truth in _TRUTHS.items()
    }
    turned = funnel_truth.weeks_that_turn(chance, pairs=PAIRS)
    deliver(_report(measured, scores, turned, given.venues))


_TRUTHS: dict[str, Callable[[random.Random], funnel_truth.Truth]] = {
    "nobody differs": funnel_truth.alike,
    "one in ten loses at a step": funnel_truth.one_in_ten,
    "each is a little different, one in ten loses": funnel_truth.each_a_little,
}


def _measure(kind: str, url: str, events: int, many: int) -> Measured:
    database = connect(url, pool_size=2)
    try:
        schema.migrate(database)
        brand, links = _chain(database, many)
        written = _fill(database, links, events)
        mended = _timed(lambda: _mend(database))
        fold = _fold(database)
        step = _steps(database, links)
        if database.is_sqlite:
            with database.write() as tx:
                tx.execute(text("ANALYZE"))
        else:
            with database.engine.connect() as one:
                one.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
        times = [_timed(lambda: _table(database, brand, "venue")) for _ in range(ROUNDS)]
        return Measured(
            kind,
            written,
            table=median(times[2:]),
            slowest=max(times[2:]),
            placements=median(_timed(lambda: _table(database, brand, "placement")) for _ in range(3)),
            page=median(_timed(lambda: _page(database, brand)) for _ in range(5)),
            counted=_timed(lambda: _count(database)),
            mended=mended,
            fold=fold,
            step=step,
        )
    finally:
        database.close()


def _chain(database: Database, many: int) -> tuple[Brand, list[InstallLinkId]]:
    """Venues with tables, a till, a door and two people who invite."""
    with database.write() as tx:
        brand_id = tx.execute(
            brand_table.insert().values(
                slug="chain", name="Chain", texts={}, time_zone="UTC", currency="EUR", language="en",
                pass_type_identifier="pass.example", team_identifier="TEAM", credentials="env:X",
                asks_phone="proved", created_at=NOW,
            ).returning(brand_table.c.id)
        ).scalar_one()  # fmt: skip
        programme_id = tx.execute(
            programme.insert().values(
                brand_id=brand_id, slug="club", kind="bonus", name="Club", rules={}, created_at=NOW
            ).returning(programme.c.id)
        ).scalar_one()  # fmt: skip
        for number in range(many):
            venue_id = tx.execute(
                venue.insert().values(
                    brand_id=brand_id, slug=f"v{number}", name=f"Venue {number}", address="1 Street",
                    time_zone="UTC", created_at=NOW,
                ).returning(venue.c.id)
            ).scalar_one()  # fmt: skip
            for index, (what, name) in enumerate(
                (("till", "1"), ("door", "1"), ("table", "1"), ("table", "2"), ("", "A"), ("", "B"))
            ):
                table = placement if what else staff_member
                values = {"kind": what, "venue_id": venue_id} if what else {"brand_id": brand_id}
                source = tx.execute(
                    table.insert().values(
                        **values, name=name if what else f"{name} of {number}", created_at=NOW
                    ).returning(table.c.id)
                ).scalar_one()  # fmt: skip
                tx.execute(
                    install_link.insert().values(
                        code=f"c{number}x{index}", brand_id=brand_id, programme_id=programme_id,
                        venue_id=venue_id, created_at=NOW,
                        **{"placement_id" if what else "staff_member_id": source},
                    )
                )  # fmt: skip
        (brand,) = all_brands(tx)
        links = [InstallLinkId(row[0]) for row in tx.execute(install_link.select()).all()]
    return brand, links


def _fill(database: Database, links: list[InstallLinkId], events: int) -> int:
    """Two months of visits' steps, each a row; visits themselves are left out: the funnel reads none."""
    chance, first = random.Random(7), NOW.date() - timedelta(days=2 * DAYS)
    weights = [chance.paretovariate(1.2) for _ in links]
    scale = 2 * events / _SCANS_EACH / sum(weights) / (2 * DAYS)
    written = 0

    def rows() -> Iterator[tuple[bulk.Value, ...]]:
        nonlocal written
        number = 0
        for back in range(2 * DAYS):
            day: date = first + timedelta(days=back)
            at = bulk.moment(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
            for link, weight in zip(links, weights, strict=True):
                for _ in range(funnel_truth.poisson(chance, weight * scale)):
                    number += 1
                    visit_id = f"{number:032x}"
                    for kind in _way(chance):
                        written += 1
                        yield visit_id, kind, at, link, day.isoformat()

    with bulk.loading(database) as loader:
        loader.load(visit_event, ("visit_id", "kind", "at", "install_link_id", "day"), rows())
        loader.finish([])
    return written


def _way(chance: random.Random) -> Iterator[str]:
    yield "scan"
    for step, share in USUAL.items():
        if chance.random() >= share:
            return
        yield "again" if step == "active" else step
        if step == "active":
            yield step


def _mend(database: Database) -> None:
    with database.write() as tx:
        tallies.mend(tx)


def _fold(database: Database) -> float:
    """Seconds a change."""
    began, changes = time.perf_counter(), 0
    while True:
        with database.write() as tx:
            folded = tallies.fold(tx)
        if not folded:
            return (time.perf_counter() - began) / max(1, changes)
        changes += folded


def _steps(database: Database, links: list[InstallLinkId]) -> float:
    """Seconds a step, each in a transaction of its own; they stay unfolded."""
    chance, began = random.Random(1), time.perf_counter()
    for _ in range(UNFOLDED // 2):
        visit_id = visits.new_visit_id()
        with database.write() as tx:
            visits.record(
                tx, visit_id=visit_id, link_id=chance.choice(links), kind="scan", at=NOW,
                device_kind="iphone", language="en",
            )  # fmt: skip
        with database.write() as tx:
            visits.record_event(tx, visit_id=visit_id, kind="page", at=NOW)
    return (time.perf_counter() - began) / UNFOLDED


def _table(database: Database, brand: Brand, by: Group) -> None:
    last = NOW.date() - timedelta(days=1)
    month = Period(first=last - timedelta(days=DAYS - 1), last=last)
    with database.read() as tx:
        found = funnel_table.table(tx, brand, Filters(period=month, by=by), today=NOW.date(), order="best")
    assert found.rows


def _page(database: Database, brand: Brand) -> None:
    with database.read() as tx:
        one = venues.all_venues(tx, brand.id)[0]
        venue_funnel(tx, brand, one, now=NOW)


def _count(database: Database) -> None:
    """A month's steps by venue, from the events' index."""
    with database.read() as tx:
        tx.execute(
            text(
                "SELECT l.venue_id, e.kind, count(*) FROM install_link l JOIN visit_event e"
                " ON e.install_link_id = l.id AND e.day >= :first GROUP BY l.venue_id, e.kind"
            ),
            {"first": (NOW.date() - timedelta(days=DAYS)).isoformat()},
        ).all()


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _report(
    measured: list[Measured], scores: dict[str, Score], turned: tuple[float, float], many: int
) -> Report:
    worst = max((score.false_share for name, score in scores.items() if score.planted), default=0.0)
    alike = scores["nobody differs"]
    topped = sum(score.topped_by_few for score in scores.values())
    return Report(
        title="Funnel",
        about=(
            f"A chain of {many} venues with {LINKS} install links each, two months of steps in the database,"
            f" the newest {UNFOLDED} of them not folded yet. The table is of the last {DAYS} days by venue:"
            " counts, shares, each venue compared with all others, names, in order of what they surely have."
            " Below, simulated chains of as many venues, from seven scans a month to thousands: an alarm is"
            " “this venue loses guests at that step”, and false where it does not."
        ),
        tables=(_times(measured), _truths(scores), _found(scores)),
        figures=(
            *(
                Figure(
                    key=f"funnel.{one.kind.lower()}.table",
                    what=f"the table of {many} venues and {one.events // 2:,} events a month, {one.kind}",
                    value=one.table * 1000,
                    unit="ms",
                    at_most=200,
                )
                for one in measured
            ),
            Figure(
                key="funnel.false_alarms",
                what="alarms about venues that are not true",
                value=worst * 100,
                unit="%",
                at_most=5,
            ),
            Figure(
                key="funnel.alike",
                what="chains without any difference of which something is said",
                value=100 * alike.spoken / alike.chains,
                unit="%",
                at_most=5,
            ),
            Figure(
                key="funnel.weeks",
                what="pairs of equal weeks in which a step is called up or down",
                value=turned[0] * 100,
                unit="%",
                at_most=5,
            ),
            Figure(
                key="funnel.scans",
                what="pairs of equal weeks of which the scans are called more or fewer",
                value=turned[1] * 100,
                unit="%",
                at_most=5,
            ),
            Figure(
                key="funnel.topped",
                what="lists that begin with a venue of fewer scans than may be compared",
                value=topped,
                unit="",
                at_most=0,
            ),
        ),
        notes=(
            "Visits are simulated independently of each other. Guests who come in parties decide together,"
            " which no count of visits tells: then a few more alarms are chance than stand here.",
        ),
    )


def _times(measured: list[Measured]) -> Table:
    def row(name: str, value: Callable[[Measured], str]) -> tuple[str, ...]:
        return (name, *(value(one) for one in measured))

    return Table(
        "Times",
        ("", *(one.kind for one in measured)),
        (
            row("events in the database", lambda one: f"{one.events:,}"),
            row("table by venue, median", lambda one: f"{one.table * 1000:.0f} ms"),
            row("table by venue, slowest", lambda one: f"{one.slowest * 1000:.0f} ms"),
            row("table by placement", lambda one: f"{one.placements * 1000:.0f} ms"),
            row("one venue's page", lambda one: f"{one.page * 1000:.0f} ms"),
            row("a month counted from its events", lambda one: f"{one.counted * 1000:,.0f} ms"),
            row("everything counted anew", lambda one: f"{one.mended:.1f} s"),
            row("a change folded", lambda one: f"{one.fold * 1e6:.0f} µs"),
            row("a step written, with its transaction", lambda one: f"{one.step * 1e6:.0f} µs"),
        ),
    )


def _truths(scores: dict[str, Score]) -> Table:
    return Table(
        "What is said, and what of it is not so",
        ("truth", "chains", "chains spoken of", "alarms", "false", "false of alarms"),
        tuple(
            (
                name,
                str(one.chains),
                str(one.spoken),
                str(one.alarms),
                str(one.false),
                f"{one.false_share:.1%}",
            )
            for name, one in scores.items()
        ),
    )


def _found(scores: dict[str, Score]) -> Table:
    some = scores["one in ten loses at a step"]
    return Table(
        "Losses that were planted (38 % of 71 %), and found",
        ("scans a month", "planted", "found", ""),
        tuple(
            (size, str(n), str(some.found[size]), f"{some.found[size] / n:.0%}")
            for size, n in sorted(some.planted.items(), reverse=True)
        ),
    )


if __name__ == "__main__":
    main()
