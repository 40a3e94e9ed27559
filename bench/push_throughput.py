"""Pushes per second of one worker on one core, claim to settle: with a null sender, and with APNs.

    python -m bench.push_throughput [DEVICES]

The worker keeps to one core; the push service, in a process of its own, and PostgreSQL have the others. The
null sender shows what the database part alone costs.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import func, insert, select

from app.db import Database, connect, schema
from app.db.identifiers import DeviceId, PassTypeIdentifier
from app.delivery import queue
from app.delivery.budget import Policy
from app.delivery.promises import Outcome
from app.delivery.tables import delivery
from app.wakeup import LocalWakeup
from app.worker.apple import AppleChannel
from app.worker.channel import Answered, Channel, Ready, Report
from app.worker.loop import Worker
from bench import push_service, report
from bench.push_service import PushService
from tests import servers

TYPE = PassTypeIdentifier("pass.example.bench")
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
    """Measure both senders on both databases, each on the same devices."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    for room in ("accounts", "places", "delivery", "passes", "loyalty"):
        import_module(f"app.{room}.tables")
    everywhere = os.sched_getaffinity(0)
    own, others = {max(everywhere)}, everywhere - {max(everywhere)} or everywhere
    with tempfile.TemporaryDirectory() as name, _databases(Path(name), others) as urls:
        directory = Path(name)
        with push_service.running(directory, TYPE, cores=others) as service:
            os.sched_setaffinity(0, own)
            ceiling = push_service.ceiling(service)
            runs = [
                run for kind, url in urls.items() for run in _database(kind, url, count, service, directory)
            ]
    report.deliver(_report(runs, count, ceiling))


@contextmanager
def _databases(directory: Path, others: set[int]) -> Iterator[dict[str, str]]:
    """Addresses of empty databases by the kind's name; PostgreSQL where it is installed."""
    urls = {"SQLite": f"sqlite:///{directory / 'bench.db'}"}
    if servers.postgresql_binaries() is None:
        yield urls
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, others)  # what is started now stays there
    try:
        with servers.postgresql() as server:
            os.sched_setaffinity(0, before)
            yield {**urls, "PostgreSQL": server.url("postgres")}
    finally:
        os.sched_setaffinity(0, before)


def _database(kind: str, url: str, count: int, service: PushService, directory: Path) -> Iterator[Run]:
    database = connect(url)
    schema.migrate(database)
    devices = _devices(database, count)
    pems = service.certificate_pem, service.key_pem
    channels = {
        "none": NullChannel(lambda _: pems, url=service.url),
        "APNs on loopback": AppleChannel(lambda _: pems, url=service.url, ca=service.ca),
    }
    for sender, channel in channels.items():
        rate, cpu = _measure(database, devices, channel, directory)
        yield Run(kind, sender, rate, cpu)
    database.close()


def _report(runs: Sequence[Run], count: int, ceiling: float) -> report.Report:
    return report.Report(
        title="Pushes per second of one worker",
        about=(
            f"{count:,} promised pushes are claimed, sent, answered and settled by one worker process that is"
            " kept to one core. The push service alone takes"
            f" {ceiling:,.0f} pushes a second from our client on that core; where a rate comes near that, it"
            " is a floor, and CPU per push is the figure to compare."
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
        figures=tuple(
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
    )


def _devices(database: Database, count: int) -> list[DeviceId]:
    """Devices with a registration each; the rest of the world is one row a table."""
    from app.accounts.tables import brand
    from app.loyalty.tables import programme
    from app.passes.tables import design, device, registration, wallet_pass

    now = datetime.now(UTC)
    with database.write() as tx:
        tx.execute(
            insert(brand).values(
                slug="bench", name="Bench", texts={"ru": {}, "en": {}}, time_zone="UTC", currency="RUB",
                language="en", pass_type_identifier=TYPE, team_identifier=push_service.TEAM,
                credentials="file:none", created_at=now,
            )
        )  # fmt: skip
        brand_id = tx.scalar(select(brand.c.id))
        tx.execute(
            insert(programme).values(
                brand_id=brand_id, slug="b", kind="bonus", name="B", rules={}, created_at=now
            )
        )
        programme_id = tx.scalar(select(programme.c.id))
        tx.execute(
            insert(design).values(
                programme_id=programme_id, version=1, template="t", layout={}, created_at=now
            )
        )
        design_id = tx.scalar(select(design.c.id))
        tx.execute(
            insert(wallet_pass),
            [
                {
                    "pass_type_identifier": TYPE, "serial_number": f"s{number}", "design_id": design_id,
                    "content": {}, "version": 1, "tag": 1, "last_modified": now, "key_version": 1,
                    "created_at": now,
                }
                for number in range(count)
            ],
        )  # fmt: skip
        tx.execute(
            insert(device),
            [
                {
                    "device_library_identifier": f"d{number}", "pass_type_identifier": TYPE,
                    "push_token": f"{number:064x}", "registered_at": now,
                }
                for number in range(count)
            ],
        )  # fmt: skip
        devices = [DeviceId(one) for one in tx.scalars(select(device.c.id).order_by(device.c.id))]
        passes = tx.scalars(select(wallet_pass.c.id).order_by(wallet_pass.c.id)).all()
        tx.execute(
            insert(registration),
            [
                {"device_id": one, "pass_id": other, "created_at": now, "registered_at": now}
                for one, other in zip(devices, passes, strict=True)
            ],
        )
    return devices


def _measure(
    database: Database, devices: Sequence[DeviceId], channel: Channel, directory: Path
) -> tuple[float, float]:
    """(pushes a second, CPU microseconds a push)."""
    with database.write() as tx:
        queue.enqueue_pushes(tx, devices, pass_type_identifier=TYPE, kind="campaign", now=datetime.now(UTC))
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
    while _left(database):
        time.sleep(0.05)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    stop.set()
    thread.join()
    return len(devices) / seconds, cpu / len(devices) * 1e6


def _left(database: Database) -> int:
    with database.read() as tx:
        live = select(func.count()).select_from(delivery).where(delivery.c.settled_at.is_(None))
        return int(tx.scalar(live) or 0)


if __name__ == "__main__":
    main()
