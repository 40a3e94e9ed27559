"""Whatever comes in whatever order: one end for each guest, no text after a fetch, none twice, books agree.

What a gateway took is in its own log; a phone's fetch counts from its commit on, if the card said the
campaign's line just then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from app.campaigns.fallback import Texting
from app.db import Database
from app.db.identifiers import MemberId
from app.errors import Conflict
from app.loyalty import consents, enrolment, merging
from app.loyalty import content as cards
from app.loyalty.wording import News
from app.passes import issuing, watermarks
from app.passes.issuing import Revision
from app.worker.text_parcels import TextAnswered, TextReady
from tests.campaigns.cascade_world import PLAN, World, book
from tests.worker.text_gateway import Fate, GatewayServer, serving

_numbers = count(1)
GUESTS = 4
MOST = 3
ENDS = {"reached", "text_delivered", "text_failed", "text_accepted", "unreached", "cancelled", "held_back"}
FATES: tuple[Fate, ...] = ("take", "take", "take and be silent", "break", "throttle", "refuse")
SECONDS = st.sampled_from([1, 20, 40, 300, 1900, 1900, 4000, -120, -2000])
WHO = st.integers(0, GUESTS - 1)

Act = tuple[str, Any]
acts = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.sampled_from(["accepted", "accepted", "accepted", "refused", "lost"])),
        st.tuples(st.just("fetch"), WHO),
        st.tuples(st.just("another message"), WHO),
        st.tuples(st.just("look"), st.sampled_from([1, 200, 200])),
        st.tuples(st.just("crash in a look"), st.none()),
        st.tuples(st.just("text"), st.lists(st.sampled_from(FATES), max_size=3)),
        st.tuples(st.just("text"), st.just([])),
        st.tuples(st.just("die before sending"), st.none()),
        st.tuples(st.just("die before settling"), st.lists(st.sampled_from(FATES), max_size=3)),
        st.tuples(st.just("receipt"), st.tuples(st.integers(0, 9), st.booleans())),
        st.tuples(st.just("withdraw"), WHO),
        st.tuples(st.just("halt"), st.sampled_from(["pause", "pause", "resume", "resume", "cancel"])),
        st.tuples(st.just("web process"), st.sampled_from([0, 60, 3600])),
        st.tuples(st.just("turns"), st.none()),
        st.tuples(st.just("merge"), st.tuples(WHO, WHO)),
        st.tuples(st.just("pass"), SECONDS),
        st.tuples(st.just("pass"), SECONDS),
    ),
    min_size=6,
    max_size=24,
)
SILENT: list[Act] = [("push", "accepted"), ("pass", 1900), ("look", 200)]


@pytest.fixture(scope="module")
def server() -> Iterator[GatewayServer]:
    with serving() as running:
        yield running


@dataclass
class Story:
    """One campaign to some guests, the last of whom has no card in a wallet."""

    world: World
    server: GatewayServer
    proved: set[MemberId] = field(default_factory=set)
    withdrawn: set[MemberId] = field(default_factory=set)
    merged: dict[MemberId, MemberId] = field(default_factory=dict)
    step: int = 0

    def __post_init__(self) -> None:
        self.server.ledger.texts.clear()
        self.guests = [self.world.guest() for _ in range(GUESTS - 1)]
        self.guests.append(self.world.guest(iphone=False))
        self.world.begin()

    def do(self, act: str, given: Any) -> None:  # noqa: C901 - the list of what may happen
        self.step += 1
        world = self.world
        match act:
            case "push":
                world.push(given)
            case "fetch" if given < GUESTS - 1:
                self.fetch(self.living(self.guests[given]))
            case "another message":
                self.speak(self.living(self.guests[given]))
            case "look":
                world.look(limit=given)
            case "crash in a look":
                world.look(crash=True)
            case "text":
                self.text(given)
            case "die before sending":
                self.sure(world.claim(self.server, f"dead {self.step}"))
            case "die before settling":
                self.text(given, settles=False)
            case "receipt" if self.server.ledger.texts:
                which, good = given
                texts = self.server.ledger.texts
                world.receipt(texts[which % len(texts)], good=good)
            case "withdraw":
                self.withdraw(self.living(self.guests[given]))
            case "halt":
                with suppress(Conflict):
                    world.halt(given)
                world.send()
            case "web process":
                with world.database.write() as tx:
                    behind = world.now - timedelta(seconds=given)
                    watermarks.tell(tx, "a web process", behind, now=world.now)
            case "turns":
                world.turns()
            case "merge":
                self.merge(*given)
            case "pass":
                world.wait(timedelta(seconds=given))
                world.carrier(self.server, "rescuer").rescue()
        self.bounds()

    def living(self, member_id: MemberId) -> MemberId:
        while member_id in self.merged:
            member_id = self.merged[member_id]
        return member_id

    def fetch(self, member_id: MemberId) -> None:
        world = self.world
        with world.database.read() as tx:
            card = issuing.wallet_pass(tx, world.pass_of(tx, member_id))
        world.fetch(member_id)
        if card.content.messages and card.content.messages[0].announcement == f"campaign:{world.id}":
            self.proved.add(member_id)

    def speak(self, member_id: MemberId) -> None:
        said = cards.speech(News(points=100, balance=100 * self.step), f"receipt:{self.step}", self.world.now)
        balance = 100 * self.step

        def changed(content: Any) -> Any:
            return cards.changed(content, balance=balance, tier=None, stamps=0)

        with self.world.database.write() as tx:
            revision = Revision(self.world.pass_of(tx, member_id), changed, said)
            issuing.revise(tx, [revision], kind="receipt", now=self.world.now)

    def withdraw(self, member_id: MemberId) -> None:
        with self.world.database.write() as tx:
            consents.withdraw(
                tx,
                member_id,
                source="card page",
                text="-",
                text_version="1",
                language="ru",
                now=self.world.now,
            )
        self.withdrawn.add(member_id)

    def merge(self, one: int, other: int) -> None:
        living, ending = self.living(self.guests[one]), self.living(self.guests[other])
        if living == ending:
            return
        with self.world.database.write() as tx:
            cards_of = [
                enrolment.enrolment_of_pass(tx, self.world.pass_of(tx, each)).id for each in (living, ending)
            ]
            merging.merge(tx, living=cards_of[0], ending=cards_of[1], now=self.world.now)
        self.merged[ending] = living
        # What the other card proved, it proved of that card: its line went with it.
        self.withdrawn -= {ending}

    def text(self, fates: list[Fate], *, settles: bool = True) -> None:
        world = self.world
        carrier = world.carrier(self.server, f"worker {self.step}")
        ready = carrier.take(500).ready
        self.sure(ready)
        if not ready:
            return
        answers: list[TextAnswered] = []
        self.server.ledger.fates.extend(fates)
        world.exchange(self.server, ready, answers)
        self.server.ledger.fates.clear()
        if settles:
            carrier.settle(carrier.hear(answers))

    def sure(self, ready: tuple[TextReady, ...]) -> None:
        """What was claimed may be sent."""
        for one in ready:
            if one.unless_taken is None:
                assert one.claimed.member_id not in self.proved, "claimed after a committed fetch"
                assert one.claimed.member_id not in self.withdrawn, "claimed after consent was withdrawn"

    def bounds(self) -> None:
        found = self.world.campaign()
        assert 0 <= found.texts <= MOST
        assert found.spent <= (self.world.plan.budget or 0)
        numbers = Counter(text.number for text in self.server.ledger.texts)
        assert not numbers or max(numbers.values()) == 1, "texted twice"

    def finish(self) -> None:
        """All is well from now on: what is left is carried out, and every receipt comes."""
        self.do("halt", "resume")
        for _ in range(12):  # messages in line, quiet hours, patience, doubts
            self.do("push", "accepted")
            self.do("pass", 8 * 3600)
            self.do("turns", None)
            self.do("look", 200)
            self.do("text", [])
            for text in list(self.server.ledger.texts):
                self.world.receipt(text)
            self.world.look()
            if self.world.campaign().settled_at is not None:
                break

    def reconcile(self) -> None:
        rows = self.world.rows()
        assert {row.member_id for row in rows} == set(self.guests), "a recipient was lost"
        assert {row.state for row in rows} <= ENDS, [(row.member_id, row.state) for row in rows]
        assert all(row.settled_at is not None and row.look_at is None for row in rows)
        delivered = [row for row in rows if row.state == "text_delivered"]
        taken = self.server.ledger.texts
        assert len(delivered) == len(taken)
        assert sum(row.text_price for row in delivered) == sum(text.cost for text in taken)
        assert all(row.text_price is None for row in rows if row.state in ("reached", "unreached"))
        for row in rows:
            if row.state == "reached" and row.member_id not in self.merged:
                assert row.member_id in self.proved
        assert self.world.campaign().state in ("measuring", "cancelled")
        assert self.world.campaign().settled_at is not None


@pytest.mark.timeout(300)
@settings(
    max_examples=2,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # making a story shorter takes minutes, and says little more
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=acts)
@example(story=[*SILENT, ("fetch", 0), ("text", [])])
@example(story=[*SILENT, ("die before sending", None), ("fetch", 0), ("pass", 40), ("text", [])])
@example(story=[*SILENT, ("die before settling", []), ("fetch", 1), ("pass", 300), ("text", [])])
@example(
    story=[("another message", 0), *SILENT, ("fetch", 0), ("turns", None), ("pass", 4000), ("look", 200)]
)
@example(
    story=[*SILENT, ("halt", "pause"), ("text", []), ("halt", "cancel"), ("text", []), ("merge", (0, 1))]
)
def test_each_guest_ends_in_one_state_and_the_books_agree(
    database: Database, server: GatewayServer, story: list[Act]
) -> None:
    number = next(_numbers)
    plan = replace(PLAN, most_texts=MOST, budget=MOST * 400)
    slug = f"cafe-{number}"
    world = World(database, plan=plan, texting=Texting(book(slug)), slug=slug)
    told = Story(world, server)
    for act, given_ in story:
        told.do(act, given_)
    told.finish()
    told.reconcile()
