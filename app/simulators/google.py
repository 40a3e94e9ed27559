"""Google Wallet on this machine: tokens, the REST interface, the page behind a save link, signed callbacks.

Everything lies at one address. What a guest does and what shall go wrong is said at ``/_sim`` or through the
handle of :func:`running`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from app.simulators.google_accounts import Accounts, new_service_account
from app.simulators.google_api import Api, Call
from app.simulators.google_errors import Refused, no_such_path
from app.simulators.google_resources import Resources
from app.simulators.google_tokens import Tokens
from app.simulators.http_server import Request, Response, json_response, listen, port_of
from app.simulators.lifetime import in_thread, until_cancelled

_T = TypeVar("_T")
ISSUER = "3388000000012345678"
_JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleSettings:
    """Where the simulator listens, and whose cards it holds."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    issuers: tuple[str, ...] = (ISSUER,)


class GoogleSimulator:
    """The server. :meth:`start` and :meth:`stop` belong to one event loop; so does everything it holds."""

    def __init__(self, settings: GoogleSettings, *, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives UNIX seconds."""
        self.settings, self.clock = settings, clock
        self.accounts = Accounts()
        for issuer in settings.issuers:
            self.accounts.issuer(issuer)
        self.tokens = Tokens(self.accounts)
        self.resources = Resources()
        self.api = Api(self.accounts, self.resources)
        self._servers: list[asyncio.Server] = []
        self.url = ""  # known once started: http://127.0.0.1:PORT

    async def start(self) -> None:
        """Listen; returns when the port accepts. Raises OSError where it is taken."""
        server = await listen(self._handle, self.settings.host, self.settings.port)
        self._servers.append(server)
        self.url = f"http://{self.settings.host}:{port_of(server)}"

    async def stop(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    def new_service_account(
        self, *issuers: str, name: str = "perkpass", project: str = "kofe"
    ) -> dict[str, Any]:
        """The JSON file of a new service account that may write for ``issuers`` (none named: all)."""
        document = new_service_account(f"{self.url}/token", name=name, project=project)
        self.accounts.register(document, *(issuers or self.settings.issuers))
        return document

    async def _handle(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except Refused as refused:
            return Response(refused.body(), refused.status, _JSON)

    async def _answer(self, request: Request) -> Response:
        if request.path == "/token":
            return self.tokens.answer(request, self.clock())
        if request.path.startswith("/_sim/"):
            return self._control(request)
        if not request.path.startswith("/walletobjects/v1/"):
            raise no_such_path()
        robot = self.tokens.robot(request, self.clock())
        call = Call(
            request.method,
            request.path,
            request.query,
            request.headers.get("content-type", ""),
            request.body,
        )
        answer = self.api.answer(robot, call)
        return Response(answer.body(), answer.status, _JSON)

    def _control(self, request: Request) -> Response:
        match request.method, request.path.removeprefix("/_sim/").split("/"):
            case "GET", ["classes"]:
                return json_response(list(self.resources.classes.values()))
            case "GET", ["objects"]:
                objects = self.resources.objects.values()
                return json_response([self.resources.shown("object", body) for body in objects])
        return json_response({"error": "no such thing"}, 404)


class RunningGoogle:
    """A simulator in a thread of its own, for synchronous callers. Use :func:`running`."""

    def __init__(self, simulator: GoogleSimulator, loop: asyncio.AbstractEventLoop) -> None:
        self._simulator, self._loop = simulator, loop
        self.url = simulator.url
        self.token_url = f"{self.url}/token"
        self.save_url = f"{self.url}/gp/v/save/"
        self.callback_keys_url = f"{self.url}/gp/m/issuer/keys"

    def ask(self, question: Callable[[GoogleSimulator], _T]) -> _T:
        """Evaluate ``question`` in the simulator's thread."""

        async def inside() -> _T:
            return question(self._simulator)

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(10)

    def service_account(self, *issuers: str, name: str = "perkpass", project: str = "kofe") -> dict[str, Any]:
        """The JSON file of a new service account that may write for ``issuers`` (none named: all)."""
        return self.ask(lambda simulator: simulator.new_service_account(*issuers, name=name, project=project))

    def write_service_account(self, path: Path, *issuers: str) -> Path:
        """The same as a file that nobody else may read."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.service_account(*issuers), indent=2), encoding="utf-8")
        return path

    def classes(self) -> dict[str, dict[str, Any]]:
        """Every class by its id, as it stands."""
        return self.ask(lambda simulator: dict(simulator.resources.classes))

    def objects(self) -> dict[str, dict[str, Any]]:
        """Every object by its id, as it stands, with ``hasUsers``."""
        return self.ask(
            lambda simulator: {
                identifier: simulator.resources.shown("object", body)
                for identifier, body in simulator.resources.objects.items()
            }
        )


@contextmanager
def running(
    settings: GoogleSettings | None = None, *, clock: Callable[[], float] = time.time
) -> Iterator[RunningGoogle]:
    """The simulator in a thread, until the block ends; ``clock`` gives UNIX seconds."""
    simulator = GoogleSimulator(settings or GoogleSettings(), clock=clock)
    with in_thread(simulator, name="google-simulator") as loop:
        yield RunningGoogle(simulator, loop)


async def serve(settings: GoogleSettings, *, ready: Callable[[GoogleSimulator], None] | None = None) -> None:
    """Run until cancelled; ``ready`` is told when the port accepts and the address is known."""
    await until_cancelled(GoogleSimulator(settings), ready)
