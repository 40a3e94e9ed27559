"""Texts that may leave late, twice or against a guest's word: at the real adapters' gateways."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app.db import Database
from app.delivery import texts
from app.delivery.quiet_hours import QuietHours
from app.delivery.text_promises import TextRow
from app.sms.wire import Patience
from app.worker.text_carrier import TextCarrier
from app.worker.text_channel import TextChannel
from app.worker.text_parcels import TextAnswered, TextingBrand
from tests.delivery.texting import LEASE, MINUTE, NOON, SECOND, Texting, open_texting, say
from tests.worker.conftest import now
from tests.worker.test_texts import Desk
from tests.worker.text_gateway import serving
from tests.worker.text_house import House, house


@pytest.fixture
def texting(database: Database) -> Texting:
    return open_texting(database)


@pytest.fixture
def smsc() -> Iterator[House]:
    with house("smsc", receipts=False) as found:
        yield found


def work(texting: Texting, way: TextChannel, at: datetime) -> TextRow:
    """One worker's whole round."""
    carrier = TextCarrier(texting.database, way, owner=f"at {at}", clock=lambda: at, lease=LEASE)

    async def send() -> list[TextAnswered]:
        answers: list[TextAnswered] = []
        await way.send(carrier.take(500).ready, answers.extend)
        await way.close()
        return answers

    carrier.settle(carrier.hear(asyncio.run(send())))
    return texting.rows()[0]


def test_a_gateway_that_takes_a_text_late_is_not_sent_it_again(texting: Texting, smsc: House) -> None:
    smsc.turn(late_next=1, late_by_ms=1200)
    texting.promise([texting.draft(1)])
    row = work(texting, smsc.channel(), NOON)
    assert (row.state, row.in_doubt) == ("pending", True)
    row = work(texting, smsc.channel(), NOON + 15 * SECOND)
    assert (row.state, row.in_doubt, row.reason, row.attempts) == ("pending", True, "NotHeardOfYet", 1)
    assert row.due_at >= NOON + MINUTE
    assert smsc.taken().total() == 0
    time.sleep(1.2)
    row = work(texting, smsc.channel(), NOON + 2 * MINUTE)
    assert (row.state, row.price, row.price_told) == ("delivered", 450, True)
    assert smsc.taken().total() == 1


def test_a_gateway_that_never_heard_of_a_text_is_believed_after_a_minute(
    texting: Texting, smsc: House
) -> None:
    smsc.turn(lose_requests=1.0)
    texting.promise([texting.draft(1)])
    work(texting, smsc.channel(), NOON)
    work(texting, smsc.channel(), NOON + 15 * SECOND)  # not even asked: still in doubt since the try
    smsc.turn(lose_requests=0.0)
    row = work(texting, smsc.channel(), NOON + 55 * SECOND)
    assert (row.state, row.reason) == ("pending", "NotHeardOfYet")
    row = work(texting, smsc.channel(), NOON + 2 * MINUTE)
    assert (row.state, row.in_doubt) == ("accepted", False)
    assert smsc.taken().total() == 1


def test_what_a_dead_worker_had_in_hand_is_believed_unsent_a_minute_after(
    texting: Texting, smsc: House
) -> None:
    texting.promise([texting.draft(1)])
    TextCarrier(
        texting.database, smsc.channel(), owner="dead", clock=lambda: NOON, lease=LEASE
    ).take(1)  # fmt: skip
    later = NOON + LEASE + SECOND
    carrier = TextCarrier(texting.database, smsc.channel(), owner="x", clock=lambda: later, lease=LEASE)
    assert carrier.rescue() == 1
    assert work(texting, smsc.channel(), later).reason == "NotHeardOfYet"
    assert work(texting, smsc.channel(), later + 2 * MINUTE).state == "accepted"


