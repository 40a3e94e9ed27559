"""A small HTTP/1.1 server on asyncio and h11, for the simulators' own pages and control endpoints."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

_READ = 65_536
_LARGEST_BODY = 4 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole."""

    method: str
    path: str  # percent-decoded
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        """The body; raises ValueError where it is no JSON."""
        return json.loads(self.body or b"null")

    def form(self) -> dict[str, str]:
        """An url-encoded form, the last value of each name."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    """What is sent back: bytes, or an endless generator of pieces (server-sent events)."""

    body: bytes | AsyncGenerator[bytes, None] = b""
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = field(default=())


Handler = Callable[[Request], Awaitable[Response]]


def json_response(document: Any, status: int = 200) -> Response:
    """``document`` as JSON."""
    return Response(json.dumps(document).encode(), status, "application/json")


def redirect(location: str) -> Response:
    """303 See Other."""
    return Response(status=303, headers=(("location", location),))


async def converse(
    handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
) -> None:
    """Serve one connection until either side ends it. ``first``: what was already read from it."""
    connection = h11.Connection(h11.SERVER)
    if first:
        connection.receive_data(first)
    try:
        while (request := await _read(connection, reader)) is not None:
            try:
                response = await handler(request)
            except ValueError as fault:
                response = json_response({"error": str(fault)}, 400)
            await _write(connection, writer, request, response)
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()
    except (h11.ProtocolError, ConnectionError, TimeoutError):
        return
    finally:
        writer.close()


async def _read(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _LARGEST_BODY:
                return None
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            target = urlsplit(head.target.decode("ascii", "replace"))
            return Request(
                head.method.decode(),
                unquote(target.path),
                dict(parse_qsl(target.query, keep_blank_values=True)),
                {name.decode(): value.decode("latin-1") for name, value in head.headers},
                bytes(body),
            )
        else:
            return None


async def _write(
    connection: h11.Connection, writer: asyncio.StreamWriter, request: Request, response: Response
) -> None:
    headers = [
        ("content-type", response.content_type),
        ("cache-control", "no-store"),
        *response.headers,
    ]
    if isinstance(response.body, bytes):
        headers.append(("content-length", str(len(response.body))))
    head = connection.send(h11.Response(status_code=response.status, headers=headers))
    writer.write(head or b"")
    if isinstance(response.body, bytes):
        if response.body and request.method != "HEAD":
            writer.write(connection.send(h11.Data(data=response.body)) or b"")
    else:
        async with contextlib.aclosing(response.body) as pieces:
            async for piece in pieces:
                writer.write(connection.send(h11.Data(data=piece)) or b"")
                await writer.drain()
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()


async def listen(handler: Handler, host: str, port: int) -> asyncio.Server:
    """A server on ``host:port`` (0: any free one) that is already accepting."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the loop ends: nothing to report
            await converse(handler, reader, writer)

    return await asyncio.start_server(accept, host, port)


def port_of(server: asyncio.Server) -> int:
    """The port that the system chose."""
    return int(server.sockets[0].getsockname()[1])
