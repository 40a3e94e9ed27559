"""Pushes per second of one worker, claim to settle: with a null sender, and with APNs on loopback.

``python -m bench.push_throughput [DEVICES] [DATABASE_URL]``. Prints one line for each sender: pushes a second
by the clock, and CPU microseconds per push of this process, which is the steadier number where cores are
shared. The push simulator runs in a process of its own. Without a DATABASE_URL an SQLite file in a temporary
directory is used; a PostgreSQL one must be empty.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import func, insert, select

from app.db import Database, connect, schema
from app.db.identifiers import DeviceId, PassTypeIdentifier
from app.delivery import queue
from app.delivery.budget import Policy
from app.delivery.promises import Outcome
from app.delivery.tables import delivery
from app.simulators.apns import ApnsSimulator, serve, settings_for
from app.simulators.authority import Authority
from app.wakeup import LocalWakeup
from app.worker.apple import AppleChannel
from app.worker.channel import Answered, Channel, Ready, Report
from app.worker.loop import Worker

TYPE = PassTypeIdentifier("pass.example.bench")


def _no_credentials(_pass_type: PassTypeIdentifier) -> tuple[bytes, bytes]:
    raise AssertionError("nothing is sent")


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
    """Measure both senders, one after the other, on the same devices."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for room in ("accounts", "places", "delivery", "passes", "loyalty"):
        import_module(f"app.{room}.tables")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{directory / 'bench.db'}"
        database = connect(url)
        schema.migrate(database)
        devices = _devices(database, count)
        kind = "SQLite" if database.is_sqlite else "PostgreSQL"
        print(f"{count} devices, {kind}, one worker")
        _measure(
            "null sender",
            database,
            devices,
            NullChannel(_no_credentials, url="https://127.0.0.1:1"),
            directory,
        )
        now = datetime.now(UTC).replace(microsecond=0)
        authority = Authority.create(directory / "authority", now=now)
        folder = authority.pass_credentials(
            directory / "credentials",
            pass_type_identifier=TYPE,
            team_identifier="TEAM123456",
            organization="Bench",
        )
        pems = (folder / "certificate.pem").read_bytes(), (folder / "key.pem").read_bytes()
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_simulate, args=(directory, theirs), daemon=True
        )
        process.start()
        try:
            channel = AppleChannel(lambda _: pems, url=ours.recv(), ca=authority.root)
            _measure("APNs on loopback", database, devices, channel, directory)
        finally:
            process.terminate()
            process.join()
        database.close()


def _simulate(directory: Path, pipe: Connection) -> None:
    from dataclasses import replace

    def ready(simulator: ApnsSimulator) -> None:
        pipe.send(simulator.url)

    settings = settings_for(Authority.open(directory / "authority"), directory / "server")
    asyncio.run(serve(replace(settings, quick=True), ready=ready))


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
                language="en", pass_type_identifier=TYPE, team_identifier="TEAM123456",
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
    name: str, database: Database, devices: Sequence[DeviceId], channel: Channel, directory: Path
) -> None:
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
    rate, cost = len(devices) / seconds, cpu / len(devices) * 1e6
    print(f"{name:<18} {rate:8.0f} pushes/s   {cost:6.0f} µs CPU a push   {1e6 / cost:8.0f} a second of CPU")


def _left(database: Database) -> int:
    with database.read() as tx:
        live = select(func.count()).select_from(delivery).where(delivery.c.settled_at.is_(None))
        return int(tx.scalar(live) or 0)


if __name__ == "__main__":
    main()
