"""What phones and open card pages ask most, beside an empty Flask route on the same server.

    python -m bench.passkit_rates [--guests 5000] [--rounds 9] [--seconds 2]

Every contestant is a server process of its own with the settings of ``perkpass web``, on one core; the load
generator, and PostgreSQL, have the other. One contestant works at a time, in interleaved rounds.
"""

from __future__ import annotations

import http.client
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path

from sqlalchemy import select

from app.db import connect
from app.passes.tables import wallet_pass
from bench import arguments, http_load, installations, report, usage
from bench.http_load import Answers, Generator, Script
from bench.installations import Inhabited
from tests import servers

CONNECTIONS = 16
PAGES = 200
"""So many card pages are open: each is drawn once before."""
AFTERWARDS = 1.5
"""Seconds after a round: evidence is written once a second, and belongs to who caused it."""
BARS = {"SQLite": 45, "PostgreSQL": 30}
QUESTIONS = {
    "unchanged list": "list, 204: nothing new",
    "list": "list, 200: one serial number",
    "unchanged pass": "pass, 304",
    "unchanged page": "card page, 304",
}


@dataclass(frozen=True, slots=True)
class Round:
    """One contestant for a few seconds."""

    answers: Answers
    cpu: float  # seconds of processor that the web processes took
    database_cpu: float  # the same of PostgreSQL's


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who answers what; ``rounds`` grows while it is measured."""

    database: str  # empty: none
    question: str
    pid: int
    database_pid: int
    port: int
    scripts: Sequence[Script]
    status: int
    rounds: list[Round] = field(default_factory=list)

    def measure(self, generator: Generator, seconds: float) -> None:
        """One round more."""
        before = self._spent()
        answers = generator.during(self.port, self.scripts, connections=CONNECTIONS, seconds=seconds)
        time.sleep(AFTERWARDS)
        spent = (now - then for now, then in zip(self._spent(), before, strict=True))
        self.rounds.append(Round(answers.expect(self.status), *spent))

    def _spent(self) -> tuple[float, float]:
        return usage.cpu_seconds(self.pid), usage.cpu_seconds(self.database_pid) if self.database_pid else 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return statistics.median(one.answers.rate for one in self.rounds)

    @property
    def cpu(self) -> float:
        """Microseconds of the web processes an answer."""
        return statistics.median(one.cpu / one.answers.count for one in self.rounds) * 1e6

    @property
    def database_cpu(self) -> float:
        """The same of PostgreSQL."""
        return statistics.median(one.database_cpu / one.answers.count for one in self.rounds) * 1e6

    @property
    def ceiling(self) -> float:
        """What the generator could have asked a second."""
        return statistics.median(one.answers.ceiling for one in self.rounds)

    @property
    def name(self) -> str:
        """For a table."""
        return f"{QUESTIONS[self.question]}, {self.database}" if self.database else self.question


def main() -> None:
    told = arguments.parser("passkit_rates")
    told.add_argument("--guests", type=arguments.number(), default=5_000, help="in the world")
    told.add_argument("--rounds", type=arguments.number(), default=5, help="of all contestants")
    told.add_argument("--seconds", type=arguments.seconds, default=2.0, help="per contestant and round")
    given = told.parse_args()
    own, others = usage.cores()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        inhabited = stack.enter_context(
            installations.inhabited(directory, given.guests, history=True, server_cores=others)
        )
        generator = stack.enter_context(http_load.running(others))
        contestants = [
            _empty(stack, "bare", directory, inhabited[0], own),
            _empty(stack, "flask", directory, inhabited[0], own),
        ]
        for one in inhabited:
            contestants += _perkpass(stack, one, own)
        for contestant in contestants:
            contestant.measure(generator, min(1.0, given.seconds))
            contestant.rounds.clear()
        for _ in range(given.rounds):
            for contestant in contestants:
                contestant.measure(generator, given.seconds)
    report.deliver(_report(contestants, given.guests, given.rounds))


def _empty(stack: ExitStack, what: str, directory: Path, beside: Inhabited, own: set[int]) -> Contestant:
    port = servers.free_port()
    environment = beside.installation.environment | {"PERKPASS_PORT": str(port)}
    pid = stack.enter_context(
        installations.web_process(
            ("bench.empty_web", what), environment, port=port, log=directory / f"{what}.log", cores=own
        )
    )
    name = {"bare": "empty function", "flask": "empty Flask route"}[what]
    return Contestant("", name, pid, 0, port, [(http_load.get("/readyz"),)], 204)


def _perkpass(stack: ExitStack, inhabited: Inhabited, own: set[int]) -> list[Contestant]:
    installation, world = inhabited.installation, inhabited.world
    pid = stack.enter_context(
        installations.web_process(
            ("app", "web"),
            installation.environment,
            port=installation.port,
            log=installation.directory / "web.log",
            cores=own,
        )
    )
    numbers = range(world.passes)
    newest, modified = _state(inhabited)
    devices = [
        f"/passkit/v1/devices/{world.device_library_identifier(n)}/registrations/{world.pass_type_identifier}"
        for n in numbers
    ]
    scripts = {
        "unchanged list": [(http_load.get(f"{path}?passesUpdatedSince={newest}"),) for path in devices],
        "list": [(http_load.get(f"{path}?passesUpdatedSince=0"),) for path in devices],
        "unchanged pass": [
            (
                http_load.get(
                    f"/passkit/v1/passes/{world.pass_type_identifier}/{world.serial_number(n)}",
                    Authorization=inhabited.authorization(n),
                    If_Modified_Since=modified[n],
                ),
            )
            for n in numbers
        ],
        "unchanged page": [
            (http_load.get(path, If_None_Match=_edition(installation.port, path)),)
            for path in map(inhabited.card_page, numbers[:PAGES])
        ],
    }
    statuses = {"unchanged list": 204, "list": 200, "unchanged pass": 304, "unchanged page": 304}
    return [
        Contestant(
            inhabited.kind, question, pid, inhabited.server_pid, installation.port, asked, statuses[question]
        )
        for question, asked in scripts.items()
    ]


def _edition(port: int, path: str) -> str:
    """What the page would ask with once it is open."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return str(answer.headers["ETag"])
    finally:
        connection.close()


