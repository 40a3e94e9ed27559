"""Text gateways on this machine: SMSC.ru and Twilio over HTTP, at one address.

They judge requests as the vendors' pages say, charge for every text they take, tell what became of it, and
fail on demand (:mod:`.sms_faults`). The control port speaks HTTP with JSON:

=======================  ==============================================================================
``GET /texts``           texts and money; ``?after=`` (number) and ``?to=`` narrow it
``DELETE /texts``        forget the texts; the money stays spent
``GET, PATCH /faults``   the knobs of :class:`app.simulators.sms_faults.Faults`
``DELETE /faults``       good health
``PUT /balance``         ``{"smsc": 100, "twilio": 100}`` in minor units
``POST /incoming``       ``{"gateway": "smsc", "from": "+7…", "text": "СТОП"}``: a subscriber sends a text
=======================  ==============================================================================
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from app.simulators.http_server import Request, Response, converse, json_response, listen, port_of
from app.simulators.lifetime import in_thread, until_cancelled
from app.simulators.sms_faults import Faults
from app.simulators.sms_ledger import Account, Ledger
from app.simulators.sms_receipts import Postman, Secrets, smsc_incoming, twilio_incoming
from app.simulators.sms_smsc import Smsc
from app.simulators.sms_trade import Trade
from app.simulators.sms_twilio import Twilio

_T = TypeVar("_T")
ACCOUNT_SID = "AC" + "5a" * 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsSettings:
    """Where the simulator listens, who may sign in, where receipts go, what texts cost."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    control_port: int = 0
    smsc_login: str = "perkpass"
    smsc_password: str = "sandbox"  # noqa: S105
    smsc_apikey: str = "sandbox-key"
    smsc_receipts: str = ""  # the address in the cabinet, with its key; empty: no receipts
    smsc_secret: str = "sandbox-secret-of-receipts"  # noqa: S105
    account_sid: str = ACCOUNT_SID
    auth_token: str = "sandbox-token"  # noqa: S105
    twilio_incoming: str = ""  # where incoming texts go; receipts go where each text says
    smsc_price: int = 450  # kopecks a part
    twilio_price: int = 5  # cents a part
    balance: int = 100_000_000  # minor units, of each account
    certificate: Path | None = None  # PEM with chain: https
    key: Path | None = None
    seed: int = 0  # of what is left to chance


