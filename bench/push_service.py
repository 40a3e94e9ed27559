"""A push service on loopback in a process of its own, for whatever pushes in a benchmark."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from app.apns.client import ApnsClient
from app.apns.requests import Push
from app.apns.responses import PushResponse
from app.simulators.apns import ApnsSettings, serve, settings_for
from app.simulators.authority import Authority
from bench import usage
from bench.report import Figure

TEAM = "BENCHTEAM1"
EXPIRATION = 2_000_000_000
_ENOUGH = 3.0
"""A simulator that takes less than so many times a rate may be what is measured."""


@dataclass(frozen=True, slots=True)
class PushService:
    """Where it listens, and credentials of one pass type identifier that it lets in."""

    url: str
    control_url: str
    pid: int
    ca: Path
    topic: str
    certificate_pem: bytes
    key_pem: bytes
    credentials: Path  # the folder that holds them

    @property
    def port(self) -> int:
        """Of the HTTP/2 side."""
        return int(self.url.rpartition(":")[2])

    def client(self) -> ApnsClient:
        """Our own client with one connection."""
        return ApnsClient(
            self.url,
            topic=self.topic,
            ca=self.ca,
            certificate_pem=self.certificate_pem,
            key_pem=self.key_pem,
            connections=1,
        )


@contextmanager
def running(directory: Path, topic: str, *, cores: set[int] | None = None) -> Iterator[PushService]:
    """Serve until the block ends, on ``cores`` where they are given; stops the process for certain."""
    authority = Authority.create(directory / "authority", now=datetime.now(UTC))
    folder = authority.pass_credentials(
        directory / "pass", pass_type_identifier=topic, team_identifier=TEAM, organization="Bench"
    )
    settings = replace(settings_for(authority, directory / "server"), quick=True)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(settings, cores, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(30):
            raise RuntimeError("the push service does not start")
        url, control_url = ours.recv()
        assert process.pid is not None
        yield PushService(
            url=url,
            control_url=control_url,
            pid=process.pid,
            ca=authority.root,
            topic=topic,
            certificate_pem=(folder / "certificate.pem").read_bytes(),
            key_pem=(folder / "key.pem").read_bytes(),
            credentials=folder,
        )
    finally:
        process.terminate()
        process.join(10)


def _serve(settings: ApnsSettings, cores: set[int] | None, started: Connection) -> None:
    if cores:
        os.sched_setaffinity(0, cores)
    asyncio.run(serve(settings, ready=lambda simulator: started.send((simulator.url, simulator.control_url))))


def ceiling(service: PushService, *, pushes: int = 20_000, in_flight: int = 500) -> float:
    """Pushes per second of its own processor that the service takes from our client."""
    return asyncio.run(_ceiling(service, pushes, in_flight))


async def _ceiling(service: PushService, pushes: int, in_flight: int) -> float:
    async with service.client() as client:
        await client.push_many([Push(uuid.uuid4().hex * 2, str(uuid.uuid4()), EXPIRATION)])
        work = [Push(uuid.uuid4().hex * 2, str(uuid.uuid4()), EXPIRATION) for _ in range(pushes)]
        batches = iter([work[start : start + in_flight] for start in range(0, pushes, in_flight)])

        async def send() -> None:
            for batch in batches:
                for outcome in await client.push_many(batch):
                    if not isinstance(outcome, PushResponse) or outcome.status != 200:
                        raise RuntimeError(f"a push was not accepted: {outcome}")

        before = usage.cpu_seconds(service.pid)
        await asyncio.gather(send(), send())  # the service has the next batch while one is answered
        return pushes / (usage.cpu_seconds(service.pid) - before)


def ceiling_figure(benchmark: str, ceiling: float, rate: float) -> Figure:
    """What the simulator takes against the ``rate`` (pushes a second) that a bar asks of what is measured."""
    return Figure(
        key=f"{benchmark}.ceiling",
        what=f"what one core's push simulator takes ({ceiling:,.0f}/s), against {rate:,.0f} pushes a second",
        value=ceiling / rate,
        unit="",
        at_least=_ENOUGH,
    )
