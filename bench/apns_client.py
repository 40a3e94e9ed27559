"""CPU per push of the APNs client, beside a bare h2 client and aioapns, in one interleaved run.

Every contestant pushes the same tokens with the same headers, 500 in flight, over one TLS connection to the
push simulator in a process of its own. CPU time of this process is what counts: other load moves it little.

    python -m bench.apns_client [PUSHES] [ROUNDS]
"""

from __future__ import annotations

import asyncio
import ssl
import statistics
import tempfile
import time
import uuid
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RemoteSettingsChanged, ResponseReceived, StreamEnded

from app.apns.client import ApnsClient
from app.apns.requests import Push
from app.apns.responses import PushResponse
from bench import arguments, push_service, push_throughput, report

TOPIC = "pass.example.bench"
IN_FLIGHT = 500
EXPIRATION = 2_000_000_000


@dataclass(frozen=True)
class Address:
    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path

    def tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(self.certificate, self.key)
        context.set_alpn_protocols(["h2"])
        return context


Work = list[tuple[str, str]]  # (push token, apns-id)
Contestant = Callable[[Address, Work], Coroutine[Any, Any, int]]


async def own(address: Address, work: Work) -> int:
    """``push_many`` in batches, as the worker sends."""
    accepted = 0
    async with _own_client(address) as client:
        for start in range(0, len(work), IN_FLIGHT):
            batch = [Push(token, apns_id, EXPIRATION) for token, apns_id in work[start : start + IN_FLIGHT]]
            outcomes = await client.push_many(batch)
            accepted += sum(isinstance(out, PushResponse) and out.status == 200 for out in outcomes)
    return accepted


async def own_one_by_one(address: Address, work: Work) -> int:
    """``push`` from 500 tasks at once."""
    async with _own_client(address) as client:

        async def one(token: str, apns_id: str) -> int:
            return (await client.push(token, apns_id=apns_id, expiration=EXPIRATION)).status

        return (await in_tasks(one, work)).count(200)


def _own_client(address: Address) -> ApnsClient:
    return ApnsClient(
        f"https://{address.host}:{address.port}",
        topic=TOPIC,
        ca=address.ca,
        certificate_pem=address.certificate.read_bytes(),
        key_pem=address.key.read_bytes(),
        connections=1,
    )


async def in_tasks(one: Callable[[str, str], Awaitable[int]], work: Work) -> list[int]:
    statuses: list[int] = []
    queue = iter(work)

    async def sender() -> None:
        for token, apns_id in queue:
            statuses.append(await one(token, apns_id))

    await asyncio.gather(*(sender() for _ in range(IN_FLIGHT)))
    return statuses


