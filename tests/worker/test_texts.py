"""A worker carries texts beside pushes: over a real connection, in its own threads, with its own bell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time as of_day
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.db import Database
from app.delivery import stopped, texts
from app.delivery.budget import Policy
from app.delivery.quiet_hours import QuietHours
from app.delivery.text_promises import TextRow
from app.errors import Misconfigured
from app.loyalty.tables import consent, member
from app.wakeup import LocalWakeup
from app.worker.apple import AppleChannel
from app.worker.loop import Worker
from app.worker.text_channel import TextChannel
from app.worker.text_parcels import TextingBrand, TextLogin
from tests.delivery.texting import HOUR, MINUTE, Texting, open_texting
from tests.passes.shop import TYPE
from tests.worker.conftest import Rig, now
from tests.worker.text_gateway import PRICE, GatewayServer, LineGateway, serving

NEVER_QUIET = QuietHours(of_day(0), of_day(0))
FAST: dict[str, Any] = {"rate": 1000.0, "burst": 100}


@dataclass
class Desk:
    """A brand that texts through the gateway of these tests."""

    texting: Texting
    server: GatewayServer
    directory: Path

    @property
    def database(self) -> Database:
        return self.texting.database

    def channel(
        self,
        *,
        asks: bool = True,
        quiet: QuietHours = NEVER_QUIET,
        sure_after: timedelta = MINUTE,
        **pace: Any,
    ) -> TextChannel:
        gateway = LineGateway(self.server.port, asks=asks, time_out=1.0)
        login = TextLogin(gateway=gateway, **(FAST | pace))
        brands = {"cafe": TextingBrand(login="main", quiet=quiet)}
        return TextChannel({"main": login}, brands=brands, sure_after=sure_after)

    def promise(self, count: int, **changed: Any) -> None:
        due = {"due_at": now()} | changed
        self.texting.promise([self.texting.draft(n, **due) for n in range(count)], now=now())

    @contextmanager
    def working(self, channel: TextChannel | None = None, **more: Any) -> Iterator[Worker]:
        def nobody(_pass_type: str) -> tuple[bytes, bytes]:
            raise Misconfigured("there is no pass here")

        given: dict[str, Any] = {"lease": timedelta(seconds=10), "poll_seconds": 0.1}
        worker = Worker(
            database=self.database,
            channel=AppleChannel(nobody, url="https://127.0.0.1:9"),
            texts=channel or self.channel(),
            wakeup=LocalWakeup(self.directory / "bell"),
            clock=now,
            policy=Policy(),
            **(given | more),
        )
        stop = Event()
        thread = Thread(target=worker.run, args=(stop,), name="worker")
        thread.start()
        try:
            yield worker
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()

    def until(self, true: Callable[[Sequence[TextRow]], bool], seconds: float = 20) -> list[TextRow]:
        deadline = time.monotonic() + seconds
        while not true(rows := self.texting.rows()):
            assert time.monotonic() < deadline, [(row.state, row.reason, row.attempts) for row in rows]
            time.sleep(0.03)
        return rows

    def all_are(self, *states: str) -> list[TextRow]:
        return self.until(lambda rows: {row.state for row in rows} == set(states))


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    with serving() as server:
        yield Desk(open_texting(database), server, tmp_path)


def test_texts_leave_are_counted_and_their_receipts_heard(desk: Desk) -> None:
    desk.promise(30)
    with desk.working():
        rows = desk.all_are("accepted")
        for text in desk.server.ledger.texts:
            desk.server.tell({"state": "delivered", "id": text.provider_id})
        desk.all_are("delivered")
    taken = desk.server.ledger.texts
    assert sorted(text.number for text in taken) == [row.number for row in rows]
    assert sum(row.price or 0 for row in rows) == PRICE * len(taken) == PRICE * 30


def test_a_receipt_before_its_answer_waits_for_it(desk: Desk) -> None:
    """Named by the gateway's identifier alone, it says nothing to us until the answer does."""
    desk.promise(1)
    with desk.working():
        time.sleep(0.3)  # it listens by now
        desk.server.tell({"state": "delivered", "id": "id1"})
        desk.all_are("delivered")
    desk.promise(1)
    desk.server.ledger.delay = 0.5
    with desk.working():
        desk.until(lambda rows: rows[1].state == "sending")
        desk.server.tell({"state": "undelivered", "id": "id2"})
        desk.until(lambda rows: rows[1].state == "undelivered")


