"""Receipts that do not come by themselves are asked for; who stalls sends nothing that others may hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.db import Database
from app.sms.gateway import ReceiptState
from app.worker.text_carrier import TextCarrier
from app.worker.text_channel import TextChannel
from app.worker.text_parcels import TextAnswered, TextLogin
from app.worker.text_receipts import Asking, TextReceipts
from tests.delivery.texting import LEASE, MINUTE, NOON, SECOND, Texting, came, open_texting
from tests.worker.text_gateway import GatewayServer, LineGateway, serving

ASKING = Asking(every=timedelta(milliseconds=10), silent_for=MINUTE, most=2)


@pytest.fixture
def server() -> Iterator[GatewayServer]:
    with serving() as running:
        yield running


@pytest.fixture
def texting(database: Database) -> Texting:
    return open_texting(database)


def channel(server: GatewayServer, *, asks: bool = True) -> TextChannel:
    return TextChannel({"main": TextLogin(gateway=LineGateway(server.port, asks=asks), rate=1000, burst=100)})


def ears(texting: Texting, way: TextChannel, clock: Callable[[], datetime]) -> TextReceipts:
    def now(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run(work)

    return TextReceipts(
        texting.database, way, owner="me", clock=clock, submit=now, tell=lambda: None, asking=ASKING
    )


def sent(texting: Texting, way: TextChannel, count: int) -> None:
    texting.promise([texting.draft(n) for n in range(count)])
    carrier = TextCarrier(texting.database, way, owner="me", clock=lambda: NOON, lease=LEASE)
    answers: list[TextAnswered] = []
    asyncio.run(way.send(carrier.take(500).ready, answers.extend))
    carrier.settle(carrier.hear(answers))


def states(texting: Texting) -> list[str]:
    return [row.state for row in texting.rows()]


def test_silent_texts_are_asked_for_a_few_at_a_time_and_all_in_the_end(
    texting: Texting, server: GatewayServer
) -> None:
    way = channel(server)
    sent(texting, way, 5)
    for text in server.ledger.texts:
        text.state = ReceiptState.DELIVERED
    moment = [NOON + MINUTE - SECOND]
    listening = ears(texting, way, lambda: moment[0])
    listening.step()
    assert states(texting) == ["accepted"] * 5  # they may still speak by themselves
    for _ in range(8):
        moment[0] += 2 * SECOND
        time.sleep(0.01)
        listening.step()
        listening.step()
    assert states(texting) == ["delivered"] * 5


def test_two_workers_ask_once(texting: Texting, server: GatewayServer) -> None:
    way = channel(server)
    sent(texting, way, 2)
    moment = NOON + 2 * MINUTE
    first, second = (ears(texting, way, lambda: moment) for _ in range(2))
    first.step()
    second.step()
    assert server.ledger.questions == 2


def test_a_text_without_the_gateways_name_silences_nobody(texting: Texting, server: GatewayServer) -> None:
    way = channel(server, asks=False)
    texting.promise([texting.draft(9)])
    texting.settle([came(one, "accepted") for one in texting.claim()])
    sent(texting, way, 1)
    server.ledger.texts[0].state = ReceiptState.UNDELIVERED
    listening = ears(texting, way, lambda: NOON + 2 * MINUTE)
    for _ in range(3):
        time.sleep(0.01)
        listening.step()
    assert states(texting) == ["accepted", "undelivered"]


def test_who_stalls_sends_nothing_that_another_may_hold(texting: Texting, server: GatewayServer) -> None:
    """Its lease may be over: another worker asks for these texts, or has sent them."""
    way = channel(server)
    texting.promise([texting.draft(1)])
    short = timedelta(milliseconds=30)
    carrier = TextCarrier(texting.database, way, owner="slow", clock=lambda: NOON, lease=short)
    ready = carrier.take(500).ready
    time.sleep(0.05)
    answers: list[TextAnswered] = []
    asyncio.run(way.send(ready, answers.extend))
    carrier.settle(carrier.hear(answers))
    assert server.ledger.requests == 0
    (row,) = texting.rows()
    assert (row.state, row.reason, row.attempts, row.in_doubt) == ("pending", "NotSentInTime", 0, False)