class BareH2(asyncio.Protocol):
    """The least that h2 needs: a dict of futures, one write per turn of the loop, validation off."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._h2 = H2Connection(
            H2Configuration(
                client_side=True,
                header_encoding=False,
                validate_outbound_headers=False,
                validate_inbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._statuses: dict[int, int] = {}
        self._scheduled = False
        self.ready = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            if isinstance(event, ResponseReceived):
                self._statuses[event.stream_id] = int(dict(event.headers)[b":status"])
            elif isinstance(event, StreamEnded):
                self._answers.pop(event.stream_id).set_result(self._statuses.pop(event.stream_id))
            elif isinstance(event, RemoteSettingsChanged):
                self.ready.set()
        self._schedule()

    async def push(self, token: str, apns_id: str) -> int:
        stream = self._h2.get_next_available_stream_id()
        headers = [
            (b":method", b"POST"),
            (b":scheme", b"https"),
            (b":authority", b"127.0.0.1"),
            (b":path", f"/3/device/{token}".encode()),
            (b"apns-topic", TOPIC.encode()),
            (b"apns-expiration", b"%d" % EXPIRATION),
            (b"apns-priority", b"10"),
            (b"apns-id", apns_id.encode()),
        ]
        self._h2.send_headers(stream, headers)
        self._h2.send_data(stream, b"{}", end_stream=True)
        answer: asyncio.Future[int] = self._loop.create_future()
        self._answers[stream] = answer
        self._schedule()
        return await answer

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        self.transport.write(self._h2.data_to_send())


async def bare_h2(address: Address, work: Work) -> int:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(BareH2, address.host, address.port, ssl=address.tls())
    await client.ready.wait()
    statuses = await in_tasks(client.push, work)
    client.transport.close()
    return statuses.count(200)


async def aioapns(address: Address, work: Work) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from aioapns import APNs, NotificationRequest
        from aioapns.connection import APNsTLSClientProtocol

        class Protocol(APNsTLSClientProtocol):  # type: ignore[misc,unused-ignore]
            APNS_SERVER = address.host
            APNS_PORT = address.port

        client = APNs(
            client_cert=str(address.certificate), topic=TOPIC, max_connections=1, ssl_context=address.tls()
        )
    client.pool.protocol_class = Protocol
    life = EXPIRATION - int(time.time())

    async def one(token: str, apns_id: str) -> int:
        request = NotificationRequest(
            device_token=token, message={}, notification_id=apns_id, time_to_live=life, priority=10
        )
        return int((await client.send_notification(request)).status)

    statuses = await in_tasks(one, work)
    for connection in list(client.pool.connections):
        connection.close()
    return statuses.count(200)


OURS = "own, push_many"
CONTESTANTS: dict[str, Contestant] = {
    OURS: own,
    "own, push": own_one_by_one,
    "bare h2": bare_h2,
    "aioapns": aioapns,
}


def measure(contestant: Contestant, address: Address, pushes: int) -> tuple[float, float]:
    """(CPU µs per push, pushes per second)."""
    work = [(uuid.uuid4().hex * 2, str(uuid.uuid4())) for _ in range(pushes)]
    wall, cpu = time.perf_counter(), time.process_time()
    accepted = asyncio.run(contestant(address, work))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if accepted != pushes:
        raise RuntimeError(f"{pushes - accepted} of {pushes} pushes were not accepted")
    return cpu / pushes * 1e6, pushes / wall


PUSHES, ROUNDS = 3_000, 3


def run(pushes: int, rounds: int) -> None:
    """Take all contestants ``rounds`` times, and report."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with push_service.running(directory, TOPIC) as service:
            both = directory / "both.pem"
            both.touch(mode=0o600)
            both.write_bytes(service.certificate_pem + service.key_pem)
            address = Address("127.0.0.1", service.port, service.ca, both, service.credentials / "key.pem")
            ceiling = push_service.ceiling(service, pushes=4 * pushes)
            results: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTESTANTS}
            for _ in range(rounds):
                for contestant, act in CONTESTANTS.items():
                    results[contestant].append(measure(act, address, pushes))
    report.deliver(_report(results, pushes, ceiling))


def _report(results: dict[str, list[tuple[float, float]]], pushes: int, ceiling: float) -> report.Report:
    cpu = {name: statistics.median(cost for cost, _ in found) for name, found in results.items()}
    rates = {name: statistics.median(rate for _, rate in found) for name, found in results.items()}
    mine = cpu[OURS]
    return report.Report(
        title="APNs client",
        about=(
            f"Every contestant sends the same {pushes:,} pushes a round, {IN_FLIGHT} in flight, over one TLS"
            " connection to the push simulator in a process of its own. CPU is that of the client's process;"
            " medians of interleaved rounds. Where a client is faster than the simulator, its pushes per"
            " second are the simulator's. By its own processor time it takes"
            f" {ceiling:,.0f} pushes a second from ours."
        ),
        tables=(
            report.Table(
                "One connection",
                ("client", "CPU µs/push", "pushes/s", "our CPU of its"),
                tuple(
                    (name, f"{cost:,.1f}", f"{rates[name]:,.0f}", f"{mine / cost:.2f}")
                    for name, cost in cpu.items()
                ),
            ),
        ),
        figures=(
            *(
                report.Figure(
                    key=f"apns_client.{key}",
                    what=f"our CPU per push, as a part of {name}'s",
                    value=mine / cpu[name],
                    unit="",
                    at_most=bar,
                )
                for key, name, bar in (("h2", "bare h2", 0.5), ("aioapns", "aioapns", 0.2))
            ),
            push_service.ceiling_figure("apns_client", ceiling, push_throughput.BAR),
        ),
    )


def main() -> None:
    told = arguments.parser("apns_client")
    told.add_argument("pushes", nargs="?", type=arguments.number(), default=PUSHES, help="of each in a round")
    told.add_argument("rounds", nargs="?", type=arguments.number(), default=ROUNDS, help="of all contestants")
    given = told.parse_args()
    run(given.pushes, given.rounds)


if __name__ == "__main__":
    main()
