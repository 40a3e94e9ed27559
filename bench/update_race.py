"""Concurrent writers and polling phones: of a hundred thousand updates none may be missed.

    python -m bench.update_race [UPDATES]

Writers in two processes, with a thread for single receipts and threads for ever larger batches, change the
same passes. Meanwhile phones ask the PassKit service for the list since their tag and fetch what it names
with If-Modified-Since. At the end every phone must hold the last version of every pass.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import psycopg

from app.db import connect, schema
from bench import arguments, report
from tests import servers
from tests.web.phones import Service
from tests.web.update_race import Outcome, Race, run

UPDATES = 100_000
_ROOMS = ("accounts", "places", "delivery", "passes", "loyalty")


def main() -> None:
    """Both databases, one after the other."""
    told = arguments.parser("update_race")
    told.add_argument("updates", nargs="?", type=arguments.number(), default=UPDATES, help="on each database")
    updates = told.parse_args().updates
    race = Race(updates=updates, processes=2, batches=(1, 20, 150), passes=150, phones=4, pause=0.002)
    outcomes = {"SQLite": _on_sqlite(race), "PostgreSQL": _on_postgresql(race)}
    report.deliver(_report(race, outcomes))


def _on_sqlite(race: Race) -> Outcome:
    with tempfile.TemporaryDirectory() as directory:
        return _race(f"sqlite:///{Path(directory) / 'race.db'}", race)


def _on_postgresql(race: Race) -> Outcome:
    with _postgresql_database() as url:
        return _race(url, race)


@contextmanager
def _postgresql_database() -> Iterator[str]:
    with servers.postgresql() as server:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE race")
        yield server.url("race")


def _race(url: str, race: Race) -> Outcome:
    for room in _ROOMS:
        import_module(f"app.{room}.tables")
    database = connect(url, pool_size=race.phones + 8)
    schema.migrate(database)
    service = Service(database)
    try:
        return run(service, url, race)
    finally:
        service.close()
        database.close()


def _report(race: Race, outcomes: dict[str, Outcome]) -> report.Report:
    figures = [
        figure
        for name, outcome in outcomes.items()
        for figure in (
            _none(name, "lost", f"cards in phones that are not the last version, {name}", outcome.lost),
            _none(name, "back", f"tags, versions or dates that went back, {name}", outcome.went_back),
            _none(
                name, "uncounted", f"updates that no version counts, {name}",
                abs(outcome.updates - outcome.counted),
            ),
        )
    ]  # fmt: skip
    return report.Report(
        title="Updates in a race with polling phones",
        about=(
            f"{race.processes} processes with {len(race.batches)} writing threads each revise {race.passes}"
            f" passes, from 1 to {max(race.batches)} in a transaction, until {race.updates:,} updates or more"
            " are made. A transaction that waited ten seconds in vain for SQLite is repeated. Meanwhile"
            f" {race.phones} phones in another process, each with its own tag and dates, ask the PassKit"
            " service for the list and fetch what it names: one holds all passes, the others some. Fetches"
            " are recorded in the same database before they are answered. The rates are what all of them"
            " reach together on one machine: the race looks for lost updates, not for speed."
        ),
        tables=(
            report.Table(
                "What was written, and what the phones saw meanwhile",
                (
                    "database",
                    "updates",
                    "transactions",
                    "repeated",
                    "updates/s",
                    "lists",
                    "passes fetched",
                    "304",
                ),
                tuple(_row(name, outcome) for name, outcome in outcomes.items()),
            ),
        ),
        figures=tuple(figures),
    )


def _none(database: str, key: str, what: str, value: int) -> report.Figure:
    return report.Figure(f"update_race.{key}.{database.lower()}", what, value, "", at_most=0)


def _row(name: str, outcome: Outcome) -> tuple[str, ...]:
    return (
        name,
        f"{outcome.updates:,}",
        f"{outcome.transactions:,}",
        f"{outcome.refused:,}",
        f"{outcome.updates / outcome.seconds:,.0f}",
        f"{sum(len(phone.tags) for phone in outcome.phones):,}",
        f"{sum(phone.fetched for phone in outcome.phones):,}",
        f"{sum(phone.unchanged for phone in outcome.phones):,}",
    )


if __name__ == "__main__":
    main()
