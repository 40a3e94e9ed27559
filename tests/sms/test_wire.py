"""The wire to a gateway: what it waits for, and what it takes for handed over."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import cast

import pytest

from app.simulators.sms_gateways import RunningSms
from app.sms.gateway import NotInTime, OutcomeUnknown, Unreachable
from app.sms.wire import Patience, Reply, Wire


@contextmanager
def scripted(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers each request with the next of ``answers``, and what it was sent."""
    heard: list[bytes] = []
    script = iter(answers)

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            with suppress(ConnectionError):
                while line := self.rfile.readline():
                    if found := re.match(rb"content-length: (\d+)", line, re.IGNORECASE):
                        length = int(found[1])
                    elif line == b"\r\n":
                        heard.append(self.rfile.read(length))
                        self.wfile.write(next(script, b""))
                        length = 0

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        host, port = cast("tuple[str, int]", server.server_address)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{port}", heard
        finally:
            server.shutdown()
            thread.join(5)


def test_who_waits_too_long_for_a_turn_has_sent_nothing(sms: RunningSms) -> None:
    sms.turn(answer_delay_ms=600)

    async def three() -> list[BaseException | object]:
        wire = Wire(sms.url, ca=None, at_once=1, patience=Patience(turn=0.1))
        form = {"login": "perkpass", "psw": "sandbox", "fmt": "3", "charset": "utf-8"}
        sent = [
            wire.hand_over(
                "/sys/send.php", form | {"phones": "+79001234567", "mes": "Hi", "id": str(n), "cost": "3"}
            )
            for n in (1, 2, 3)
        ]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        await wire.close()
        return list(answers)

    answers = asyncio.run(three())
    assert sum(isinstance(answer, Unreachable) for answer in answers) == 2
    assert len(sms.ask(lambda simulator: simulator.ledger.texts)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",  # never a word
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",  # stops half way
        b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_an_answer_that_does_not_come_or_stops_leaves_a_doubt_in_time(answer: bytes) -> None:
    async def send(url: str) -> None:
        wire = Wire(url, ca=None, at_once=1, patience=Patience(exchange=0.3))
        try:
            await wire.hand_over("/", {"a": "b"})
        finally:
            await wire.close()

    with scripted(answer) as (url, heard):
        with pytest.raises(OutcomeUnknown, match=r"no answer within|ReadTimeout"):
            asyncio.run(send(url))
        assert heard == [b"a=b"]


def test_a_redirect_is_not_followed_and_what_is_no_json_is_no_document() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe"
    listed = b"HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n[]"
    dated = b"HTTP/1.1 503 No\r\nRetry-After: Sun, 22 Nov 2026 11:00:00 GMT\r\nContent-Length: 0\r\n\r\n"

    async def ask(url: str) -> list[tuple[int, object, float | None]]:
        wire = Wire(url, ca=None, at_once=1)
        replies = [await wire.ask("/", {"a": "b"}) for _ in range(4)]
        await wire.close()
        return [
            (r.status, r.document, r.retry_after and r.retry_after.total_seconds())  # type: ignore[misc]
            for r in replies
        ]

    with scripted(moved, broken, listed, dated) as (url, heard):
        assert asyncio.run(ask(url)) == [
            (302, None, None),
            (200, None, None),
            (429, None, 7),
            (503, None, None),
        ]
        assert len(heard) == 4


def test_garbage_is_a_doubt_when_sending_and_no_answer_when_asking() -> None:
    async def both(url: str) -> None:
        wire = Wire(url, ca=None, at_once=1)
        try:
            with pytest.raises(OutcomeUnknown):
                await wire.hand_over("/", {"a": "b"})
            with pytest.raises(Unreachable):
                await wire.ask("/")
        finally:
            await wire.close()

    with scripted(b"SSH-2.0-OpenSSH\r\n\r\n", b"SSH-2.0-OpenSSH\r\n\r\n") as (url, _):
        asyncio.run(both(url))


def test_who_has_no_turn_when_its_time_to_leave_is_over_does_not_leave(sms: RunningSms) -> None:
    sms.turn(answer_delay_ms=600)

    async def three() -> list[BaseException | object]:
        wire = Wire(sms.url, ca=None, at_once=1)
        form = {
            "login": "perkpass",
            "psw": "sandbox",
            "fmt": "3",
            "charset": "utf-8",
            "mes": "Hi",
            "cost": "3",
        }
        leave_by = [time.monotonic() + seconds for seconds in (5, 0.2, -1)]
        sent = [
            wire.hand_over("/sys/send.php", form | {"phones": "+79001234567", "id": str(n)}, leave_by=by)
            for n, by in enumerate(leave_by, 1)
        ]
        try:
            return list(await asyncio.gather(*sent, return_exceptions=True))
        finally:
            await wire.close()

    first, *late = asyncio.run(three())
    assert isinstance(first, Reply)
    assert [type(fault) for fault in late] == [NotInTime, NotInTime]
    assert sms.ask(lambda simulator: len(simulator.ledger.texts)) == 1
