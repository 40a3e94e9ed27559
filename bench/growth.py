"""What an operation costs with a hundred times as many cards, and how the databases go about it.

``python -m bench.growth [MANY] [FEW] [ROUNDS]``. Both sizes are open at once and take turns, so that whatever
else the machine does hits both alike.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from app.db import Database, connect, schema
from bench import arguments, plans, world
from bench.operations import Operation, Operations
from bench.report import Figure, Report, Table, deliver
from bench.world import World
from tests import servers

MANY, FEW, ROUNDS = 1_000_000, 10_000, 200
BAR = 1.3
BOUNDED = {("purge", "delivery")}
"""Walks in the table's own order, and no further than its LIMIT."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians of one operation."""

    cpu: float  # seconds of this process; the database's own where it is within it
    wall: float  # seconds


@dataclass(frozen=True, slots=True)
class Grown:
    """One kind of database at both sizes."""

    kind: str
    few: Mapping[str, Cost]
    many: Mapping[str, Cost]
    plans: Mapping[str, Sequence[str]]  # operation → lines
    scans: Sequence[str]  # tables that a statement read wholly

    def ratio(self, name: str) -> float:
        """Many to few. On SQLite everything happens in this process, elsewhere only the clock sees all."""
        few, many = self.few[name], self.many[name]
        return many.cpu / few.cpu if self.kind == "SQLite" else many.wall / few.wall


