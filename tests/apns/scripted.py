"""A TLS server that speaks HTTP/2 by script, for what no decent server sends. Frames come from hyperframe."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hpack import Decoder, Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
F = TypeVar("F", bound=Frame)


@dataclass
class Request:
    stream: int
    headers: dict[str, str]
    body: bytes | None  # None: it has not come yet


@dataclass
class Peer:
    """The server's end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    decoder: Decoder = field(default_factory=Decoder)
    encoder: Encoder = field(default_factory=Encoder)
    seen: list[Frame] = field(default_factory=list)
    answers_pings: bool = False

    async def begin(self, settings: dict[int, int] | None = None) -> None:
        assert await self.reader.readexactly(len(PREFACE)) == PREFACE
        self.send(SettingsFrame(0, settings or {}))

    def send(self, *frames: Frame) -> None:
        self.writer.write(b"".join(frame.serialize() for frame in frames))

    async def frame(self) -> Frame:
        head = await self.reader.readexactly(9)
        frame, length = Frame.parse_frame_header(memoryview(head))
        frame.parse_body(memoryview(await self.reader.readexactly(length)))
        self.seen.append(frame)
        if self.answers_pings and isinstance(frame, PingFrame) and "ACK" not in frame.flags:
            self.ping(frame.opaque_data, ack=True)
        return frame

    async def until(self, kind: type[F]) -> F:
        while True:
            frame = await self.frame()
            if isinstance(frame, kind):
                return frame

    async def until_goaway(self) -> GoAwayFrame:
        """Past a preface that may not have been read yet."""
        assert await self.reader.readexactly(len(PREFACE)) == PREFACE
        return await self.until(GoAwayFrame)

    async def request(self, *, with_body: bool = True) -> Request:
        head = await self.until(HeadersFrame)
        assert "END_HEADERS" in head.flags
        headers = {str(name): str(value) for name, value in self.decoder.decode(head.data)}
        body = (await self.until(DataFrame)).data if with_body else None
        return Request(head.stream_id, headers, body)

    def block(self, status: int = 200, **headers: str) -> bytes:
        pairs = [
            (":status", str(status)),
            *((name.replace("_", "-"), text) for name, text in headers.items()),
        ]
        return self.encoder.encode(pairs)

    def answer(self, stream: int, status: int = 200, body: bytes = b"", **headers: str) -> None:
        head = HeadersFrame(stream, self.block(status, **headers), flags=["END_HEADERS"])
        if body:
            self.send(head, DataFrame(stream, body, flags=["END_STREAM"]))
        else:
            head.flags.add("END_STREAM")
            self.send(head)

    async def answer_everything(self) -> None:
        while True:
            self.answer((await self.request()).stream)

    def reset(self, stream: int, code: int) -> None:
        self.send(RstStreamFrame(stream, error_code=code))

    def goaway(self, last_stream: int, *, code: int = 0, reason: str = "Shutdown") -> None:
        self.send(GoAwayFrame(0, last_stream, code, b'{"reason":"%s"}' % reason.encode()))

    def ping(self, payload: bytes, *, ack: bool = False) -> None:
        self.send(PingFrame(0, payload, flags=["ACK"] if ack else []))

    def widen(self, stream: int, increment: int) -> None:
        self.send(WindowUpdateFrame(stream, increment))

    async def rest(self) -> None:
        """Read until the client hangs up."""
        while True:
            await self.frame()


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class ScriptedServer:
    """One script per connection, in order; the last one serves all later connections."""

    scripts: tuple[Script, ...]
    url: str = ""
    connections: int = 0
    open_now: int = 0
    open_at_most: int = 0
    faults: list[BaseException] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self.serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        self.open_now += 1
        self.open_at_most = max(self.open_at_most, self.open_now)
        try:
            await script(Peer(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        except (AssertionError, ValueError, KeyError) as fault:
            self.faults.append(fault)
        finally:
            self.open_now -= 1
            writer.transport.abort()


@asynccontextmanager
async def scripted(tls: ssl.SSLContext, *scripts: Script) -> AsyncIterator[ScriptedServer]:
    """The server on a free port of loopback; a script's failed assertion fails the block."""
    server = ScriptedServer(scripts)
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0, ssl=tls)
    server.url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        tasks = [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == "accept"]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)
    assert not server.faults, server.faults


def server_tls(certificate: Path, key: Path, *authorities: Path, alpn: bool = True) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    for authority in authorities:
        context.load_verify_locations(authority)
    if authorities:
        context.verify_mode = ssl.CERT_REQUIRED
    if alpn:
        context.set_alpn_protocols(["h2"])
    return context


@contextmanager
def judging_by_openssl(tls: ssl.SSLContext) -> Iterator[str]:
    """A server that sends TLS alerts as OpenSSL makes them (asyncio's servers swallow theirs)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = listener.accept()
                    with suppress(OSError), tls.wrap_socket(plain, server_side=True) as connection:
                        connection.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
