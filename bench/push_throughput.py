"""Pushes per second of one worker on one core, claim to settle: with a null sender, and with APNs.

    python -m bench.push_throughput [DEVICES]

The worker keeps to one core; the push service, in a process of its own, and PostgreSQL have the others. The
null sender shows what the database part alone costs.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from app.db import Database, connect, schema
from app.delivery import queue
from app.delivery.budget import Policy
from app.delivery.promises import Outcome
from app.wakeup import LocalWakeup
from app.worker.apple import AppleChannel
from app.worker.channel import Answered, Channel, Ready, Report
from app.worker.loop import Worker
from bench import arguments, push_service, queue_watch, report, usage, world
from bench.push_service import PushService
from bench.queue_watch import QueueWatch
from bench.world import World
from tests import servers

BAR = 3_000


@dataclass(frozen=True, slots=True)
class Run:
    """One sender on one database."""

    database: str
    sender: str
    rate: float  # pushes a second
    cpu: float  # microseconds a push, of the worker's process


class NullChannel(AppleChannel):
    """Looks up push tokens as ever; every push is accepted at once and by nobody."""

    async def send(self, ready: Sequence[Ready], report: Report) -> None:
        await asyncio.sleep(0)
        report(
            [
                Answered(one, Outcome(claimed=one.claimed, verdict="accepted", status=200), "proof")
                for one in ready
            ]
        )


def main() -> None:
    """Measure both senders on both databases, each on the same phones."""
    told = arguments.parser("push_throughput")
    told.add_argument("pushes", nargs="?", type=arguments.number(), default=40_000, help="for as many phones")
    count = told.parse_args().pushes
    own, others = usage.cores()
    with tempfile.TemporaryDirectory() as name, _databases(Path(name), others) as urls:
        directory = Path(name)
        worlds = {kind: _filled(url, count) for kind, url in urls.items()}
        topic = worlds["SQLite"].pass_type_identifier
        with push_service.running(directory, topic, cores=others) as service, usage.on(own):
            ceiling = push_service.ceiling(service)
            runs = [
                run
                for kind, url in urls.items()
                for run in _database(kind, url, worlds[kind], service, directory, others)
            ]
    report.deliver(_report(runs, count, ceiling))


@contextmanager
def _databases(directory: Path, others: set[int]) -> Iterator[dict[str, str]]:
    """Addresses of empty databases by the kind's name; PostgreSQL where it is installed."""
    urls = {"SQLite": f"sqlite:///{directory / 'bench.db'}"}
    with ExitStack() as stack:
        if servers.postgresql_binaries():
            with usage.on(others):
                urls["PostgreSQL"] = stack.enter_context(servers.postgresql()).url("postgres")
        yield urls


def _filled(url: str, count: int) -> World:
    database = connect(url)
    try:
        schema.migrate(database)
        return world.build(database, count, history=False)
    finally:
        database.close()


def _database(
    kind: str, url: str, filled: World, service: PushService, directory: Path, others: set[int]
) -> Iterator[Run]:
    database = connect(url, yields=True)  # as the worker's is
    pems = service.certificate_pem, service.key_pem
    channels = {
        "none": NullChannel(lambda _: pems, url=service.url),
        "APNs on loopback": AppleChannel(lambda _: pems, url=service.url, ca=service.ca),
    }
    with queue_watch.watching(url, others) as watch:
        for sender, channel in channels.items():
            rate, cpu = _measure(database, filled, channel, directory, watch)
            yield Run(kind, sender, rate, cpu)
    database.close()


def _report(runs: Sequence[Run], count: int, ceiling: float) -> report.Report:
    return report.Report(
        title="Pushes per second of one worker",
        about=(
            f"{count:,} promised pushes are claimed, sent, answered and settled by one worker process that is"
            " kept to one core. By its own processor time the push service takes"
            f" {ceiling:,.0f} pushes a second from our client; where a rate comes near that, it"
            " is a floor, and CPU per push is the figure to compare. PostgreSQL and the push service have the"
            " other cores: where there is one other, PostgreSQL's rate is as much that core's as the"
            " worker's. Whether all is settled is looked up from there too."
        ),
        tables=(
            report.Table(
                "Claim to settle, one core",
                ("database, sender", "pushes/s", "worker CPU µs/push", "service's ceiling / rate"),
                tuple(
                    (
                        f"{run.database}, {run.sender}",
                        f"{run.rate:,.0f}",
                        f"{run.cpu:,.0f}",
                        "" if run.sender == "none" else f"{ceiling / run.rate:.1f}",
                    )
                    for run in runs
                ),
            ),
        ),
        figures=(
            *(
                report.Figure(
                    key=f"push_throughput.{run.database.lower()}",
                    what=f"pushes a second on one core, claim to settle, {run.database}",
                    value=run.rate,
                    unit="/s",
                    at_least=BAR,
                )
                for run in runs
                if run.sender != "none"
            ),
            push_service.ceiling_figure("push_throughput", ceiling, BAR),
        ),
    )


def _measure(
    database: Database, filled: World, channel: Channel, directory: Path, watch: QueueWatch
) -> tuple[float, float]:
    """(pushes a second, CPU microseconds a push)."""
    devices, pass_type = [filled.device_id(n) for n in range(filled.passes)], filled.pass_type_identifier
    with database.write() as tx:
        queue.enqueue_pushes(
            tx, devices, pass_type_identifier=pass_type, kind="campaign", now=datetime.now(UTC)
        )
    worker = Worker(
        database=database,
        channel=channel,
        wakeup=LocalWakeup(directory / "bell"),
        clock=lambda: datetime.now(UTC),
        policy=Policy(campaign=1000, coalesce=timedelta(0)),
        lease=timedelta(seconds=30),
    )
    stop = Event()
    thread = Thread(target=worker.run, args=(stop,))
    began, cpu = time.perf_counter(), time.process_time()
    thread.start()
    watch.wait()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    stop.set()
    thread.join()
    return len(devices) / seconds, cpu / len(devices) * 1e6


if __name__ == "__main__":
    main()
