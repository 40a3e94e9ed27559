"""Apple's push service for Wallet passes, on this machine: HTTP/2 with TLS and client certificates.

It judges requests like Apple (:mod:`.apns_rules`), remembers them, tells the phones, and fails
on demand (:mod:`.apns_faults`). A sender needs its address and the authority's root certificate.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.simulators.apns_connection import SenderConnection, Statistics
from app.simulators.apns_control import Control
from app.simulators.apns_faults import Faults
from app.simulators.apns_post import Post
from app.simulators.apns_tokens import ProviderKey, TokenDesk
from app.simulators.apns_wire import QuickWire, StrictWire
from app.simulators.authority import Authority
from app.simulators.http_server import port_of
from app.simulators.lifetime import in_thread, until_cancelled

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApnsSettings:
    """Where the simulator listens, whom it trusts, how strict it is about tokens."""

    certificate: Path  # PEM with chain
    key: Path
    client_authorities: tuple[Path, ...]  # PEM: root and intermediate that pass certificates chain to
    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    control_port: int = 0
    known_tokens_only: bool = False  # else every well-formed token is taken
    provider_keys: tuple[ProviderKey, ...] = ()  # when there are any, a client certificate is optional
    quick: bool = False  # for load: frames by hand instead of the strict h2 library
    seed: int = 0  # of what is left to chance


def settings_for(
    authority: Authority,
    directory: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    control_port: int = 0,
    known_tokens_only: bool = False,
    provider_keys: tuple[ProviderKey, ...] = (),
    quick: bool = False,
) -> ApnsSettings:
    """Settings with a server certificate made by ``authority`` in ``directory``."""
    certificate, key = authority.server_certificate(directory, host, "127.0.0.1", "localhost")
    return ApnsSettings(
        certificate=certificate,
        key=key,
        client_authorities=(authority.root, authority.wwdr),
        host=host,
        port=port,
        control_port=control_port,
        known_tokens_only=known_tokens_only,
        provider_keys=provider_keys,
        quick=quick,
    )


class ApnsSimulator:
    """The server. :meth:`start` and :meth:`stop` belong to one event loop; so does everything it holds."""

    def __init__(
        self, settings: ApnsSettings, *, faults: Faults | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """``clock`` gives UNIX seconds."""
        self.settings = settings
        self.faults = faults or Faults()
        self.post = Post(known_only=settings.known_tokens_only, clock=clock)
        self.statistics = Statistics()
        self.connections: set[SenderConnection] = set()
        self._desk = TokenDesk(settings.provider_keys, clock) if settings.provider_keys else None
        self._luck = random.Random(settings.seed)
        self._servers: list[asyncio.Server] = []
        self.url = ""  # known once started: https://127.0.0.1:PORT
        self.control_url = ""  # http://127.0.0.1:PORT

    async def start(self) -> None:
        """Listen; returns when both ports accept. Raises OSError where a port is taken."""
        settings, loop = self.settings, asyncio.get_running_loop()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.load_cert_chain(settings.certificate, settings.key)
        for authority in settings.client_authorities:
            tls.load_verify_locations(authority)
        tls.verify_mode = ssl.CERT_OPTIONAL if settings.provider_keys else ssl.CERT_REQUIRED
        tls.set_alpn_protocols(["h2"])
        pushes = await loop.create_server(self._connection, settings.host, settings.port, ssl=tls)
        self._servers.append(pushes)
        control = await asyncio.start_server(
            Control(self).accept, settings.host, settings.control_port, limit=1 << 20
        )
        self._servers.append(control)
        self.url = f"https://{settings.host}:{port_of(pushes)}"
        self.control_url = f"http://{settings.host}:{port_of(control)}"

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        for server in self._servers:
            server.close()
        for connection in tuple(self.connections):
            connection.drop()
        self._servers.clear()
        await asyncio.sleep(0)

    def turn(self, changes: dict[str, object]) -> None:
        """Set knobs by name, also on connections that live; raises ValueError for an unknown one."""
        self.faults.turn(changes)
        if "max_concurrent_streams" in changes:
            for connection in tuple(self.connections):
                connection.announce_streams(self.faults.max_concurrent_streams)

    def heal(self) -> None:
        """Every knob back to good health."""
        healthy = Faults()
        self.turn({name: getattr(healthy, name) for name in Faults.__dataclass_fields__})

    def _connection(self) -> SenderConnection:
        return SenderConnection(
            QuickWire() if self.settings.quick else StrictWire(),
            self.post,
            self.faults,
            self._desk,
            self.statistics,
            self.connections,
            self._luck,
        )


class RunningApns:
    """A simulator in a thread of its own, for synchronous callers. Use :func:`running`."""

    def __init__(self, simulator: ApnsSimulator, loop: asyncio.AbstractEventLoop) -> None:
        self._simulator, self._loop = simulator, loop
        self.url, self.control_url = simulator.url, simulator.control_url

    def ask(self, question: Callable[[ApnsSimulator], _T]) -> _T:
        """Evaluate ``question`` in the simulator's thread."""

        async def inside() -> _T:
            return question(self._simulator)

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(10)

    def turn(self, **knobs: object) -> None:
        """Set knobs of :class:`~app.simulators.apns_faults.Faults` by name."""
        self.ask(lambda simulator: simulator.turn(knobs))


@contextmanager
def running(settings: ApnsSettings, *, faults: Faults | None = None) -> Iterator[RunningApns]:
    """The simulator in a thread, until the block ends."""
    simulator = ApnsSimulator(settings, faults=faults)
    with in_thread(simulator, name="apns-simulator") as loop:
        yield RunningApns(simulator, loop)


async def serve(settings: ApnsSettings, *, ready: Callable[[ApnsSimulator], None] | None = None) -> None:
    """Run until cancelled; ``ready`` is told when the ports accept and the addresses are known."""
    await until_cancelled(ApnsSimulator(settings), ready)
