"""A gateway of these tests' own: lines of JSON over TCP on loopback, a log of every text, and its adapter.

What becomes of the next requests is told beforehand (``fates``); without a fate a text is taken.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from app.sms.encoding import Measured, measure
from app.sms.gateway import (
    Answer,
    Balance,
    Callback,
    Inbound,
    Listener,
    OutcomeUnknown,
    Outgoing,
    Price,
    Receipt,
    ReceiptState,
    Unreachable,
    Verdict,
)

Fate = Literal["take", "take and be silent", "break", "throttle", "refuse", "opted out", "stop"]
PRICE = 100
_NOT_TAKEN: Mapping[Fate, str] = {
    "throttle": "retry",
    "refuse": "refused",
    "opted out": "refused",
    "stop": "stopped",
}


@dataclass
class Taken:
    """A text that the gateway took, and the coins it cost."""

    reference: int
    number: str
    text: str
    provider_id: str
    cost: int = PRICE
    at: float = 0.0
    state: ReceiptState = ReceiptState.WAITING


@dataclass
class Ledger:
    """The gateway's truth; touched in its own thread, read when it rests."""

    texts: list[Taken] = field(default_factory=list)
    fates: deque[Fate] = field(default_factory=deque)
    always: Fate | None = None
    requests: int = 0
    questions: int = 0
    delay: float = 0.0
    balance: int = 1_000_000

    def of(self, reference: int) -> list[Taken]:
        return [one for one in self.texts if one.reference == reference]


class GatewayServer:
    """The server's side."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._listeners: set[asyncio.StreamWriter] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()
        assert self._started.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def tell(self, said: Mapping[str, Any]) -> None:
        """Send a line to whoever listens."""

        def write() -> None:
            for writer in self._listeners:
                writer.write(_line(said))

        self._loop.call_soon_threadsafe(write)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            while line := await reader.readline():
                asked = json.loads(line)
                if asked["do"] == "listen":
                    self._listeners.add(writer)
                    writer.write(_line({"ok": True}))
                    continue
                if self.ledger.delay:
                    await asyncio.sleep(self.ledger.delay)
                answer = self._answer(asked)
                if answer is None:
                    break
                writer.write(_line(answer))
        self._listeners.discard(writer)
        writer.close()

    def _answer(self, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        if asked["do"] == "balance":
            return {"balance": self.ledger.balance}
        if asked["do"] == "status":
            self.ledger.questions += 1
            found = self.ledger.of(asked["reference"])
            return (
                {"state": found[-1].state, "id": found[-1].provider_id}
                if found
                else {"state": "unknown_text"}
            )
        self.ledger.requests += 1
        fates = self.ledger.fates
        fate = fates.popleft() if fates else self.ledger.always or "take"
        if fate == "break":
            return None
        if fate in _NOT_TAKEN:
            return {"verdict": _NOT_TAKEN[fate], "why": fate}
        taken = Taken(
            asked["reference"],
            asked["number"],
            asked["text"],
            f"id{len(self.ledger.texts) + 1}",
            at=self._loop.time(),
        )
        self.ledger.texts.append(taken)
        return {"verdict": "accepted", "id": taken.provider_id} if fate == "take" else None


@contextmanager
def serving() -> Iterator[GatewayServer]:
    server = GatewayServer()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class LineGateway:
    """The adapter; one connection for each question. ``asks``: whether it finds texts by our reference."""

    port: int
    asks: bool = True
    time_out: float = 5.0

    @property
    def can_ask(self) -> bool:
        return self.asks

    def measure(self, text: str) -> Measured:
        return measure(text)

    async def send(self, outgoing: Outgoing) -> Answer:
        asked = {"reference": outgoing.reference, "number": outgoing.number, "text": outgoing.text}
        said = await self._asked({"do": "send", **asked}, OutcomeUnknown)
        verdict = Verdict(said["verdict"])
        if verdict is not Verdict.ACCEPTED:
            why = said["why"]
            return Answer(verdict=verdict, reason=why, status=429, opted_out=why == "opted out")
        price = Price(amount=PRICE, currency="RUB")
        return Answer(verdict=verdict, reason="ok", status=200, provider_id=said["id"], parts=1, price=price)

    async def status(self, *, reference: int, number: str, provider_id: str | None) -> Receipt | None:
        if not self.asks and provider_id is None:
            return None
        said = await self._asked({"do": "status", "reference": reference}, Unreachable)
        if said["state"] == "unknown_text":
            return Receipt(state=ReceiptState.UNKNOWN_TEXT, reason="unknown")
        return Receipt(
            state=ReceiptState(said["state"]),
            reason=said["state"],
            provider_id=said["id"],
            price=Price(amount=PRICE, currency="RUB"),
        )

    async def balance(self) -> Balance | None:
        said = await self._asked({"do": "balance"}, Unreachable)
        return Balance(amount=said["balance"], currency="RUB")

    def hear(self, callback: Callback) -> Sequence[Receipt | Inbound]:
        return ()

    def confirmation(self) -> tuple[str, str]:
        return "", "text/plain"

    async def listen(self, tell: Listener) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(_line({"do": "listen"}))
            await reader.readline()
            while line := await reader.readline():
                said = json.loads(line)
                if "inbound" in said:
                    tell([Inbound(number=said["number"], text=said["inbound"])])
                else:
                    tell([Receipt(state=ReceiptState(said["state"]), reason="told", provider_id=said["id"])])
        finally:
            writer.close()

    async def close(self) -> None:
        return

    async def _asked(self, asked: Mapping[str, Any], broken: type[Exception]) -> dict[str, Any]:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError as fault:
            raise Unreachable(str(fault)) from None
        try:
            async with asyncio.timeout(self.time_out):
                writer.write(_line(asked))
                line = await reader.readline()
        except (OSError, TimeoutError) as fault:
            raise broken(str(fault)) from None
        finally:
            writer.close()
        if not line:
            raise broken("the connection broke")
        said: dict[str, Any] = json.loads(line)
        return said


def _line(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"
