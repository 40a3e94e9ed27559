"""The load generator counts what it got, and calls nothing a success that was not one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench import http_load

BODY = b"x" * 300_000  # more than one read


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        kind = self.path.strip("/")
        if kind == "empty":
            self.send_response(204)
            self.end_headers()
            return
        body = BODY if kind == "large" else b""
        self.send_response(200 if kind == "large" else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_script_is_played_once_to_its_end(port: int) -> None:
    scripts = [(http_load.get("/empty"), http_load.get("/large"))] * 7
    with http_load.running() as generator:
        answers = generator.once(port, scripts, connections=3)
    assert answers.statuses == {204: 7, 200: 7}
    assert answers.count == 14
    assert answers.octets > 7 * len(BODY)
    assert 0 < answers.milliseconds(0.5) <= answers.milliseconds(0.99)
    assert answers.ceiling >= answers.rate


def test_scripts_are_played_again_until_the_time_is_over(port: int) -> None:
    with http_load.running() as generator:
        answers = generator.during(port, [(http_load.get("/empty"),)], connections=2, seconds=0.3)
    assert answers.expect(204).count > 2
    assert 0.3 <= answers.seconds < 5


def test_an_answer_with_another_status_is_a_fault(port: int) -> None:
    with http_load.running() as generator:
        answers = generator.once(port, [(http_load.get("/broken"),)], connections=1)
    with pytest.raises(RuntimeError, match="500: 1"):
        answers.expect(200, 204)


def test_headers_are_sent_by_their_names() -> None:
    request = http_load.get("/v1", If_Modified_Since="Sat, 01 Jan 2022 00:00:00 GMT")
    assert request.startswith(b"GET /v1 HTTP/1.1\r\n")
    assert request.endswith(b"\r\nIf-Modified-Since: Sat, 01 Jan 2022 00:00:00 GMT\r\n\r\n")
