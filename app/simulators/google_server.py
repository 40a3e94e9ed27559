"""Google Wallet on this machine: tokens, the REST interface, the page behind a save link, signed callbacks.

Everything lies at one address: ``/token``, ``/walletobjects/v1/…``, ``/batch``, ``/gp/v/save/<jwt>``,
``/gp/m/issuer/keys``. What a guest does and what shall go wrong is said at ``/_sim`` (:mod:`.google_control`)
or through the handle of :func:`app.simulators.google.running`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.simulators.google_accounts import new_service_account
from app.simulators.google_api import Answer, Api, Call
from app.simulators.google_batch import Batches
from app.simulators.google_callbacks import Messenger
from app.simulators.google_control import Control
from app.simulators.google_discovery import discovery
from app.simulators.google_errors import Refused, no_such_path, unauthenticated
from app.simulators.google_faults import Faults
from app.simulators.google_links import SaveLinks
from app.simulators.google_save_page import SavePage
from app.simulators.google_signing import Signer
from app.simulators.google_state import State
from app.simulators.google_tokens import Tokens
from app.simulators.http_server import Request, Response, json_response, listen, port_of
from app.simulators.lifetime import until_cancelled

ISSUER = "3388000000012345678"
_JSON = "application/json; charset=UTF-8"
_HTML = b"<html><head><title>Error</title></head><body><h1>The server is away.</h1></body></html>"
_SAVE = "/gp/v/save"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleSettings:
    """Where the simulator listens, and whose cards it holds."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    issuers: tuple[str, ...] = (ISSUER,)
    seed: int = 0  # of what is left to chance


class GoogleSimulator:
    """The server. :meth:`start` and :meth:`stop` belong to one event loop; so does everything it holds."""

    def __init__(
        self,
        settings: GoogleSettings,
        *,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` gives UNIX seconds."""
        self.settings = settings
        self.state = State(clock, faults or Faults())
        for issuer in settings.issuers:
            self.state.accounts.issuer(issuer)
        self.tokens = Tokens(self.state.accounts)
        self.signer = Signer()
        self.links = SaveLinks(self.state)
        self.api = Api(self.state, self.links)
        self.batches = Batches(self.state.faults)
        self.messenger = Messenger(self.state, self.signer)
        self.page = SavePage(self.state, self.links, self.messenger)
        self.control = Control(self.state, self.tokens, self.page, self.new_service_account)
        self._chance = random.Random(settings.seed)
        self._servers: list[asyncio.Server] = []
        self.url = ""  # known once started: http://127.0.0.1:PORT

    async def start(self) -> None:
        """Listen; returns when the port accepts. Raises OSError where it is taken."""
        server = await listen(self._handle, self.settings.host, self.settings.port)
        self._servers.append(server)
        self.url = f"http://{self.settings.host}:{port_of(server)}"
        self.links.address = self.url + _SAVE

    async def stop(self) -> None:
        """Stop listening and drop what was not yet sent."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        await self.messenger.close()

    def new_service_account(
        self, *issuers: str, name: str = "perkpass", project: str = "kofe"
    ) -> dict[str, Any]:
        """The JSON file of a new service account that may write for ``issuers`` (none named: all)."""
        document = new_service_account(f"{self.url}/token", name=name, project=project)
        self.register(document, *issuers)
        return document

    def register(self, document: Mapping[str, Any], *issuers: str) -> None:
        """Know a service account by its JSON file; raises ValueError or KeyError where it is none."""
        self.state.accounts.register(document, *(issuers or self.settings.issuers))

    async def _handle(self, request: Request) -> Response:
        faults = self.state.faults
        if request.path.startswith("/_sim/"):
            return await self.control.answer(request)
        if faults.down or (faults.token_down and request.path == "/token"):
            return Response(_HTML, 503, "text/html")
        try:
            if request.path == "/token":
                return self.tokens.answer(request, self.state.clock())
            if request.path == "/gp/m/issuer/keys" and request.method == "GET":
                return json_response(self.signer.listed(self.state.clock()))
            if request.path.startswith(f"{_SAVE}/") and request.method in {"GET", "POST"}:
                return await self.page.answer(request, request.path.removeprefix(f"{_SAVE}/"))
            return await self._interface(request)
        except Refused as refused:
            return self._refused(refused)

    async def _interface(self, request: Request) -> Response:
        faults = self.state.faults
        if self._lost("lose_next_requests", faults.lose_requests):
            raise ConnectionResetError
        robot = self.tokens.robot(request, self.state.clock())
        if faults.unauthenticated_next > 0:
            faults.unauthenticated_next -= 1
            raise unauthenticated()
        if faults.fail_next:
            raise Refused(
                faults.fail_next.pop(0), "The request failed on purpose.", "backendError", shape="front"
            )
        if request.path == "/batch" and request.method == "POST":
            kind, body = self.batches.answer(
                request.headers.get("content-type", ""),
                request.body,
                lambda call: self.api.answer(robot, call),
            )
            response = Response(body, 200, kind)
        elif request.path.startswith("/walletobjects/"):
            headers = request.headers
            call = Call(
                request.method, request.path, request.query, headers.get("content-type", ""), request.body
            )
            response = self._response(self.api.answer(robot, call))
        else:
            raise no_such_path()
        lost = self._lost("lose_next_answers", faults.lose_answers)
        if faults.answer_delay_ms:
            await asyncio.sleep(faults.answer_delay_ms / 1000)
        if lost:
            raise ConnectionResetError
        return response

    def _lost(self, count: str, share: float) -> bool:
        faults = self.state.faults
        if (left := getattr(faults, count)) > 0:
            setattr(faults, count, left - 1)
            return True
        return self._chance.random() < share

    def _refused(self, refused: Refused) -> Response:
        if refused.status >= 500 and self.state.faults.html_errors:
            return Response(_HTML, refused.status, "text/html", self._patience(refused.status))
        return self._response(Answer(refused.status, refused.document()))

    def _response(self, answer: Answer) -> Response:
        return Response(answer.body(), answer.status, _JSON, self._patience(answer.status))

    def _patience(self, status: int) -> tuple[tuple[str, str], ...]:
        seconds = self.state.faults.retry_after
        return (("retry-after", str(seconds)),) if seconds is not None and status in {429, 500, 503} else ()


async def serve(
    simulator: GoogleSimulator, *, ready: Callable[[GoogleSimulator], None] | None = None
) -> None:
    """Run until cancelled; ``ready`` is told when the port accepts and the address is known."""
    assert discovery().methods  # noqa: S101  (read before anybody waits for it)
    await until_cancelled(simulator, ready)