def test_advertising_that_waits_for_hands_does_not_leave_after_a_withdrawal(desk: Desk) -> None:
    """Sixteen requests hang; the others were claimed when their guests still agreed."""
    members = desk.texting.members(40)
    desk.server.ledger.delay = 1.5
    for number, member in enumerate(members):
        desk.texting.promise(
            [desk.texting.draft(number, kind="advertising", member_id=member, due_at=now())], now=now()
        )
    channel = desk.channel()
    channel.logins["main"].gateway.time_out = 5.0  # type: ignore[attr-defined]
    with desk.working(channel, lease=timedelta(seconds=30)):
        desk.until(lambda rows: sum(row.state == "sending" for row in rows) == 40)
        with desk.database.write() as tx:
            for member in members:
                say(tx, member, granted=False, at=now())
        desk.until(lambda rows: {row.state for row in rows} == {"accepted", "gone"})
    assert len(desk.server.ledger.texts) == 16


@pytest.mark.parametrize(("kind", "places"), [("smsc", 4), ("smpp", 10)])
def test_advertising_that_waits_at_the_adapter_is_given_back_untried(
    database: Database, kind: Any, places: int
) -> None:
    """The adapter has fewer places than the worker has hands: what waits there waits no longer either."""
    texting = open_texting(database)
    (member,) = texting.members(1)
    texting.promise([texting.draft(n, kind="advertising", member_id=member) for n in range(14)])
    with house(kind, receipts=False) as found:
        found.turn(answer_delay_ms=900)
        way = found.channel(patience=Patience())
        carrier = TextCarrier(database, way, owner="me", clock=lambda: NOON, lease=LEASE)
        answers: list[TextAnswered] = []

        async def send() -> None:
            await way.send(carrier.take(500).ready, answers.extend)
            await way.close()

        asyncio.run(send())
        carrier.settle(carrier.hear(answers))
        assert found.taken().total() == places
    rows = texting.rows()
    assert Counter(row.state for row in rows) == {"accepted": places, "pending": 14 - places}
    back = {(row.reason, row.attempts) for row in rows if row.state == "pending"}
    assert back == {("NotSentInTime", 0)}


def test_quiet_hours_put_off_all_of_a_claim_at_once(texting: Texting, smsc: House) -> None:
    (member,) = texting.members(1)
    texting.promise([texting.draft(n, kind="advertising", member_id=member) for n in range(300)])
    quiet = QuietHours(NOON.time().replace(hour=0), NOON.time().replace(hour=23))
    way = smsc.channel(rate=1000, burst=1000, brands={"cafe": TextingBrand(login="main", quiet=quiet)})
    carrier = TextCarrier(texting.database, way, owner="me", clock=lambda: NOON, lease=LEASE)
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(texting.database.engine, "before_cursor_execute", hear)
    try:
        carrier.take(300)
    finally:
        event.remove(texting.database.engine, "before_cursor_execute", hear)
    assert {row.reason for row in texting.rows()} == {"QuietHours"}
    assert len(said) < 40


def test_a_worker_that_ends_gives_back_what_it_did_not_hand_over(desk: Desk) -> None:
    """Nobody can ask this gateway: what a worker leaves behind is given up when its lease is over."""
    desk.server.ledger.delay = 0.8
    desk.promise(60)
    channel = desk.channel(asks=False)
    channel.logins["main"].gateway.time_out = 5.0  # type: ignore[attr-defined]
    with desk.working(channel, lease=timedelta(seconds=30)):
        desk.until(lambda rows: sum(row.state == "sending" for row in rows) > 40)
        time.sleep(0.2)
    with desk.database.write() as tx:
        assert texts.rescue_texts(tx, now=now() + MINUTE, can_ask=()) == 0
    rows = desk.texting.rows()
    assert {row.state for row in rows} == {"accepted", "pending"}
    taken = {text.reference for text in desk.server.ledger.texts}
    assert taken == {row.reference for row in rows if row.state == "accepted"}
    assert {row.attempts for row in rows if row.state == "pending"} == {0}


@pytest.fixture
def desk(texting: Texting, tmp_path: Any) -> Iterator[Desk]:
    with serving() as server:
        yield Desk(texting, server, tmp_path)
