"""Texts per second of one worker, claim to settle; the rate that four processes keep; a long queue's memory.

    python -m bench.sms_throughput [TEXTS] [QUEUED]

Texts leave through the adapter of SMSC.ru to its simulator in a process of its own.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from app.db import Database, connect
from bench import arguments, queue_watch, report, text_service, usage
from bench.text_service import TextService
from tests import servers

BAR = 100
"""Texts a second: more than any contract of ours with a gateway allows."""
RATE, BURST, PROCESSES, SECONDS = 100.0, 20, 4, 8.0
TRAVEL = 0.1
"""Seconds by which texts that left evenly may come together: measured is when they arrive."""
_NO_LIMIT = 100_000.0
_MEMORY_SECONDS = 12.0


@dataclass(frozen=True, slots=True)
class Run:
    """One database."""

    database: str
    rate: float  # texts a second
    cpu: float  # microseconds a text, of the worker's process


@dataclass(frozen=True, slots=True)
class Kept:
    """What four processes sent with one login between them."""

    texts: int
    seconds: float
    fullest: float  # stretch of time, of what is allowed: 1 is the bound
    twice: int


def main() -> None:
    """Measure rate, limit and memory."""
    told = arguments.parser("sms_throughput")
    told.add_argument(
        "texts", nargs="?", type=arguments.number(), default=6_000, help="through each database"
    )
    told.add_argument("queued", nargs="?", type=arguments.number(), default=120_000, help="for the memory")
    given = told.parse_args()
    own, others = usage.cores()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        urls = {"SQLite": f"sqlite:///{directory / 'bench.db'}"}
        if servers.postgresql_binaries():
            with usage.on(others):
                urls["PostgreSQL"] = stack.enter_context(servers.postgresql()).url("postgres")
        brands = {kind: text_service.filled(url) for kind, url in urls.items()}
        runs = []
        for kind, url in urls.items():
            with text_service.running(others) as service, usage.on(own):
                ceiling = service.ceiling()
                database = connect(url, yields=True)
                text_service.promise(database, brands[kind], given.texts)
                runs.append(_throughput(kind, url, database, service, directory, others, given.texts))
                database.close()
        last = "PostgreSQL" if "PostgreSQL" in urls else "SQLite"
        with text_service.running(others) as service:
            database = connect(urls[last])
            text_service.promise(database, brands[last], int(RATE * SECONDS * 2))
            kept = _limit(urls[last], service)
            database.close()
        queue_url = f"sqlite:///{directory / 'queue.db'}"
        with text_service.running(others) as service:
            database = connect(queue_url)
            text_service.promise(database, text_service.filled(queue_url), given.queued)
            memory = _memory(queue_url, service)
            database.close()
    report.deliver(_report(runs, ceiling, kept, last, memory, given.texts, given.queued))


def _throughput(
    kind: str,
    url: str,
    database: Database,
    service: TextService,
    directory: Path,
    others: set[int],
    count: int,
) -> Run:
    worker = text_service.make_worker(database, service.url, directory, rate=_NO_LIMIT, burst=500)
    with queue_watch.watching(url, others) as watch:
        began, cpu = time.perf_counter(), time.process_time()
        with text_service.working(worker):
            watch.wait()
            seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    return Run(kind, count / seconds, spent / count * 1e6)


def _limit(url: str, service: TextService) -> Kept:
    with text_service.processes(PROCESSES, url, service.url, rate=RATE, burst=BURST):
        deadline = time.monotonic() + 60
        while not (moments := service.moments()) and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(SECONDS)
        moments, references = service.moments(), service.references()
    fullest = max(
        (end - start + 1) / (BURST + RATE * (moments[end] - moments[start] + TRAVEL))
        for start in range(0, len(moments), 3)
        for end in range(start, len(moments), 3)
    )
    return Kept(len(moments), moments[-1] - moments[0], fullest, len(references) - len(set(references)))


def _memory(url: str, service: TextService) -> float:
    """The most that a worker's process takes while it works on a long queue, megabytes."""
    with text_service.processes(1, url, service.url, rate=_NO_LIMIT, burst=500) as (pid,):
        most, until = 0.0, time.monotonic() + _MEMORY_SECONDS
        while time.monotonic() < until:
            most = max(most, usage.pss_of(pid))
            time.sleep(0.2)
    return most


def _report(
    runs: Sequence[Run], ceiling: float, kept: Kept, kept_on: str, memory: float, count: int, queued: int
) -> report.Report:
    return report.Report(
        title="Text messages per second of one worker",
        about=(
            f"{count:,} promised texts are claimed, sent through the adapter of SMSC.ru (four requests at a"
            " time, as the vendor demands), answered and settled by one worker process that is kept to one"
            f" core. By its own processor time the simulator takes {ceiling:,.0f} texts a second. The limit:"
            f" {PROCESSES} processes on {kept_on} share a login with {RATE:.0f} texts a second and a burst of"
            f" {BURST}; no stretch of time may hold more than the burst and the rate, {TRAVEL:g} s of travel"
            " allowed for. The memory: one worker"
            f" on a queue of {queued:,} due texts, on SQLite."
        ),
        tables=(
            report.Table(
                "Claim to settle, one core",
                ("database", "texts/s", "worker CPU µs/text", "simulator's ceiling / rate"),
                tuple(
                    (run.database, f"{run.rate:,.0f}", f"{run.cpu:,.0f}", f"{ceiling / run.rate:.1f}")
                    for run in runs
                ),
            ),
            report.Table(
                f"{PROCESSES} processes, one login",
                ("texts", "seconds", "texts/s", "fullest stretch / allowed", "sent twice"),
                (
                    (
                        f"{kept.texts:,}",
                        f"{kept.seconds:.1f}",
                        f"{kept.texts / kept.seconds:.1f}",
                        f"{kept.fullest:.3f}",
                        f"{kept.twice}",
                    ),
                ),
            ),
        ),
        figures=(
            *(
                report.Figure(
                    key=f"sms_throughput.{run.database.lower()}",
                    what=f"texts a second on one core, claim to settle, {run.database}",
                    value=run.rate,
                    unit="/s",
                    at_least=BAR,
                )
                for run in runs
            ),
            report.Figure(
                key="sms_throughput.limit",
                what="fullest stretch of a login shared by four processes, of what its rate and burst allow",
                value=kept.fullest,
                unit="",
                at_most=1.05,
            ),
            report.Figure(
                key="sms_throughput.kept",
                what="texts a second of that login, of its rate",
                value=kept.texts / kept.seconds / RATE,
                unit="",
                at_least=0.95,
            ),
            report.Figure(
                key="sms_throughput.memory",
                what=f"memory of a worker on {queued:,} queued texts",
                value=memory,
                unit="MB",
                at_most=300,
            ),
        ),
    )


if __name__ == "__main__":
    main()
