"""A server that hears callbacks and keeps them as the port wants them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from app.sms.gateway import Callback


@dataclass
class Ear:
    """What was heard so far."""

    url: str
    heard: list[Callback] = field(default_factory=list)
    deaf: int = 0  # so many callbacks are answered 503


@contextmanager
def listening() -> Iterator[Ear]:
    ear = Ear("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            if ear.deaf:
                ear.deaf -= 1
                self.send_response(503)
            else:
                ear.heard.append(
                    Callback(
                        method="POST",
                        url=f"{ear.url}{self.path}",
                        headers={name.lower(): value for name, value in self.headers.items()},
                        form=query | dict(parse_qsl(body, keep_blank_values=True)),
                    )
                )
                self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        ear.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield ear
        finally:
            server.shutdown()
            thread.join(5)
