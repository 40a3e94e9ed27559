"""Whatever comes in whatever order: no text twice, none after consent was withdrawn, and the books agree."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from app.db import Database
from app.db.identifiers import MemberId
from app.delivery import texts
from app.delivery.text_promises import ReceiptTold
from app.worker.text_carrier import TextCarrier
from app.worker.text_channel import TextChannel
from app.worker.text_parcels import TextAnswered, TextLogin, TextReady
from tests.delivery.texting import LEASE, NOON, Texting, open_texting, say
from tests.worker.text_gateway import PRICE, Fate, GatewayServer, LineGateway, Taken, serving

_numbers = count()
FATES: tuple[Fate, ...] = (
    "take",
    "take and be silent",
    "take and be silent",
    "break",
    "throttle",
    "refuse",
    "stop",
)
MOMENT = st.sampled_from([0, 1, 5, 40, 400])

Act = tuple[str, Any]
acts = st.lists(
    st.one_of(
        st.tuples(st.just("promise"), st.sampled_from(["code", "service", "advertising", "advertising"])),
        st.tuples(st.just("promise"), st.sampled_from(["service", "advertising"])),
        st.tuples(st.just("work"), st.lists(st.sampled_from(FATES), max_size=4)),
        st.tuples(st.just("die before sending"), st.none()),
        st.tuples(st.just("die before settling"), st.lists(st.sampled_from(FATES), max_size=4)),
        st.tuples(st.just("settle late"), st.lists(st.sampled_from(FATES), max_size=4)),
        st.tuples(st.just("withdraw"), st.integers(0, 2)),
        st.tuples(st.just("receipt"), st.tuples(st.integers(0, 9), st.booleans(), st.booleans())),
        st.tuples(st.just("pass"), MOMENT),
    ),
    min_size=4,
    max_size=20,
)


@pytest.fixture(scope="module")
def server() -> Iterator[GatewayServer]:
    with serving() as running:
        yield running


@dataclass
class World:
    """One example: a login of its own, three members, workers that die and a clock that is told."""

    database: Database
    server: GatewayServer
    asks: bool
    now: datetime = NOON
    withdrawn: dict[MemberId, int] = field(default_factory=dict)
    prepared: dict[int, int] = field(default_factory=dict)  # reference → step of the last prepare beat
    step: int = 0
    late: list[tuple[TextCarrier, list[TextAnswered]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server.ledger.texts.clear()
        self.server.ledger.fates.clear()
        number = next(_numbers)
        self.texting: Texting = open_texting(self.database, f"login-{number}", slug=f"cafe-{number}")
        self.members = self.texting.members(3)
        self.channel = self._channel()

    def _channel(self) -> TextChannel:
        gateway = LineGateway(self.server.port, asks=self.asks)
        return TextChannel({self.texting.login: TextLogin(gateway=gateway, rate=1000, burst=100)})

    def carrier(self, owner: str) -> TextCarrier:
        return TextCarrier(self.database, self.channel, owner=owner, clock=lambda: self.now, lease=LEASE)

    @property
    def taken(self) -> list[Taken]:
        return self.server.ledger.texts

    def do(self, act: str, given: Any) -> None:
        self.step += 1
        match act:
            case "promise":
                member = self.members[self.step % 3] if given != "code" else None
                not_after = self.now + timedelta(minutes=5) if given == "code" else None
                draft = self.texting.draft(
                    self.step, kind=given, member_id=member, not_after=not_after, due_at=self.now
                )
                self.texting.promise([draft], now=self.now)
            case "work":
                carrier = self.carrier(f"worker-{self.step}")
                carrier.settle(carrier.hear(self.send(self.take(carrier), given)))
            case "die before sending":
                self.take(self.carrier(f"dead-{self.step}"))
            case "die before settling":
                self.send(self.take(self.carrier(f"dead-{self.step}")), given)
            case "settle late":
                carrier = self.carrier(f"slow-{self.step}")
                self.late.append((carrier, self.send(self.take(carrier), given)))
            case "withdraw":
                member = self.members[given]
                self.withdrawn.setdefault(member, self.step)
                with self.database.write() as tx:
                    say(tx, member, granted=False, at=self.now)
            case "receipt" if self.taken:
                which, good, by_reference = given
                self.told(self.taken[which % len(self.taken)], good=good, by_reference=by_reference)
            case "pass":
                self.now += timedelta(seconds=given)
                self.channel = self._channel()  # whoever works then has just started
                self.carrier("rescuer").rescue()
                for carrier, answers in self.late:
                    carrier.settle(carrier.hear(answers))
                self.late.clear()

    def take(self, carrier: TextCarrier) -> tuple[TextReady, ...]:
        ready = carrier.take(500).ready
        for one in ready:
            self.prepared[one.claimed.reference] = self.step
        return ready

    def send(self, ready: tuple[TextReady, ...], fates: list[Fate]) -> list[TextAnswered]:
        self.server.ledger.fates.extend(fates)
        answers: list[TextAnswered] = []
        before = len(self.taken)
        asyncio.run(self.channel.send(ready, answers.extend))
        self.server.ledger.fates.clear()
        advertised = {
            one.claimed.reference: one.claimed for one in ready if one.claimed.kind == "advertising"
        }
        for text in self.taken[before:]:
            if claimed := advertised.get(text.reference):
                assert claimed.member_id is not None
                assert claimed.member_id not in self.withdrawn, "sent after consent was withdrawn"
        return answers

    def told(self, text: Taken, *, good: bool, by_reference: bool) -> None:
        state: Any = "delivered" if good else "undelivered"
        receipt = ReceiptTold(
            login=self.texting.login,
            state=state,
            reason=state,
            provider_id=text.provider_id,
            reference=text.reference if by_reference else None,
            price=text.cost,
            currency="RUB",
        )
        with self.database.write() as tx:
            texts.hear_receipts(tx, [receipt, receipt], now=self.now)

    def finish(self) -> None:
        """All is well from now on: what is left is carried out, and every receipt comes."""
        for _ in range(4):
            self.do("pass", 12 * 3600)  # the longest wait, and from quiet hours into others
            self.do("work", [])  # where a login was stopped this is the probe
            self.do("work", [])
        self.do("pass", 40)
        for text in list(self.taken):
            self.told(text, good=True, by_reference=True)

    def reconcile(self) -> None:
        references = [text.reference for text in self.taken]
        assert len(references) == len(set(references)), "a text was sent twice"
        rows = self.texting.rows()
        sent = [row for row in rows if row.state in ("accepted", "delivered", "undelivered")]
        assert {row.reference for row in sent} == set(references)
        assert sum(row.price or 0 for row in sent) == PRICE * len(references)
        assert {row.state for row in sent} <= {"delivered"}
        assert not [row for row in rows if row.state in ("pending", "sending")]
        assert not [row for row in rows if row.in_doubt]
        for row in rows:
            if row.kind == "code":
                assert row.text is None
            if row.state == "exhausted" and row.reason == "Unknown":
                assert row.reference not in references


@pytest.mark.parametrize("asks", [True, False], ids=["can be asked", "cannot be asked"])
@settings(
    max_examples=15,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # making a story shorter takes minutes, and says little more
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=acts)
@example(story=[("promise", "service"), ("work", ["take and be silent"]), ("pass", 40), ("work", [])])
@example(story=[("promise", "service"), ("die before settling", []), ("pass", 40), ("work", ["take"])])
@example(story=[("promise", "service"), ("settle late", ["take"]), ("pass", 40), ("pass", 400), ("work", [])])
@example(
    story=[
        ("promise", "advertising"),
        ("work", ["break"]),
        ("withdraw", 1),
        ("pass", 40),
        ("work", ["take"]),
    ]
)
def test_no_text_twice_and_none_against_anybodys_will(
    database: Database, server: GatewayServer, story: list[Act], asks: bool
) -> None:
    world = World(database, server, asks)
    for act, told in story:
        world.do(act, told)
    world.finish()
    world.reconcile()
