"""Google objects updated per second beside a bare HTTP client; the rate of four processes; a long queue.

    python -m bench.google_objects [OBJECTS] [ROUNDS] [QUEUED]

Every contestant sets the balance of the same objects, in turns within one run. Then one worker carries
changes from claim to settle, four workers share an issuer, and one has a long queue before it. The simulator
runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from app.db import connect
from app.delivery.google import RATE
from bench import (
    arguments,
    google_clients,
    google_service,
    google_workers,
    queue_watch,
    report,
    text_service,
    usage,
)
from bench.google_clients import CONTESTANTS, Contestant
from bench.google_service import GoogleService
from bench.google_workers import House
from tests import servers

FLOOR = 0.7
"""Of the bare client's rate by processor time: what a token, a verdict and one casing may cost."""
BATCH_FLOOR = 0.6
"""The same in batches: the bare client trusts that parts come in order, ours finds each by its Content-ID."""
PROCESSES, SECONDS = 4, 30.0
SETTLING = 5.0
"""Seconds from the first request, in which processes start: what waits for a token leaves late."""
TOGETHER = 0.2
"""Seconds by which requests may come together: those that leave together within 0.1 s, and their way."""
_MEMORY_SECONDS = 15.0
_SPARE = 2
"""Of what four processes can send in the time, so much is promised: the queue does not run dry."""


@dataclass(frozen=True, slots=True)
class Lap:
    """One contestant's turn."""

    seconds: float
    cpu: float
    simulator: float  # processor time of the simulator, seconds


@dataclass(frozen=True, slots=True)
class Run:
    """One worker on one database."""

    database: str
    rate: float  # objects a second, claim to settle
    cpu: float  # microseconds an object, of the worker's process
    ceiling: float  # objects a second that the simulator takes by its own processor time


@dataclass(frozen=True, slots=True)
class Kept:
    """What four processes asked of one issuer."""

    database: str
    requests: int
    seconds: float
    second: int  # requests in the fullest second
    ten_seconds: int
    refused: int
    twice: int


def main() -> None:
    """Measure clients, worker, limit and memory."""
    told = arguments.parser("google_objects")
    told.add_argument("objects", nargs="?", type=arguments.number(), default=2_000, help="updated in a turn")
    told.add_argument("rounds", nargs="?", type=arguments.number(), default=5, help="of every contestant")
    told.add_argument("queued", nargs="?", type=arguments.number(), default=120_000, help="for the memory")
    given = told.parse_args()
    own, others = usage.cores()
    laps: dict[str, list[Lap]] = {name: [] for name in CONTESTANTS}
    with google_service.running(others) as service, usage.on(own):
        asyncio.run(google_clients.prepare(service, given.objects))
        for number in range(given.rounds):
            for name, contestant in CONTESTANTS.items():
                laps[name].append(_lap(contestant, service, given.objects, number))
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        urls = {"SQLite": f"sqlite:///{directory / 'bench.db'}"}
        if servers.postgresql_binaries():
            with usage.on(others):
                urls["PostgreSQL"] = stack.enter_context(servers.postgresql()).url("postgres")
        runs = []
        for kind, url in urls.items():
            house = google_workers.filled(url, given.objects)
            with google_service.running(others) as service:
                with usage.on(own):
                    runs.append(_throughput(kind, house, service, directory, others))
                if kind == list(urls)[-1]:  # its objects are known to this simulator
                    kept = _limit(kind, house, service)
        house = google_workers.filled(f"sqlite:///{directory / 'queue.db'}", given.queued)
        google_workers.promise(house)
        with google_service.running(others) as service:
            memory = _memory(house, service)
    report.deliver(_report(laps, runs, kept, memory, given.objects, given.rounds, given.queued))


def _lap(contestant: Contestant, service: GoogleService, objects: int, number: int) -> Lap:
    work = google_clients.work(objects, number)
    simulator = usage.cpu_seconds(service.pid)
    began, cpu = time.perf_counter(), time.process_time()

    async def run() -> int:
        return await contestant(service, work)

    accepted = asyncio.run(run())
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    if accepted != objects:
        raise RuntimeError(f"{accepted} of {objects} updates were accepted")
    return Lap(seconds, spent, usage.cpu_seconds(service.pid) - simulator)


