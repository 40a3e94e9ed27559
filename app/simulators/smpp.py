"""An SMPP 3.4 centre on loopback: checks what it is sent, delivers it, writes receipts, and fails on demand.

It keeps a log of every part that it took and charges for each. What a listener did not take is delivered
again, at the next bind at the latest, whichever connection that is. The control port speaks HTTP with JSON:

=======================  ==============================================================================
``GET /texts``           whole texts, parts and money; ``?to=`` narrows it
``GET, PATCH /faults``   the knobs of :class:`app.simulators.smpp_faults.Faults`
``DELETE /faults``       good health
``POST /incoming``       ``{"from": "+7…", "text": "СТОП"}``: a subscriber sends a text
``POST /drop``           every connection breaks
=======================  ==============================================================================
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from app.simulators import smpp_wire as wire
from app.simulators.http_server import Request, Response, json_response, listen, port_of
from app.simulators.lifetime import in_thread, until_cancelled
from app.simulators.smpp_connection import Connection
from app.simulators.smpp_faults import Faults
from app.simulators.smpp_log import Log, Part
from app.simulators.smpp_receipts import receipt, said_by

_T = TypeVar("_T")
_AGAIN_SECONDS = 0.05
"""After a listener could not take something just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppSettings:
    """Where the centre listens, whom it knows, what it charges."""

    accounts: Mapping[str, str] = field(default_factory=lambda: {"perkpass": "sandbox"})  # with passwords
    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    control_port: int = 0
    price: int = 300  # a part, in minor units
    short_number: str = "2020"  # guests write to it
    certificate: Path | None = None  # PEM with chain: TLS
    key: Path | None = None


