"""Random days at the simulated gateways: their logs and our books agree to the last text and coin.

Answers get lost, receipts come early, late, twice or never and without a price; workers die before sending
and before settling; guests withdraw by the link, by STOP and while a text is in hand; members are merged;
hours are quiet. No text is taken twice, none after a withdrawal that was committed, no advertising at night.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from app.db import Database
from app.delivery import texts
from app.delivery.quiet_hours import QuietHours
from app.loyalty import consents, merging
from app.loyalty.tables import member
from app.simulators.sms_faults import Faults
from app.sms.encoding import measure
from app.worker.text_carrier import TextCarrier
from app.worker.text_parcels import TextAnswered, TextingBrand, TextReady
from app.worker.text_receipts import Asking, TextReceipts
from tests.delivery.texting import LEASE, MINUTE, NOON, open_texting, say
from tests.worker.text_house import KINDS, SMPP_PRICE, House, Kind, house

_numbers = count(1)
_LATE = 0.6
_HTTP: list[dict[str, Any]] = [
    {},
    {"lose_answers": 1.0},
    {"lose_answers": 0.5, "duplicate_receipts": 1},
    {"lose_requests": 1.0},
    {"break_answers": 1.0},
    {"at_once": 0},
    {"early_receipts": True},
    {"shuffle_receipts": True, "duplicate_receipts": 1},
    {"no_receipts": True},
    {"late_next": 1, "late_by_ms": _LATE * 1000},
]
_SMPP: list[dict[str, Any]] = [
    {},
    {"drops_taken": 1},
    {"drops_untaken": 1},
    {"next_answers": [0x58]},
    {"next_answers": [0, 0x0B]},
    {"next_answers": [0, 0, 0x14]},
    {"receipts_first": True},
    {"receipt_copies": 2},
    {"receipts": "none"},
    {"silent": True},
]
weather = st.integers(0, len(_HTTP) - 1)
Act = tuple[str, Any]
acts = st.lists(
    st.one_of(
        st.tuples(st.just("promise"), st.sampled_from(["code", "service", "advertising", "advertising"])),
        st.tuples(st.just("promise"), st.sampled_from(["long", "advertising"])),
        st.tuples(st.just("work"), weather),
        st.tuples(st.just("withdraw between take and send"), st.integers(0, 2)),
        st.tuples(st.just("die before sending"), st.none()),
        st.tuples(st.just("die before settling"), weather),
        st.tuples(st.just("settle late"), weather),
        st.tuples(st.just("withdraw"), st.integers(0, 2)),
        st.tuples(st.just("stop word"), st.integers(0, 2)),
        st.tuples(st.just("merge"), st.tuples(st.integers(0, 2), st.integers(0, 2))),
        st.tuples(st.just("pass"), st.sampled_from([0, 1, 15, 70, 400, 8 * 3600])),
    ),
    min_size=4,
    max_size=14,
)


class Clock:
    """What time it is, for us and for the gateway."""

    now = NOON

    def unix(self) -> float:
        return self.now.timestamp()


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module", params=KINDS)
def gateway(request: pytest.FixtureRequest, clock: Clock) -> Iterator[House]:
    kind: Kind = request.param
    with house(kind, clock=clock.unix) as found:
        yield found


class Day:
    """One example: a login of its own, three members, and workers one after the other."""

    def __init__(self, database: Database, found: House, clock: Clock) -> None:
        number = next(_numbers)
        self.database, self.house, self.clock = database, found, clock
        clock.now = NOON + number * timedelta(days=7)
        found.login = f"login-{number}"
        self.calm()
        found.forget()
        self.spent_before = self.theirs()
        self.texting = open_texting(database, found.login, slug=f"cafe-{number}")
        self.slug = f"cafe-{number}"
        self.members = self.texting.members(3)
        self.phones = [f"+7901{number:04d}{each:03d}" for each in range(3)]
        with database.write() as tx:
            for each, phone in zip(self.members, self.phones, strict=True):
                tx.execute(member.update().where(member.c.id == each).values(phone=phone))
        self.late: list[tuple[TextCarrier, list[TextAnswered]]] = []
        self.late_until = 0.0
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.begin()

    def begin(self) -> None:
        """A worker has just started."""
        self.channel = self.house.channel(brands={self.slug: TextingBrand(login=self.house.login)})
        self.ears = TextReceipts(
            self.database, self.channel, owner="ears", clock=lambda: self.clock.now,
            submit=lambda work: self.run(work, wait=False), tell=lambda: None,
            asking=Asking(every=timedelta(milliseconds=10), silent_for=MINUTE),
        )  # fmt: skip
        self.run(self.channel.listen(self.ears._hear), wait=False)

    def end(self) -> None:
        self.run(self.channel.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, Any], *, wait: bool = True) -> Any:
        begun = asyncio.run_coroutine_threadsafe(work, self.loop)
        return begun.result(30) if wait else None

    def carrier(self, owner: str) -> TextCarrier:
        return TextCarrier(
            self.database, self.channel, owner=owner, clock=lambda: self.clock.now, lease=LEASE
        )

    def theirs(self) -> int:
        """What the gateway charged so far."""
        if self.house.centre:
            return int(self.house.centre.ask(lambda one: one.log.spent))
        assert self.house.sms
        return int(self.house.sms.ask(lambda one: sum(each.spent for each in one.ledger.accounts.values())))

    def calm(self) -> None:
        """All is well at the gateway."""
        if self.house.kind == "smpp":
            calm = {"drops_taken": 0, "drops_untaken": 0, "next_answers": [], "receipts_first": False}
            self.house.turn(**calm, receipt_copies=1, receipts="both", silent=False)
        else:
            names = {name for knobs in _HTTP for name in knobs}
            self.house.turn(**{name: getattr(Faults(), name) for name in names})

    def do(self, act: str, given: Any) -> None:
        match act:
            case "promise":
                self.promise(given)
            case "work":
                carrier = self.carrier("worker")
                carrier.settle(carrier.hear(self.send(carrier.take(500).ready, given)))
            case "withdraw between take and send":
                carrier = self.carrier("worker")
                ready = carrier.take(500).ready
                self.withdraw(given)
                passed = [_two_seconds_later(one) for one in ready]
                carrier.settle(carrier.hear(self.send(passed, 0)))
            case "die before sending":
                self.carrier("dead").take(500)
            case "die before settling":
                self.send(self.carrier("dead").take(500).ready, given)
            case "settle late":
                carrier = self.carrier("slow")
                self.late.append((carrier, self.send(carrier.take(500).ready, given)))
            case "withdraw":
                self.withdraw(given)
            case "stop word":
                self.stop_word(given)
            case "merge":
                one, other = given
                with self.database.write() as tx:
                    merging.unite(
                        tx,
                        living=self.members[one],
                        ending=self.members[other],
                        now=self.clock.now,
                        actor="x",
                    )
            case "pass":
                self.hear()
                time.sleep(max(0.0, self.late_until - time.monotonic()))
                self.clock.now += timedelta(seconds=given)
                self.run(self.channel.close())
                self.begin()
                self.carrier("rescuer").rescue()
                for carrier, answers in self.late:
                    carrier.settle(carrier.hear(answers))
                self.late.clear()
                self.hear()

    def promise(self, kind: str) -> None:
        number = next(_numbers)
        advertised = self.members[number % 3] if kind == "advertising" else None
        words = f"{number} " + ("кофе " * 20 if kind == "long" else "coffee")
        measured = measure(words)
        price = SMPP_PRICE * measured.parts if self.house.kind == "smpp" else 1
        draft = self.texting.draft(
            number, text=words, kind="service" if kind == "long" else kind, member_id=advertised,
            parts=measured.parts, encoding=measured.encoding, price=price, due_at=self.clock.now,
            not_after=self.clock.now + timedelta(minutes=5) if kind == "code" else None,
        )  # fmt: skip
        self.texting.promise([draft], now=self.clock.now)

    def withdraw(self, which: int) -> None:
        with self.database.write() as tx:
            say(tx, self.members[which], granted=False, at=self.clock.now)

    def stop_word(self, which: int) -> None:
        with self.database.read() as tx:
            held = self.phones[which] in tx.scalars(member.select().with_only_columns(member.c.phone)).all()
            agreed = consents.allowing(tx, [self.members[which]], "advertising")
        self.house.say(self.phones[which], "СТОП")
        deadline = time.monotonic() + 5
        while held and agreed:
            self.hear()
            with self.database.read() as tx:
                agreed = consents.allowing(tx, [self.members[which]], "advertising")
            assert time.monotonic() < deadline, "nobody heard STOP"
        self.hear()

    def hear(self) -> None:
        """Write what was told: callbacks come the way that the connection's words do."""
        if self.house.sms:
            self.house.sms.settled()
        while self.house.ear.heard:
            said = self.channel.logins[self.house.login].gateway.hear(self.house.ear.heard.pop(0))
            self.ears._hear(self.house.login, said)
        time.sleep(0.02)
        while self.ears.step():
            pass

    def send(self, ready: Any, sky: int) -> list[TextAnswered]:
        self.house.turn(**(_SMPP if self.house.kind == "smpp" else _HTTP)[sky])
        if self.house.kind != "smpp" and "late_next" in _HTTP[sky]:
            self.late_until = time.monotonic() + _LATE + 0.5
        before, answers = self.house.bodies(), list[TextAnswered]()
        with self.database.read() as tx:
            agreed = consents.allowing(tx, self.members, "advertising")
        self.run(self.channel.send(ready, answers.extend))
        in_hand = {one.claimed.text: one.claimed for one in ready}
        for words in self.house.bodies() - before:
            if (claimed := in_hand.get(words)) and claimed.kind == "advertising":
                assert claimed.member_id in agreed, "sent after consent was withdrawn"
                assert QuietHours().end(self.clock.now, "Europe/Moscow") is None, "sent at night"
        self.calm()
        self.hear()
        return answers

    def finish(self) -> None:
        """All is well from now on: what is left is carried out, and whoever can be asked is."""
        for _ in range(5):
            self.do("pass", 11 * 3600)
            self.do("work", 0)
            self.do("work", 0)
        for _ in range(3):
            self.do("pass", 3 * 3600)
            time.sleep(0.02)
            self.hear()
            time.sleep(0.02)
            self.hear()

    def reconcile(self) -> None:
        taken = self.house.bodies()
        assert not taken or max(taken.values()) == 1, "a text was taken twice"
        rows = self.texting.rows()
        assert not [row for row in rows if row.state in ("pending", "sending") or row.in_doubt]
        sent = [row for row in rows if row.state in ("accepted", "delivered", "undelivered")]
        unsure = [row for row in rows if row.state == "exhausted" and row.reason == "Unknown"]
        assert len(sent) <= taken.total() <= len(sent) + len(unsure)
        words = {row.text for row in sent if row.text is not None}
        assert words <= set(taken)
        partly = [row for row in rows if row.state == "refused" and row.accepted_at is not None]
        ours = sum(row.price or 0 for row in [*sent, *partly])
        theirs = self.theirs() - self.spent_before
        if self.house.kind == "smsc":
            assert not unsure
        if self.house.kind != "smpp":
            assert all(row.price_told for row in sent)
        dearest = 2 * SMPP_PRICE
        assert ours <= theirs <= ours + dearest * len(unsure)
        with self.database.read() as tx:
            booked = texts.spent(tx, self.texting.brand_id, since=datetime(2026, 1, 1, tzinfo=NOON.tzinfo))
        assert sum(part.amount for part in booked) == ours + sum(row.price or 0 for row in unsure)


def _two_seconds_later(one: TextReady) -> TextReady:
    """The same two seconds later: its moments lie two seconds further back."""
    return replace(one, prepared=one.prepared - 2, leaves=one.leaves - 2, too_late=one.too_late - 2)


@settings(
    max_examples=4,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=acts)
@example(story=[("promise", "service"), ("work", 9), ("pass", 15), ("work", 0), ("pass", 70), ("work", 0)])
@example(story=[("promise", "advertising")] * 3 + [("withdraw between take and send", n) for n in range(3)])
@example(story=[("promise", "long"), ("work", 4), ("promise", "long"), ("work", 1)])
@example(
    story=[
        ("promise", "advertising"),
        ("promise", "advertising"),
        ("promise", "advertising"),
        ("merge", (0, 1)),
        ("stop word", 0),
        ("work", 0),
    ]
)
def test_the_gateways_log_and_our_books_agree(
    database: Database, gateway: House, clock: Clock, story: list[Act]
) -> None:
    day = Day(database, gateway, clock)
    try:
        for act, told in story:
            day.do(act, told)
        day.finish()
        day.reconcile()
    finally:
        day.end()