def test_pushes_and_texts_leave_side_by_side(rig: Rig) -> None:
    texting = open_texting(rig.database, slug="bar")
    with serving() as server:
        texts_channel = TextChannel({"main": TextLogin(gateway=LineGateway(server.port), **FAST)})
        rig.promise(rig.phones(20))
        texting.promise([texting.draft(n, due_at=now()) for n in range(20)], now=now())
        with rig.working(texts=texts_channel):
            rig.until(lambda: rig.states() == ["accepted"] * 40)
        assert len(server.ledger.texts) == 20
    pushed = rig.apns.ask(lambda simulator: [entry.topic for entry in simulator.post.entries])
    assert pushed == [TYPE] * 20


def test_a_gateway_that_hangs_keeps_no_push_waiting(rig: Rig) -> None:
    texting = open_texting(rig.database, slug="bar")
    with serving() as server:
        server.ledger.delay = 3.0
        channel = TextChannel({"main": TextLogin(gateway=LineGateway(server.port), **FAST)})
        texting.promise([texting.draft(n, due_at=now()) for n in range(100)], now=now())
        with rig.working(texts=channel):
            rig.until(lambda: "sending" in rig.states())
            began = time.monotonic()
            rig.promise(rig.phones(5))
            rig.until(lambda: rig.states().count("accepted") >= 5)
            assert time.monotonic() - began < 2
            server.ledger.delay = 0.0


def test_an_answer_lost_after_acceptance_is_asked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "ASK_AFTER", timedelta(seconds=0.2))
    desk.server.ledger.fates.extend(["take and be silent", "break"])
    desk.promise(2)
    with desk.working(desk.channel(sure_after=timedelta(seconds=0.5))):
        rows = desk.all_are("accepted")
    assert len(desk.server.ledger.texts) == 2
    assert {row.attempts for row in rows} == {2}


def test_an_answer_lost_where_nobody_can_be_asked_is_the_end(desk: Desk) -> None:
    desk.server.ledger.fates.extend(["take and be silent", "break"])
    desk.promise(2)
    with desk.working(desk.channel(asks=False)):
        rows = desk.all_are("exhausted")
    assert {row.reason for row in rows} == {"Unknown"}
    assert desk.server.ledger.requests == 2


def test_a_refused_login_is_stopped_probed_and_works_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopped, "PROBE_AFTER", timedelta(seconds=0.7))
    for module in ("text_channel", "text_answers"):
        monkeypatch.setattr(f"app.worker.{module}.PROBE_AFTER", timedelta(seconds=0.7))
    desk.server.ledger.always = "stop"
    desk.promise(40)
    with capture_logs() as logs, desk.working():
        desk.until(lambda rows: any(line["event"] == "login_stopped" for line in logs))
        time.sleep(2)
        knocked = desk.server.ledger.requests
        assert knocked <= 64 + 3  # what was on its way beside each other, and then one a probe
        assert not desk.server.ledger.texts
        desk.server.ledger.always = None
        desk.all_are("accepted")
    assert [line["event"] for line in logs if line["event"].startswith("login_")] == [
        "login_stopped",
        "login_works",
    ]
    assert len(desk.server.ledger.texts) == 40