def _throughput(kind: str, house: House, service: GoogleService, directory: Path, others: set[int]) -> Run:
    """All cards are inserted first; what is measured are the changes of their balances."""
    database = connect(house.url, yields=True)
    worker = google_workers.make_worker(database, house, service, directory, rate=None)
    with queue_watch.watching(house.url, others) as watch:
        google_workers.promise(house)
        with text_service.working(worker):
            watch.wait()
        google_workers.change(house)
        worker = google_workers.make_worker(database, house, service, directory, rate=None)
        before = len(google_workers.calls(service))
        simulator = usage.cpu_seconds(service.pid)
        began, cpu = time.perf_counter(), time.process_time()
        with text_service.working(worker):
            watch.wait()
            seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    simulated = usage.cpu_seconds(service.pid) - simulator
    database.close()
    heard = google_workers.calls(service, after=before)
    if len(heard) != house.cards or {call.status for call in heard} != {200}:
        raise RuntimeError(f"{len(heard)} requests for {house.cards} changes")
    return Run(kind, house.cards / seconds, spent / house.cards * 1e6, house.cards / simulated)


def _limit(kind: str, house: House, service: GoogleService) -> Kept:
    if house.cards < RATE * (SECONDS + SETTLING) * _SPARE:
        raise RuntimeError(f"{house.cards} objects are too few: four processes change them all in the time")
    google_workers.change(house)
    before = len(google_workers.calls(service))
    google_workers.strict(service, RATE)
    with google_workers.processes(PROCESSES, house, service, rate=RATE):
        deadline = time.monotonic() + 60
        while len(google_workers.calls(service)) == before and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(SETTLING + SECONDS)
        heard = google_workers.calls(service, after=before)
    at = [call.at for call in heard if call.at >= heard[0].at + SETTLING]
    taken = [call.path for call in heard if call.status == 200]
    return Kept(
        kind,
        len(at),
        at[-1] - at[0],
        _fullest(at, 1.0),
        _fullest(at, 10.0),
        sum(call.status == 429 for call in heard),
        len(taken) - len(set(taken)),
    )


def _fullest(moments: Sequence[float], seconds: float) -> int:
    """The most of these (in order) within a stretch that is shorter than so many seconds."""
    most = start = 0
    for end, at in enumerate(moments):
        while moments[start] <= at - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


def _memory(house: House, service: GoogleService) -> float:
    """The most that a worker's process takes while it works on a long queue, megabytes."""
    with google_workers.processes(1, house, service, rate=None) as (pid,):
        most, until = 0.0, time.monotonic() + _MEMORY_SECONDS
        while time.monotonic() < until:
            most = max(most, usage.pss_of(pid))
            time.sleep(0.2)
    if not google_workers.calls(service):
        raise RuntimeError("the worker sent nothing")
    return most


