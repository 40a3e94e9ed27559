"""Receipts that do not come by themselves are asked for; who stalls sends nothing that others may hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from app.db import Database, connect
from app.loyalty import consents
from app.loyalty.tables import member
from app.sms.gateway import Inbound, Receipt, ReceiptState
from app.worker.text_carrier import TextCarrier
from app.worker.text_channel import TextChannel
from app.worker.text_parcels import TextAnswered, TextingBrand, TextLogin
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


def test_a_receipt_that_cannot_be_written_stops_no_other(texting: Texting, server: GatewayServer) -> None:
    """It is refused for good: a moment of no time zone."""
    way = channel(server)
    sent(texting, way, 2)
    (anna,) = texting.members(1)
    with texting.database.write() as tx:
        tx.execute(member.update().where(member.c.id == anna).values(phone="+79001234567"))
    way.brands |= {
        slug: TextingBrand(login="main") for slug in ("aroma", "cafe")
    }  # the first is not made yet
    listening = ears(texting, way, lambda: NOON)
    names = [row.provider_id for row in texting.rows()]
    bad = Receipt(
        state=ReceiptState.DELIVERED,
        reason="far too much",
        provider_id=names[0],
        at=datetime(2026, 11, 21, 12),
    )
    listening._hear("main", [bad])
    listening._hear("main", [Receipt(state=ReceiptState.DELIVERED, reason="ok", provider_id=names[1])])
    listening._hear("main", [Inbound(number="+79001234567", text="STOP")])
    with capture_logs() as logs:
        while listening.step():
            pass
    assert states(texting) == ["accepted", "delivered"]
    with texting.database.read() as tx:
        assert not consents.allowing(tx, [anna], "advertising")
    assert [line["login"] for line in logs if line["event"] == "receipt_dropped"] == ["main"]
    assert "far too much" not in str(logs)
    sent(texting, way, 1)
    listening._hear("main", [Receipt(state=ReceiptState.DELIVERED, reason="ok", provider_id="id3")])
    assert not listening.step()
    assert states(texting) == ["accepted", "delivered", "delivered"]


def test_what_the_database_could_not_take_just_now_is_written_later(
    texting: Texting, server: GatewayServer
) -> None:
    way = channel(server)
    sent(texting, way, 1)
    listening = ears(texting, way, lambda: NOON)
    name = texting.rows()[0].provider_id
    listening._hear("main", [Receipt(state=ReceiptState.DELIVERED, reason="ok", provider_id=name)])
    away = connect("sqlite:////nowhere/at/all.db")
    listening._database, there = away, listening._database
    with pytest.raises(OperationalError):
        listening.step()
    away.close()
    listening._database = there
    listening.step()
    assert states(texting) == ["delivered"]


def test_a_gateways_words_are_such_as_a_database_takes(texting: Texting, server: GatewayServer) -> None:
    way = channel(server)
    sent(texting, way, 1)
    listening = ears(texting, way, lambda: NOON)
    name = f"\0{texting.rows()[0].provider_id}\0"
    listening._hear("main", [Receipt(state=ReceiptState.DELIVERED, reason="o\0k\ud83d", provider_id=name)])
    listening._hear("main", [Inbound(number="\0+79001234567", text="ST\0OP")])
    with capture_logs() as logs:
        listening.step()
    assert not [line for line in logs if line["event"] == "receipt_dropped"]
    assert [(row.state, row.reason) for row in texting.rows()] == [("delivered", "ok?")]
