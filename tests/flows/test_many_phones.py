"""Phones and proxies keep connections open after their request; nobody may have to wait for that."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from tests.flows.installation import Installation

PHONES = 300
QUESTION = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_hundreds_of_idle_connections_keep_nobody_out(installation: Installation) -> None:
    with ExitStack() as stack:
        for _ in range(PHONES):
            phone = stack.enter_context(
                socket.create_connection(("127.0.0.1", installation.port), timeout=10)
            )
            phone.sendall(QUESTION)
            assert phone.recv(65_536).startswith(b"HTTP/1.1 200")