class SmppSimulator:
    """The centre. :meth:`start` and :meth:`stop` belong to one event loop; so does everything it holds."""

    def __init__(
        self,
        settings: SmppSettings | None = None,
        *,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` gives UNIX seconds."""
        self.settings = settings or SmppSettings()
        self.faults = faults or Faults()
        self.log = Log(clock, self.settings.price)
        self.connections: set[Connection] = set()
        self.url = ""  # known once started: smpp://127.0.0.1:PORT
        self.control_url = ""
        self._clock = clock
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._undelivered: deque[bytes] = deque()
        self._delivering: asyncio.Task[None] | None = None
        self._taken_at: deque[float] = deque()
        self._under_way = 0
        self._said = 0

    async def start(self) -> None:
        """Listen; returns when both ports accept. Raises OSError where a port is taken."""
        settings, tls = self.settings, None
        if settings.certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(settings.certificate, settings.key)
        centre = await asyncio.start_server(self._accept, settings.host, settings.port, ssl=tls)
        control = await listen(self._control, settings.host, settings.control_port)
        self._servers += [centre, control]
        self.url = f"smpp{'s' if tls else ''}://{settings.host}:{port_of(centre)}"
        self.control_url = f"http://{settings.host}:{port_of(control)}"

    async def stop(self) -> None:
        """Stop listening, break every connection, forget what was not yet delivered."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        self.drop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def drop(self) -> None:
        """Break every connection."""
        for connection in tuple(self.connections):
            connection.drop()

    def incoming(self, number: str, text: str) -> None:
        """A subscriber sends ``text``; it waits for a listener."""
        self._said += 1
        for body in said_by(number, self.settings.short_number, text, self._said):
            self._deliver(body)

    @property
    def undelivered(self) -> int:
        """Receipts and texts that nobody has taken yet."""
        return len(self._undelivered)

    def password_of(self, system_id: str) -> str | None:
        """None: no such account."""
        return self.settings.accounts.get(system_id)

    def may_take(self) -> int:
        """OK, ESME_RTHROTTLED or ESME_RMSGQFUL; counts what is taken."""
        faults, now = self.faults, time.monotonic()
        if faults.queue is not None and self._under_way >= faults.queue:
            return wire.QUEUE_FULL
        if faults.rate is not None:
            while self._taken_at and now - self._taken_at[0] >= 1:
                self._taken_at.popleft()
            if len(self._taken_at) >= faults.rate:
                return wire.THROTTLED
            self._taken_at.append(now)
        return wire.OK

    def listens(self, connection: Connection) -> None:  # noqa: ARG002 - whoever it is
        """Deliver what waited for a listener."""
        self._hurry()

    def taken(self, part: Part) -> None:
        """Deliver a part, and write its receipts."""
        faults = self.faults
        if faults.receipts == "none" or not part.submitted.wants_receipt:
            return
        self._under_way += 1
        delay = faults.receipt_delay_ms / 1000
        if faults.receipts_reversed:
            delay += 0.03 * (part.submitted.parts - part.submitted.part)
        self._keep(asyncio.get_running_loop().create_task(self._write_receipts(part, delay)))

    async def _write_receipts(self, part: Part, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        faults = self.faults
        final = faults.states.get(part.submitted.number, faults.receipt_state)
        states = [final] * faults.receipt_copies
        if faults.enroute != "none":
            states.insert(0 if faults.enroute == "before" else len(states), "ENROUTE")
        for state in states:
            self._deliver(receipt(part, state, faults, self._clock()))
        self._under_way -= 1

    def _deliver(self, body: bytes) -> None:
        self._undelivered.append(body)
        self._hurry()

    def _hurry(self) -> None:
        if self._delivering is None or self._delivering.done():
            self._delivering = asyncio.get_running_loop().create_task(self._deliver_all())
            self._keep(self._delivering)

    async def _deliver_all(self) -> None:
        """In order, one at a time; what is refused for now stays at the head."""
        while self._undelivered:
            listener = next((each for each in self.connections if each.hears), None)
            if listener is None:
                return  # the next bind goes on
            try:
                status = await listener.ask(wire.DELIVER_SM, self._undelivered[0])
            except (TimeoutError, ConnectionError):
                continue
            self.log.deliveries[status] += 1
            if status == 0x64:  # ESME_RX_T_APPN: later
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                self._undelivered.popleft()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        self.connections.add(connection)
        try:
            with contextlib.suppress(asyncio.CancelledError):  # the loop ends: nothing to report
                await connection.run()
        finally:
            self.connections.discard(connection)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _control(self, request: Request) -> Response:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["texts"]:
                return self._texts(request.query.get("to", ""))
            case "GET", ["faults"]:
                pass
            case "PATCH", ["faults"]:
                self.faults.turn(dict(request.json()))
            case "DELETE", ["faults"]:
                self.faults.turn(asdict(Faults()))
            case "POST", ["incoming"]:
                said = dict(request.json())
                self.incoming(str(said["from"]), str(said["text"]))
            case "POST", ["drop"]:
                self.drop()
            case _:
                return json_response({"error": "no such thing"}, 404)
        return Response(json.dumps(asdict(self.faults)).encode(), content_type="application/json")

    def _texts(self, to: str) -> Response:
        log = self.log
        return json_response(
            {
                "spent": log.spent,
                "answers": {f"0x{status:08X}": count for status, count in log.answers.items()},
                "texts": [asdict(text) for text in log.texts() if not to or text.number == to],
                "parts": [asdict(part) for part in log.parts if not to or part.submitted.number == to],
            }
        )


class RunningSmpp:
    """A centre in a thread of its own, for synchronous callers. Use :func:`running`."""

    def __init__(self, simulator: SmppSimulator, loop: asyncio.AbstractEventLoop) -> None:
        self._simulator, self._loop = simulator, loop
        self.url, self.control_url = simulator.url, simulator.control_url

    def ask(self, question: Callable[[SmppSimulator], _T]) -> _T:
        """Evaluate ``question`` in the centre's thread."""

        async def inside() -> _T:
            return question(self._simulator)

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(10)

    def turn(self, **knobs: object) -> None:
        """Set knobs of :class:`~app.simulators.smpp_faults.Faults` by name."""
        self.ask(lambda simulator: simulator.faults.turn(knobs))


@contextmanager
def running(settings: SmppSettings | None = None, *, faults: Faults | None = None) -> Iterator[RunningSmpp]:
    """The centre in a thread, until the block ends."""
    simulator = SmppSimulator(settings, faults=faults)
    with in_thread(simulator, name="smpp-simulator") as loop:
        yield RunningSmpp(simulator, loop)


async def serve(settings: SmppSettings, *, ready: Callable[[SmppSimulator], None] | None = None) -> None:
    """Run until cancelled; ``ready`` is told when the ports accept and the addresses are known."""
    await until_cancelled(SmppSimulator(settings), ready)