def main() -> None:
    """Fill databases of both sizes, measure, and report."""
    told = arguments.parser("growth")
    told.add_argument(
        "many", nargs="?", type=arguments.number(), default=MANY, help="guests of the large ones"
    )
    told.add_argument("few", nargs="?", type=arguments.number(), default=FEW, help="guests of the small ones")
    told.add_argument("rounds", nargs="?", type=arguments.number(), default=ROUNDS, help="of every operation")
    given = told.parse_args()
    many, few, rounds = given.many, given.few, given.rounds
    if few >= many:
        told.error(f"FEW is {few}, which is not fewer than MANY, {many}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, _addresses(Path(name)) as addresses:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, mp_context=spawn) as pool:
            # The large ones first, beside each other.
            large = [pool.submit(_fill, urls[0], many) for urls in addresses.values()]
            small = [pool.submit(_fill, urls[1], few) for urls in addresses.values()]
            worlds = [(one.result(), other.result()) for one, other in zip(large, small, strict=True)]
        filled = time.monotonic() - began
        grown = [
            _measure(kind, urls, pair, rounds)
            for (kind, urls), pair in zip(addresses.items(), worlds, strict=True)
        ]
    deliver(_report(many, few, filled, grown))


@contextmanager
def _addresses(directory: Path) -> Iterator[dict[str, tuple[str, str]]]:
    """Of an empty database for many and one for few, on each kind of database that is installed."""
    found = {"SQLite": (f"sqlite:///{directory / 'many.db'}", f"sqlite:///{directory / 'few.db'}")}
    with ExitStack() as stack:
        if servers.postgresql_binaries():
            server = stack.enter_context(servers.postgresql())
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE many")
                connection.execute("CREATE DATABASE few")
            found["PostgreSQL"] = (server.url("many"), server.url("few"))
        yield found


def _fill(url: str, passes: int) -> World:
    database = connect(url)
    try:
        schema.migrate(database)
        return world.build(database, passes)
    finally:
        database.close()


def _measure(kind: str, urls: tuple[str, str], worlds: tuple[World, World], rounds: int) -> Grown:
    databases = [connect(url, pool_size=1) for url in urls]
    operations = [Operations(database, one, 7) for database, one in zip(databases, worlds, strict=True)]
    many, few = (one.timed() for one in operations)
    costs = {name: _compare(many[name], few[name], rounds) for name in many}
    for one in operations:
        one.deepen()
    many, few = (one.deep() for one in operations)
    costs |= {name: _compare(many[name], few[name], rounds) for name in many}
    lines, scans = _plans(databases[0], operations[0])
    for database in databases:
        database.close()
    return Grown(
        kind,
        few={name: pair[1] for name, pair in costs.items()},
        many={name: pair[0] for name, pair in costs.items()},
        plans=lines,
        scans=scans,
    )


def _compare(many: Operation, few: Operation, rounds: int) -> tuple[Cost, Cost]:
    """Medians, the first rounds left out: caches fill and statements are compiled in them."""
    timed: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for turn in range(rounds):
        for index in (0, 1) if turn % 2 else (1, 0):
            operation = (many, few)[index]
            wall, cpu = time.perf_counter(), time.thread_time()
            operation()
            timed[index].append((time.thread_time() - cpu, time.perf_counter() - wall))
    first, second = (
        Cost(median(cpu for cpu, _ in kept), median(wall for _, wall in kept))
        for kept in (times[rounds // 10 :] for times in timed)
    )
    return first, second


def _plans(database: Database, operations: Operations) -> tuple[dict[str, list[str]], list[str]]:
    """Of every statement of every operation, and which tables are read wholly."""
    lines: dict[str, list[str]] = {}
    scans: list[str] = []
    heard = _statements(database, operations)
    with database.read() as tx:
        rows = plans.rows_of(tx)
        for name, statements in heard.items():
            found = [(one, plans.plan(tx, one, parameters)) for one, parameters in statements.items()]
            lines[name] = list(dict.fromkeys(line for _, plan in found for line in plan))
            scans += [
                f"{name}: {table}: {' '.join(statement.split())[:200]}"
                for statement, plan in found
                for table in plans.scanned(statement, plan, rows)
                if (name, table) not in BOUNDED
            ]
    return lines, scans


def _statements(database: Database, operations: Operations) -> dict[str, plans.Statements]:
    heard: dict[str, plans.Statements] = {}
    for name, operation in {**operations.timed(), **operations.deep()}.items():
        with plans.statements_of(database) as heard[name]:
            operation()
    for name, step in operations.periodic().items():
        with plans.statements_of(database) as heard[name], database.write() as tx:
            step(tx)
    return heard


def _report(many: int, few: int, filled: float, grown: Sequence[Grown]) -> Report:
    return Report(
        title=f"Growth from {few:,} to {many:,} cards",
        about=(
            "Each operation is one call of the production code with its transaction, about guests drawn at"
            f" random from all; a database of {few:,} and one of {many:,} cards take turns, operation by"
            " operation. Medians. On SQLite the ratio is of processor time (the database works in this"
            " process; what the disk does at a commit is left out), on PostgreSQL of time by the clock, the"
            " server's included. The queue is nearly empty but for the last operation: before that a tenth of"
            " all phones is promised a push that is due, and another tenth one that waits for its time, as"
            f" the phones' patience demands. Filling took {filled:.0f} s."
        ),
        tables=tuple(_table(one, few, many) for one in grown),
        figures=tuple(figure for one in grown for figure in _figures(one)),
        notes=tuple(_note(one, many) for one in grown),
    )


def _table(one: Grown, few: int, many: int) -> Table:
    sizes = [f"{measure}, {size:,}, µs" for measure in ("processor", "clock") for size in (few, many)]
    return Table(
        f"Cost of an operation, {one.kind}",
        ("operation", *sizes, "ratio"),
        tuple(
            (
                name,
                *(f"{seconds * 1e6:,.0f}" for seconds in (one.few[name].cpu, one.many[name].cpu)),
                *(f"{seconds * 1e6:,.0f}" for seconds in (one.few[name].wall, one.many[name].wall)),
                f"{one.ratio(name):.2f}",
            )
            for name in one.few
        ),
    )


def _figures(one: Grown) -> tuple[Figure, ...]:
    key = f"growth.{one.kind.lower()}"
    worst = max(one.few, key=one.ratio)
    return (
        Figure(
            f"{key}.ratio",
            f"growth of the worst operation ({worst}), {one.kind}",
            one.ratio(worst),
            "",
            at_most=BAR,
        ),
        Figure(
            f"{key}.scans",
            f"statements that read a growing table, {one.kind}",
            len(one.scans),
            "",
            at_most=0,
        ),
    )


def _note(one: Grown, many: int) -> str:
    lines = [f"Query plans on {one.kind} at {many:,} cards:", "", "```"]
    for name, plan in one.plans.items():
        lines += [name, *(f"    {line[:150]}" for line in plan)]
    lines += [f"READS A WHOLE TABLE: {scan}" for scan in one.scans]
    return "\n".join([*lines, "```"])


if __name__ == "__main__":
    main()
