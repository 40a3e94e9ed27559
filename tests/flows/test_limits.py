"""What the server itself refuses: addresses and headers too long, bodies without an end."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest

from app.commands.serve import HEADER_BYTES
from tests.conftest import SERVERS
from tests.flows.installation import Installation

CHUNK = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"


def _ask(installation: Installation, request: bytes) -> bytes:
    """All that comes back until the connection is closed."""
    with socket.create_connection(("127.0.0.1", installation.port), timeout=20) as wire:
        with suppress(BrokenPipeError, ConnectionResetError):  # it was refused before its end
            wire.sendall(request)
        heard = b""
        while chunk := wire.recv(65536):
            heard += chunk
        return heard


def _head(line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([line + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *headers, b"", b""])


def test_an_address_or_a_header_may_be_long_and_not_endless(installation: Installation) -> None:
    long, endless = b"a" * (HEADER_BYTES - 1024), b"a" * (HEADER_BYTES * 3)
    assert _ask(installation, _head(b"GET /i/" + long)).startswith(b"HTTP/1.1 404 ")
    assert _ask(installation, _head(b"GET /healthz", b"User-Agent: " + long)).startswith(b"HTTP/1.1 200 ")
    for request in (
        _head(b"GET /i/" + endless),
        _head(b"GET /healthz", b"User-Agent: " + endless),
        _head(b"GET /healthz", *(b"X-%d: y" % number for number in range(120))),
    ):
        assert _ask(installation, request).startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 414 "))
    assert _ask(installation, _head(b"GET /healthz")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/passkit/v1/log", b"application/json", b"413"),
        ("/api/v1/receipts", b"application/json", b"413"),
        # What is left of it is no form of ours.
        ("{link}", b"application/x-www-form-urlencoded", b"400"),
    ],
)
def test_a_body_that_does_not_tell_its_length_is_cut(
    installation: Installation, path: str, kind: bytes, status: bytes
) -> None:
    address = path.format(link=installation.link().removeprefix(installation.url)).encode()
    key = next(iter(installation.keys.values())).encode()
    head = _head(
        b"POST " + address, b"Content-Type: " + kind, b"Transfer-Encoding: chunked",
        b"Authorization: Bearer " + key, b"Idempotency-Key: endless",
    )  # fmt: skip
    answer = _ask(installation, head + CHUNK * 40 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:300]
    assert b"Traceback" not in answer


if SERVERS == "sqlite":  # the server does it, whatever the database; once takes long enough

    def test_a_request_whose_headers_do_not_arrive_is_closed_after_thirty_seconds(
        installation: Installation,
    ) -> None:
        with socket.create_connection(("127.0.0.1", installation.port), timeout=45) as wire:
            began = time.monotonic()
            wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            while wire.recv(65536):
                pass
            assert 25 < time.monotonic() - began < 40
