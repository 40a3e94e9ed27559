"""A small HTTP server on loopback that answers what a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """What is answered to everything, and what was asked."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    heard: list[bytes] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)  # nothing is answered while it is not set
    respond: Callable[[bytes], bytes] | None = None  # makes the body of an answer from that of its request
    url: str = ""

    @property
    def asked(self) -> int:
        return len(self.heard)


@contextmanager
def serving(body: bytes = b"") -> Iterator[Served]:
    served = Served(body)
    served.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            served.heard.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
            served.hold.wait(5)
            with suppress(ConnectionError):
                body = served.respond(served.heard[-1]) if served.respond else served.body
                self.send_response(served.status)
                for name, value in served.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, *_: object) -> None:
            """Nothing: the tests count by themselves."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            served.hold.set()
            server.shutdown()
            thread.join(5)
