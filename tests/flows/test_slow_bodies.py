"""Who sends a form slowly waits alone: phones, tills and other guests are served meanwhile."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

import httpx
import pytest

from app.web.body_limits import MOST_WAITING
from tests.flows.installation import Installation

pytestmark = pytest.mark.once

LOG = b"/passkit/v1/log"
BODY = b'{"logs": ["slow"]}'


def _begin(installation: Installation, stack: ExitStack, source: str = "127.0.0.1") -> socket.socket:
    """A POST of which all but the last byte has arrived."""
    sender = stack.enter_context(
        socket.create_connection(("127.0.0.1", installation.port), timeout=10, source_address=(source, 0))
    )
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    sender.sendall(head % (LOG, len(BODY)) + BODY[:-1])
    return sender


def test_unfinished_bodies_keep_nobody_else_waiting_and_are_answered_when_they_end(
    installation: Installation,
) -> None:
    with ExitStack() as stack:
        slow = [_begin(installation, stack, "127.0.0.7") for _ in range(MOST_WAITING)]
        time.sleep(0.5)  # until the server has begun to wait for all of them
        began = time.monotonic()
        assert httpx.get(f"{installation.url}/healthz", timeout=5).status_code == 200
        assert time.monotonic() - began < 3
        for sender in slow:
            sender.sendall(BODY[-1:])
        for sender in slow:
            assert sender.recv(4096).startswith(b"HTTP/1.1 200")


def test_one_address_gets_a_few_of_the_waiting_places_and_is_told_so(installation: Installation) -> None:
    with ExitStack() as stack:
        for _ in range(MOST_WAITING):
            _begin(installation, stack)
        time.sleep(0.5)
        refused = httpx.post(f"{installation.url}/api/v1/receipts", json={}, timeout=5)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "5"
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["code"] == "too-many-requests"
        assert httpx.post(f"{installation.url}{LOG.decode()}", json={}, timeout=5).status_code == 429
        assert httpx.get(f"{installation.url}/healthz", timeout=5).status_code == 200
    for _ in range(100):  # places are free again once the senders have left
        if httpx.post(f"{installation.url}/api/v1/receipts", json={}, timeout=5).status_code == 401:
            return
        time.sleep(0.1)
    raise AssertionError("the places of those who left are still taken")