def test_consent_and_quiet_hours_are_asked_for_before_advertising_leaves(desk: Desk) -> None:
    anna, boris = desk.texting.members(2)
    (clara,) = desk.texting.members(1, consents=False)
    with desk.database.write() as tx:
        tx.execute(member.update().where(member.c.id == boris).values(removed_at=now()))
    for one in (anna, boris, clara, None):
        desk.promise(1, kind="advertising", member_id=one)
    desk.promise(1, kind="service", member_id=clara)
    with desk.working():
        rows = desk.all_are("accepted", "gone")
    assert [row.state for row in rows] == ["accepted", "gone", "gone", "gone", "accepted"]
    assert {row.reason for row in rows if row.state == "gone"} == {"ConsentWithdrawn"}

    quiet = QuietHours((now() - HOUR).time(), (now() + HOUR).time())
    with desk.database.write() as tx:
        tx.exec_driver_sql("UPDATE brand SET time_zone = 'UTC'")
    desk.promise(1, kind="advertising", member_id=anna)
    desk.promise(1, kind="code", not_after=now() + MINUTE)
    with desk.working(desk.channel(quiet=quiet)):
        rows = desk.until(lambda rows: rows[-1].state == "accepted" and rows[-2].reason == "QuietHours")
    assert rows[-2].state == "pending"
    assert 0 < (rows[-2].due_at - now()).total_seconds() <= 3600


def test_whoever_told_the_gateway_to_stop_told_it_to_us(desk: Desk) -> None:
    anna, boris = desk.texting.members(2)
    with desk.database.write() as tx:
        tx.execute(member.update().where(member.c.id == anna).values(phone=desk.texting.draft(0).number))
    desk.server.ledger.fates.extend(["opted out"])
    for one in (anna, boris):  # to one number: who has it now, and who had it when the text was promised
        desk.promise(1, kind="advertising", member_id=one)
    with desk.working(desk.channel(rate=1.0, burst=1)):
        rows = desk.all_are("refused", "gone")
    assert [row.state for row in rows] == ["refused", "gone"]
    with desk.database.read() as tx:
        (ended,) = tx.execute(consent.select().where(consent.c.granted.is_(False))).all()
    assert (ended.member_id, ended.source, ended.text) == (anna, "sms:main", "opted out")


def test_what_is_too_late_is_not_sent(desk: Desk) -> None:
    desk.promise(1, kind="code", not_after=now() - timedelta(seconds=1))
    with desk.working():
        (row,) = desk.all_are("exhausted")
    assert (row.reason, row.text, row.attempts) == ("TooLate", None, 0)
    assert desk.server.ledger.requests == 0


def test_a_stop_word_withdraws_consent_with_evidence(desk: Desk) -> None:
    (anna,) = desk.texting.members(1)
    with desk.database.write() as tx:
        tx.execute(member.update().where(member.c.id == anna).values(phone="+79001234567"))

    def words() -> list[Any]:
        with desk.database.read() as tx:
            return list(tx.execute(consent.select().where(consent.c.granted.is_(False))))

    with desk.working():
        time.sleep(0.3)
        desk.server.tell({"inbound": "Спасибо, очень вкусно", "number": "+79001234567"})
        desk.server.tell({"inbound": "Стоп!", "number": "+79001234567"})
        desk.until(lambda _: bool(words()))
    (word,) = words()
    assert (word.member_id, word.source, word.text) == (anna, "sms:main", "Стоп!")
    desk.promise(1, kind="advertising", member_id=anna)
    with desk.working():
        desk.all_are("gone")


def test_the_rate_is_kept(desk: Desk) -> None:
    desk.promise(30)
    began = time.monotonic()
    with desk.working(desk.channel(rate=15.0, burst=5)):
        desk.all_are("accepted")
    assert time.monotonic() - began > 25 / 15 - 0.1
    moments = sorted(text.at for text in desk.server.ledger.texts)
    for start in range(len(moments) - 10):
        assert moments[start + 10] - moments[start] > (11 - 5) / 15 - 0.15


def test_low_money_is_told(desk: Desk) -> None:
    desk.server.ledger.balance = 500
    with capture_logs() as logs, desk.working(desk.channel(low_balance=1000)):
        desk.until(lambda _: any(line["event"] == "balance_low" for line in logs))
    (line,) = [line for line in logs if line["event"] == "balance_low"]
    assert (line["left_minor_units"], line["currency"]) == (500, "RUB")


def test_numbers_are_in_no_log(desk: Desk) -> None:
    desk.server.ledger.fates.extend(["refuse", "throttle", "break", "take and be silent", "stop"])
    desk.promise(6)
    with capture_logs() as logs, desk.working():
        desk.until(lambda rows: all(row.attempts or row.reason for row in rows))
        time.sleep(0.3)
    assert "+7900" not in str(logs)
