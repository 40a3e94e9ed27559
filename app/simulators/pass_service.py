"""A phone's side of the PassKit web service: the requests, and what iOS makes of the answers.

Apple, "Adding a Web Service to Update Passes"; which codes iOS really takes for success, and the words of its
log, are as people who studied it report them.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

import httpx

USER_AGENT = "passd/1.0 CFNetwork/3826.500.131 Darwin/24.5.0"


class TaskFailed(Exception):
    """A request that iOS does not take for a success; the text ends a line of its log."""

    def __init__(self, message: str, *, again: bool = True) -> None:
        """``again``: whether iOS would try it once more."""
        super().__init__(message)
        self.again = again


class Unreachable(TaskFailed):
    """No answer at all; iOS keeps that to itself."""


@dataclass(slots=True)
class WebService:
    """One record of iOS: (pass type, team, webServiceURL), with its own device library identifier."""

    pass_type_identifier: str
    url: str
    push_token: str
    device_library_identifier: str = field(default_factory=lambda: secrets.token_hex(16))
    tag: str | None = None
    tag_kept_at: float = 0.0  # seconds of the phone's clock

    def registration_path(self, serial_number: str) -> str:
        """The resource of endpoint 1 and 2."""
        return f"{self.list_path()}/{quote(serial_number, safe='')}"

    def list_path(self) -> str:
        """The resource of endpoint 3."""
        return (
            f"{self.url.rstrip('/')}/v1/devices/{self.device_library_identifier}/registrations/"
            f"{quote(self.pass_type_identifier, safe='')}"
        )

    def pass_path(self, serial_number: str) -> str:
        """The resource of endpoint 4."""
        types = quote(self.pass_type_identifier, safe="")
        return f"{self.url.rstrip('/')}/v1/passes/{types}/{quote(serial_number, safe='')}"


@dataclass(frozen=True, slots=True)
class Listing:
    """What changed."""

    serial_numbers: list[str]
    tag: str | None
    empty: bool  # 204


@dataclass(frozen=True, slots=True)
class Download:
    """A pass as it came, or the statement that ours is still the newest (``body`` None)."""

    body: bytes | None
    last_modified: str | None


class PassService:
    """Makes the requests of one phone."""

    def __init__(self, client: httpx.AsyncClient, online: Callable[[], bool]) -> None:
        """``online``: whether the phone has a network at this moment."""
        self._client, self._online = client, online

    async def _ask(self, method: str, url: str, **more: object) -> httpx.Response:
        if not self._online():
            raise Unreachable("Connection error")
        headers = {"user-agent": USER_AGENT, **more.pop("headers", {})}  # type: ignore[dict-item]
        try:
            return await self._client.request(method, url, headers=headers, **more)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise Unreachable(f"Connection error: {type(error).__name__}") from error

    async def register(self, service: WebService, serial_number: str, token: str) -> None:
        """Endpoint 1."""
        answer = await self._ask(
            "POST",
            service.registration_path(serial_number),
            headers={"authorization": f"ApplePass {token}"},
            json={"pushToken": service.push_token},
        )
        _demand(answer, 200, 201)

    async def unregister(self, service: WebService, serial_number: str, token: str) -> None:
        """Endpoint 2."""
        answer = await self._ask(
            "DELETE",
            service.registration_path(serial_number),
            headers={"authorization": f"ApplePass {token}"},
        )
        _demand(answer, 200, 201)

    async def list_changed(self, service: WebService) -> Listing:
        """Endpoint 3, without authorization."""
        url = service.list_path()
        if service.tag is not None:
            # iOS leaves + & = / ? as they are.
            url += f"?passesUpdatedSince={quote(service.tag, safe='+&=/?')}"
        answer = await self._ask("GET", url)
        if answer.status_code == 204:
            return Listing([], None, empty=True)
        if answer.status_code != 200:
            raise TaskFailed(f"Unexpected response code {answer.status_code}")
        try:
            document = json.loads(answer.content)
        except ValueError:
            raise TaskFailed("Server response was malformed (not JSON)") from None
        if not isinstance(document, dict):
            raise TaskFailed("Server response was malformed (not a dictionary)")
        serials, tag = document.get("serialNumbers"), document.get("lastUpdated")
        if tag is not None and not isinstance(tag, str):
            raise TaskFailed("Server response was malformed (lastUpdated is not a string)")
        if not isinstance(serials, list) or not all(isinstance(serial, str) for serial in serials):
            raise TaskFailed("Server response was malformed (serialNumbers are not all strings)")
        return Listing(serials, tag, empty=False)

    async def download(
        self, service: WebService, serial_number: str, token: str, last_modified: str | None
    ) -> Download:
        """Endpoint 4."""
        headers = {"authorization": f"ApplePass {token}"}
        if last_modified is not None:
            headers["if-modified-since"] = last_modified
        answer = await self._ask("GET", service.pass_path(serial_number), headers=headers)
        if answer.status_code == 304:
            return Download(None, None)
        _demand(answer, 200)
        return Download(answer.content, answer.headers.get("last-modified"))

    async def log(self, url: str, lines: list[str]) -> None:
        """Endpoint 5: at most 50 lines."""
        answer = await self._ask("POST", f"{url.rstrip('/')}/v1/log", json={"logs": lines})
        _demand(answer, 200)


def _demand(answer: httpx.Response, *codes: int) -> None:
    if answer.status_code == 401:
        raise TaskFailed("Authentication failure", again=False)
    if answer.status_code not in codes:
        raise TaskFailed(f"Unexpected response code {answer.status_code}")


def stamp(at: datetime) -> str:
    """The beginning of a line of iOS's log."""
    return at.strftime("[%Y-%m-%d %H:%M:%S %z]")
