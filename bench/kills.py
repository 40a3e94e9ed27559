"""SIGKILL of each process and server at seeded moments under load: nothing lost, and how soon it goes on.

    python -m bench.kills [TIMES] [SEED] [sqlite|postgresql]

Two installations of the example chain live beside each other, one on SQLite, one on PostgreSQL and Redis.
Tills, phones and guests keep them busy while one part after the other is killed, TIMES times each. In the end
the tills' answers, the phones' screens and the database's books must say the same.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.simulators.authority import Authority
from bench.arguments import number, one_of, parser
from bench.report import Figure, Report, Table, deliver
from tests.flows.kills import Kill, Round, run
from tests.flows.victims import LEASE, Kind, kinds, victims

TIMES = 50
SEED = 1
MARGIN = 3.0
"""Seconds beyond the lease, or the return of what was killed: to find what the dead held, and to push it."""
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL and Redis"}
NAMES: dict[Kind, str] = {
    "worker": "worker",
    "web": "web process",
    "service": "`perkpass run` as a whole",
    "postgresql": "PostgreSQL",
    "redis": "Redis (killed, or flushed)",
}


def main() -> None:
    """Both databases at once, since most of the time is waiting."""
    told = parser("kills")
    told.add_argument("times", nargs="?", type=number(), default=TIMES, help="kills of each kind")
    told.add_argument("seed", nargs="?", type=number(0), default=SEED, help="draws the moments")
    told.add_argument("databases", nargs="*", type=one_of(DATABASES), help="one alone; otherwise both")
    given = told.parse_args()
    times, seed, wanted = given.times, given.seed, list(dict.fromkeys(given.databases)) or list(DATABASES)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(wanted), mp_context=spawn) as lanes:
        running = {database: lanes.submit(lane, database, times, seed) for database in wanted}
        rounds = {database: future.result() for database, future in running.items()}
    deliver(report(rounds, times, seed))


def lane(database: str, times: int, seed: int) -> Round:
    """One installation's round."""
    with tempfile.TemporaryDirectory(prefix="perkpass-kills-") as name:
        directory = Path(name)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        authority = Authority.create(directory / "authority", now=yesterday)
        with victims(directory, authority, embedded=database == "sqlite") as ours:
            return run(
                ours, times=times, seed=seed, tell=lambda line: print(f"{database:<10} {line}", flush=True)
            )


def report(rounds: dict[str, Round], times: int, seed: int) -> Report:
    """What the rounds found."""
    every = list(rounds.values())
    return Report(
        title="Kills under load",
        about=(
            f"SIGKILL {times} times each, at moments drawn from seed {seed}, while tills ring up receipts "
            "(each repeated with its Idempotency-Key until it is answered), simulated iPhones hold cards and "
            "guests send the install form. Seconds from the kill: until what was killed runs again, until a "
            "receipt begun after it was answered, until what such a receipt changed was on the phone, "
            "and until everything goes on (all of these, and every phone shows what was rung up before). A "
            f"lease is {LEASE:g} s here; the push service answers as slowly as Apple's. PostgreSQL dies with "
            "all its processes, as in a crash; Redis dies, or forgets everything."
        ),
        tables=(
            Table(
                "Seconds until it goes on, median and worst",
                ("killed", "database", "times", "runs again", "receipts", "pushes", "everything"),
                tuple(
                    _row(kind, DATABASES[database], one.kills)
                    for database, one in rounds.items()
                    for kind in kinds(embedded=database == "sqlite")
                ),
            ),
            Table(
                "What was at stake",
                (
                    "database",
                    "receipts",
                    "cards",
                    "receipts interrupted",
                    "sent once more in the end",
                    "requests without an answer",
                    "503",
                    "pushes taken back from the dead",
                ),
                tuple(
                    (
                        DATABASES[database],
                        *(
                            f"{count:,}"
                            for count in (
                                one.receipts,
                                one.enrolments,
                                one.interrupted,
                                one.repeated,
                                one.silences,
                                one.unavailable,
                                one.rescued,
                            )
                        ),
                    )
                    for database, one in rounds.items()
                ),
            ),
        ),
        figures=(
            _none("lost", "changes lost in kills", sum(len(one.lost) for one in every)),
            _none("doubled", "changes doubled in kills", sum(len(one.doubled) for one in every)),
            _none("half_written", "things half-written after kills", sum(len(one.halves) for one in every)),
            _none(
                "behind", "phones that do not end at the last version", sum(len(one.behind) for one in every)
            ),
            _none("faults", "answers of 5xx other than 503 in kills", sum(one.faults for one in every)),
            Figure(
                key="kills.late",
                what=(
                    f"longest time until everything goes on, beyond the lease ({LEASE:g} s) or the return of "
                    "what was killed, whichever is later"
                ),
                value=max(kill.late for one in every for kill in one.kills),
                unit="s",
                at_most=MARGIN,
            ),
            Figure(
                key="kills.recovered",
                what=f"longest time from a kill until everything goes on, with a lease of {LEASE:g} s",
                value=max(kill.recovered for one in every for kill in one.kills),
                unit="s",
                at_most=LEASE + MARGIN,
            ),
        ),
        notes=tuple(
            f"{DATABASES[name]}: {finding}" for name, one in rounds.items() for finding in one.findings
        ),
    )


def _none(key: str, what: str, value: int) -> Figure:
    return Figure(key=f"kills.{key}", what=what, value=value, unit="", at_most=0)


def _row(kind: Kind, database: str, kills: list[Kill]) -> tuple[str, ...]:
    mine = [kill for kill in kills if kill.kind == kind]
    of: tuple[Callable[[Kill], float], ...] = (
        lambda kill: kill.back,
        lambda kill: kill.answered,
        lambda kill: kill.pushed,
        lambda kill: kill.recovered,
    )
    spans = (f"{statistics.median(map(one, mine)):.2f} / {max(map(one, mine)):.2f}" for one in of)
    return (NAMES[kind], database, str(len(mine)), *spans)


if __name__ == "__main__":
    main()