def _report(
    laps: Mapping[str, Sequence[Lap]],
    runs: Sequence[Run],
    kept: Kept,
    memory: float,
    objects: int,
    rounds: int,
    queued: int,
) -> report.Report:
    def rate(name: str) -> float:
        return objects / statistics.median(lap.seconds for lap in laps[name])

    def cpu(name: str) -> float:
        return statistics.median(lap.cpu for lap in laps[name]) / objects * 1e6

    def ceiling(name: str) -> float:
        return objects / statistics.median(lap.simulator for lap in laps[name])

    bare, one_by_one, bare_batches, in_batches = CONTESTANTS
    beside = {bare: bare, one_by_one: bare, bare_batches: bare_batches, in_batches: bare_batches}
    clients = report.Table(
        f"Clients: {objects:,} objects in each of {rounds} rounds; medians",
        (
            "client", "objects/s", "of the bare client's", "CPU µs/object",
            "of the bare client's rate, by it", "simulator's own ceiling, objects/s",
        ),
        tuple(
            (
                name, f"{rate(name):,.0f}", f"{rate(name) / rate(beside[name]):.2f}", f"{cpu(name):,.0f}",
                f"{cpu(beside[name]) / cpu(name):.2f}", f"{ceiling(name):,.0f}",
            )
            for name in CONTESTANTS
        ),
    )  # fmt: skip
    workers = report.Table(
        f"One worker, {objects:,} changed balances, claim to settle",
        (
            "database", "objects/s", "of the bare client's one by one", "worker CPU µs/object",
            "simulator's own ceiling, objects/s",
        ),
        tuple(
            (
                run.database, f"{run.rate:,.0f}", f"{run.rate / rate(bare):.2f}", f"{run.cpu:,.0f}",
                f"{run.ceiling:,.0f}",
            )
            for run in runs
        ),
    )  # fmt: skip
    limit = report.Table(
        f"{PROCESSES} processes, one issuer, {RATE:.0f} requests a second, {kept.database}",
        ("requests", "seconds", "requests/s", "fullest second", "fullest 10 s", "refused", "sent twice"),
        (
            (
                f"{kept.requests:,}",
                f"{kept.seconds:.1f}",
                f"{kept.requests / kept.seconds:.2f}",
                f"{kept.second}",
                f"{kept.ten_seconds}",
                f"{kept.refused}",
                f"{kept.twice}",
            ),
        ),
    )
    return report.Report(
        "Updates of Google objects",
        "Our client sets the balances of Google objects in the simulator, beside a bare HTTP client that"
        " makes the same requests with the same token and parses the answers; the simulator's limit is off."
        " Processor time of this process is compared too, since the simulator, which checks every body by"
        " Google's own schema, is slower than either: its ceiling is what it takes by its own processor time."
        " One worker then carries changed balances from claim to settle. For the limit the simulator is"
        f" strict: four processes share {RATE:.0f} requests a second, as Google allows an issuer; what"
        f" counts comes after {SETTLING:g} s, in which processes start and ask for their tokens. The memory:"
        f" one worker on a queue of {queued:,} due changes, without a limit, on SQLite.",
        (clients, workers, limit),
        (
            report.Figure(
                "google_objects.one_by_one",
                "our client's rate by processor time, one by one, of a bare client's",
                cpu(bare) / cpu(one_by_one),
                "",
                at_least=FLOOR,
            ),
            report.Figure(
                "google_objects.batches",
                "our client's rate by processor time, in batches, of a bare client's in batches",
                cpu(bare_batches) / cpu(in_batches),
                "",
                at_least=BATCH_FLOOR,
            ),
            *(
                report.Figure(
                    f"google_objects.{run.database.lower()}",
                    f"objects a second of one worker, claim to settle, of what Google allows, {run.database}",
                    run.rate / RATE,
                    "",
                    at_least=5,
                )
                for run in runs
            ),
            report.Figure(
                "google_objects.second",
                f"requests of four processes in the fullest second, {TOGETHER:g} s of travel allowed for",
                kept.second,
                "",
                at_most=RATE * (1 + TOGETHER),
            ),
            report.Figure(
                "google_objects.ten_seconds",
                "the same in the fullest ten seconds",
                kept.ten_seconds,
                "",
                at_most=RATE * (10 + TOGETHER),
            ),
            report.Figure(
                "google_objects.kept",
                "requests a second of those processes, of the rate",
                kept.requests / kept.seconds / RATE,
                "",
                at_least=0.95,
            ),
            report.Figure(
                "google_objects.refused", "requests refused as one too many", kept.refused, "", at_most=0
            ),
            report.Figure("google_objects.twice", "changes sent twice", kept.twice, "", at_most=0),
            report.Figure(
                "google_objects.memory",
                f"memory of a worker on {queued:,} queued changes",
                memory,
                "MB",
                at_most=300,
            ),
        ),
    )


if __name__ == "__main__":
    main()
