"""A worker with Apple's push service on loopback: real TLS, real HTTP/2, credentials of a test authority."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Row, select

from app.db import Database
from app.db.identifiers import DeviceId, PassTypeIdentifier, WalletPassId
from app.delivery import queue
from app.delivery.budget import Policy
from app.delivery.promises import Kind
from app.delivery.tables import attempt, delivery
from app.simulators.apns import ApnsSettings, RunningApns, running, settings_for
from app.simulators.authority import Authority
from app.wakeup import LocalWakeup, RedisWakeup, Wakeup
from app.worker.apple import AppleChannel
from app.worker.loop import Worker
from app.worker.ticks import Tick
from tests.passes.shop import TYPE, Shop, open_shop, register

TEAM = "TEAM123456"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"), now=now().replace(microsecond=0))


@pytest.fixture(scope="session")
def credentials(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.pass_credentials(
        tmp_path_factory.mktemp("credentials"),
        pass_type_identifier=TYPE,
        team_identifier=TEAM,
        organization="Кафе",
    )


@pytest.fixture(scope="session")
def apns_settings(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> ApnsSettings:
    """Every push service starts anew, and shows the same certificate: making keys takes its time."""
    return settings_for(authority, tmp_path_factory.mktemp("server"))


@pytest.fixture
def apns(apns_settings: ApnsSettings) -> Iterator[RunningApns]:
    with running(apns_settings) as simulator:
        yield simulator


@dataclass
class Rig:
    """A shop with phones, and workers for it."""

    database: Database
    shop: Shop
    apns: RunningApns
    authority: Authority
    credentials: Path
    bell: Callable[[], Wakeup]
    gone: list[WalletPassId] = field(default_factory=list)
    policy: Policy = field(default_factory=lambda: Policy(receipt=100, campaign=100, coalesce=timedelta(0)))

    def phones(self, count: int) -> list[DeviceId]:
        with self.database.write() as tx:
            return [
                register(tx, self.shop.issue(tx), f"phone-{number}", token=token(number), now=now()).device_id
                for number in range(count)
            ]

    def promise(self, devices: Sequence[DeviceId], kind: Kind = "receipt") -> None:
        with self.database.write() as tx:
            queue.enqueue_pushes(tx, devices, pass_type_identifier=TYPE, kind=kind, now=now())

    def pems(self, _pass_type: PassTypeIdentifier) -> tuple[bytes, bytes]:
        certificate, key = self.credentials / "certificate.pem", self.credentials / "key.pem"
        return certificate.read_bytes(), key.read_bytes()

    def channel(self, **more: Any) -> AppleChannel:
        given: dict[str, Any] = {
            "credentials": self.pems,
            "url": self.apns.url,
            "ca": self.authority.root,
            "push_timeout": timedelta(seconds=5),
            "left_alone": lambda _tx, pass_ids, _now: self.gone.extend(pass_ids),
        }
        return AppleChannel(**(given | more))

    @contextmanager
    def working(
        self, channel: AppleChannel | None = None, *, ticks: Sequence[Tick] = (), **more: Any
    ) -> Iterator[Worker]:
        """A worker in a thread, until the block ends; then it has stopped gracefully."""
        given: dict[str, Any] = {
            "clock": now,
            "policy": self.policy,
            "lease": timedelta(seconds=10),
            "poll_seconds": 0.1,
        }
        worker = Worker(
            database=self.database,
            channel=channel or self.channel(),
            wakeup=self.bell(),
            ticks=ticks,
            **(given | more),
        )
        stop = Event()
        thread = Thread(target=worker.run, args=(stop,), name="worker")
        thread.start()
        try:
            yield worker
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()

    def rows(self) -> list[Row[Any]]:
        with self.database.read() as tx:
            return list(tx.execute(select(delivery).order_by(delivery.c.id)).all())

    def attempts(self) -> list[Row[Any]]:
        with self.database.read() as tx:
            return list(tx.execute(select(attempt).order_by(attempt.c.id)).all())

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def until(self, true: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, [(row.state, row.reason, row.attempts) for row in self.rows()]
            time.sleep(0.02)


def token(number: int) -> str:
    return f"{number:064x}"


@pytest.fixture
def rig(
    database: Database,
    apns: RunningApns,
    authority: Authority,
    credentials: Path,
    redis_url: str,
    tmp_path: Path,
) -> Rig:
    def bell() -> Wakeup:
        return RedisWakeup(redis_url) if redis_url else LocalWakeup(tmp_path / "bell")

    return Rig(database, open_shop(database), apns, authority, credentials, bell)