class SmsSimulator:
    """The server. :meth:`start` and :meth:`stop` belong to one event loop; so does everything it holds."""

    def __init__(
        self,
        settings: SmsSettings,
        *,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` gives UNIX seconds."""
        self.settings = settings
        self.faults = faults or Faults()
        self.ledger = Ledger(
            clock,
            {
                "smsc": Account("RUB", settings.balance, settings.smsc_price),
                "twilio": Account("USD", settings.balance, settings.twilio_price),
            },
        )
        self._secrets = Secrets(settings.smsc_secret, settings.account_sid, settings.auth_token)
        self._servers: list[asyncio.Server] = []
        self._under_way = 0
        self._incoming = 0
        self.url = ""  # known once started: http://127.0.0.1:PORT
        self.control_url = ""

    async def start(self) -> None:
        """Listen; returns when both ports accept. Raises OSError where a port is taken."""
        settings = self.settings
        self.postman = Postman(self.ledger, self.faults)
        trade = Trade(self.ledger, self.faults, self.postman, seed=settings.seed)
        self._trade = trade
        self._smsc = Smsc(
            trade,
            self._secrets,
            login=settings.smsc_login,
            password=settings.smsc_password,
            apikey=settings.smsc_apikey,
            receipts=settings.smsc_receipts,
        )
        self._twilio = Twilio(trade, self._secrets)
        tls = None
        if settings.certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(settings.certificate, settings.key)
        gateways = await asyncio.start_server(self._accept, settings.host, settings.port, ssl=tls)
        control = await listen(self._control, settings.host, settings.control_port)
        self._servers += [gateways, control]
        self.url = f"http{'s' if tls else ''}://{settings.host}:{port_of(gateways)}"
        self.control_url = f"http://{settings.host}:{port_of(control)}"

    async def stop(self) -> None:
        """Stop listening and drop what was not yet sent."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        await self.postman.close()

    async def incoming(self, gateway: str, number: str, text: str) -> None:
        """A subscriber sends ``text``; returns when it was heard. Raises ValueError without an address."""
        settings = self.settings
        self._incoming += 1
        url = settings.smsc_receipts if gateway == "smsc" else settings.twilio_incoming
        if not url:
            raise ValueError(f"{gateway}: no address for incoming texts was given")
        if gateway == "smsc":
            call = smsc_incoming(url, number, text, self._incoming)
        else:
            call = twilio_incoming(self._secrets, url, number, "+15550006666", text, self._incoming)
        await self.postman.send([call])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the loop ends: nothing to report
            await converse(self._handle, reader, writer)

    async def _handle(self, request: Request) -> Response:
        if self.faults.down:
            return Response(b"<html>503 Service Temporarily Unavailable</html>", 503, "text/html")
        if self._trade.lost():
            raise ConnectionResetError
        self._under_way += 1
        try:
            if self.faults.at_once is not None and self._under_way > self.faults.at_once:
                return self._too_many_at_once(request)
            if request.path.startswith("/sys/"):
                return await self._smsc.handle(request)
            return await self._twilio.handle(request)
        finally:
            self._under_way -= 1

    def _too_many_at_once(self, request: Request) -> Response:
        if request.path.startswith("/sys/"):
            self.ledger.answers["smsc 9"] += 1
            return json_response({"error": "too many concurrent requests", "error_code": 9})
        self.ledger.answers["twilio 20429"] += 1
        return json_response({"code": 20429, "message": "Too Many Requests", "status": 429}, 429)

    async def _control(self, request: Request) -> Response:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["texts"]:
                return self._texts(request)
            case "DELETE", ["texts"]:
                self.ledger.clear()
                return self._texts(request)
            case "GET", ["faults"]:
                pass
            case "PATCH", ["faults"]:
                self.faults.turn(dict(request.json()))
            case "DELETE", ["faults"]:
                self.faults.turn(asdict(Faults()))
            case "PUT", ["balance"]:
                self._set_balance(dict(request.json()))
                return self._texts(request)
            case "POST", ["incoming"]:
                said = dict(request.json())
                await self.incoming(str(said["gateway"]), str(said["from"]), str(said["text"]))
            case _:
                return json_response({"error": "no such thing"}, 404)
        return Response(self.faults.to_json(), content_type="application/json")

    def _set_balance(self, balances: dict[str, object]) -> None:
        for name, account in self.ledger.accounts.items():
            if isinstance(amount := balances.get(name, account.balance), int):
                account.balance = amount

    def _texts(self, request: Request) -> Response:
        after, to = int(request.query.get("after", "0")), request.query.get("to", "")
        ledger = self.ledger
        return json_response(
            {
                "accounts": {name: asdict(account) for name, account in ledger.accounts.items()},
                "answers": dict(ledger.answers),
                "receipts": dict(ledger.receipts),
                "texts": [
                    asdict(text) for text in ledger.texts if text.number > after and (not to or text.to == to)
                ],
            }
        )


class RunningSms:
    """A simulator in a thread of its own, for synchronous callers. Use :func:`running`."""

    def __init__(self, simulator: SmsSimulator, loop: asyncio.AbstractEventLoop) -> None:
        self._simulator, self._loop = simulator, loop
        self.url, self.control_url = simulator.url, simulator.control_url

    def ask(self, question: Callable[[SmsSimulator], _T]) -> _T:
        """Evaluate ``question`` in the simulator's thread."""

        async def inside() -> _T:
            return question(self._simulator)

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(10)

    def turn(self, **knobs: object) -> None:
        """Set knobs of :class:`~app.simulators.sms_faults.Faults` by name."""
        self.ask(lambda simulator: simulator.faults.turn(knobs))

    def settled(self) -> None:
        """Wait until every receipt that is under way was heard or given up."""
        asyncio.run_coroutine_threadsafe(self._simulator.postman.settled(), self._loop).result(30)

    def incoming(self, gateway: str, number: str, text: str) -> None:
        """A subscriber sends a text; returns when it was heard."""
        asyncio.run_coroutine_threadsafe(self._simulator.incoming(gateway, number, text), self._loop).result(
            30
        )


@contextmanager
def running(
    settings: SmsSettings | None = None,
    *,
    faults: Faults | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[RunningSms]:
    """The simulator in a thread, until the block ends; ``clock`` gives UNIX seconds."""
    simulator = SmsSimulator(settings or SmsSettings(), faults=faults, clock=clock)
    with in_thread(simulator, name="sms-simulator") as loop:
        yield RunningSms(simulator, loop)


async def serve(settings: SmsSettings, *, ready: Callable[[SmsSimulator], None] | None = None) -> None:
    """Run until cancelled; ``ready`` is told when the ports accept and the addresses are known."""
    await until_cancelled(SmsSimulator(settings), ready)