def _state(inhabited: Inhabited) -> tuple[int, list[str]]:
    """The newest update tag, and the Last-Modified of each guest's card."""
    database = connect(inhabited.database_url)
    columns = wallet_pass.c
    with database.read() as tx:
        rows = tx.execute(
            select(columns.tag, columns.last_modified)
            .where(columns.id >= inhabited.world.first_pass)
            .order_by(columns.id)
        ).all()
    database.close()
    return max(row.tag for row in rows), [format_datetime(row.last_modified, usegmt=True) for row in rows]


def _report(contestants: Sequence[Contestant], guests: int, rounds: int) -> report.Report:
    bare, flask, *ours = contestants
    slowest = min(one.ceiling / one.rate for one in contestants)
    return report.Report(
        title="PassKit list and 304",
        about=(
            "Requests per second of what phones ask most, and of what a card's page asks while it is open,"
            " against an empty Flask route on the same server with the same settings, which lets as many"
            " requests work at a time."
            f" {guests:,} phones take turns on {CONNECTIONS} kept connections, so"
            " evidence of every one is written as in production. Every server process keeps to one core, the"
            " load generator (a process of its own) and PostgreSQL to the other; what is written after the"
            " answers is in the processor time of who caused it. Medians of"
            f" {rounds} interleaved rounds. The empty function shows what the server takes without any"
            " framework. The generator's ceiling, by its own use of its core, was never under"
            f" {slowest:.1f} times the rate that it measured."
        ),
        tables=(
            report.Table(
                "One core",
                ("answer", "requests/s", "of Flask's", "CPU µs each", "Flask's CPU / CPU",
                 "PostgreSQL CPU µs each", "generator's ceiling/s"),
                tuple(
                    (
                        one.name,
                        f"{one.rate:,.0f}",
                        f"{one.rate / flask.rate:.0%}",
                        f"{one.cpu:,.0f}",
                        f"{flask.cpu / one.cpu:.0%}",
                        f"{one.database_cpu:,.0f}" if one.database_pid else "",
                        f"{one.ceiling:,.0f}",
                    )
                    for one in (bare, flask, *ours)
                ),
            ),
        ),
        figures=tuple(
            report.Figure(
                key=f"passkit_rates.{one.database.lower()}.{one.question.replace(' ', '_')}",
                what=f"{one.name}: requests a second against an empty Flask route",
                value=one.rate / flask.rate * 100,
                unit="%",
                at_least=BARS[one.database],
            )
            for one in ours
        ),
    )  # fmt: skip


if __name__ == "__main__":
    main()
