"""Every channel as its conformance suite needs it: the outside party, what is promised, tried and taken."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, Final, Literal, Protocol, cast

from sqlalchemy import Row, select

from app.db import Database
from app.delivery.budget import Policy
from app.delivery.tables import attempt, delivery
from app.simulators import apns
from app.simulators.apns import ApnsSettings, RunningApns
from app.sms.wire import Patience
from app.wakeup import LocalWakeup
from app.worker import metrics
from app.worker.apple import AppleChannel
from app.worker.carrier import Carrier
from app.worker.loop import Worker
from app.worker.text_carrier import TextCarrier
from tests.delivery.texting import Texting
from tests.worker.conftest import Rig, now, token
from tests.worker.text_house import House, rising

ChannelName = Literal["apple", "smsc", "twilio", "smpp"]
CHANNELS: Final[tuple[ChannelName, ...]] = ("apple", "smsc", "twilio", "smpp")
LEASE: Final = timedelta(seconds=30)
TAKEN: Final = frozenset({"accepted", "delivered"})
POLICY: Final = Policy(receipt=1000, campaign=1000, coalesce=timedelta(0))


class Hands(Protocol):
    """A carrier of any channel."""

    def rescue(self) -> int: ...
    def take(self, limit: int) -> Any: ...
    def hear(self, answers: Any, /) -> Any: ...
    def settle(self, heard: Any, /) -> None: ...


class Party(Protocol):
    """One channel and who is outside. ``after_a_crash``: what becomes of a promise that may have left."""

    name: ChannelName
    after_a_crash: Literal["sent again", "asked for", "given up"]

    def promise(self, count: int) -> None: ...
    def hands(self, owner: str, clock: Callable[[], datetime]) -> Hands: ...
    def send(self, ready: Sequence[Any]) -> list[Any]: ...
    def taken(self) -> Counter[str]: ...
    def slow(self, milliseconds: float) -> None: ...
    def busy(self, yes: bool) -> None: ...
    def refuse_first(self) -> None: ...
    def lose_first(self) -> str: ...
    def up(self) -> Any: ...
    def settled(self) -> Mapping[str, float]: ...


@dataclass
class Apple:
    """Pushes, to the simulated push service."""

    rig: Rig
    settings: ApnsSettings
    port: int
    name: ChannelName = "apple"
    after_a_crash: Literal["sent again", "asked for", "given up"] = "sent again"
    running: RunningApns | None = None
    phones: list[Any] = field(default_factory=list)

    def promise(self, count: int) -> None:
        self.phones = self.phones or self.rig.phones(count)
        self.rig.promise(self.phones)

    def channel(self) -> AppleChannel:
        return AppleChannel(
            self.rig.pems,
            url=f"https://127.0.0.1:{self.port}",
            ca=self.rig.authority.root,
            push_timeout=timedelta(seconds=5),
        )

    def hands(self, owner: str, clock: Callable[[], datetime]) -> Hands:
        return Carrier(
            self.rig.database, self.channel(), owner=owner, clock=clock, policy=POLICY, lease=LEASE
        )

    def send(self, ready: Sequence[Any]) -> list[Any]:
        return _sent(self.channel(), ready)

    def taken(self) -> Counter[str]:
        assert self.running
        entries = self.running.ask(lambda one: [each for each in one.post.entries if each.status == 200])
        return Counter(each.token for each in entries)

    def slow(self, milliseconds: float) -> None:
        assert self.running
        self.running.turn(answer_delay_ms=milliseconds)

    def busy(self, yes: bool) -> None:
        assert self.running
        answer = {"status": 503, "reason": "ServiceUnavailable"}
        self.running.turn(next_answers=[answer] if yes else [])

    def refuse_first(self) -> None:
        assert self.running
        self.running.turn(token_answers={token(0): {"status": 400, "reason": "BadDeviceToken"}})

    def lose_first(self) -> str:
        assert self.running
        gone = {"status": 410, "reason": "Unregistered", "timestamp": int(now().timestamp() * 1000) + 60_000}
        self.running.turn(token_answers={token(0): gone})
        return "gone"

    @contextmanager
    def up(self) -> Iterator[None]:
        with apns.running(replace(self.settings, port=self.port)) as running:
            self.running = running
            yield

    def settled(self) -> Mapping[str, float]:
        return _counted(metrics.PUSHES)


@dataclass
class Texts:
    """Texts, to one of the simulated gateways by its real adapter."""

    texting: Texting
    house: House

    @property
    def name(self) -> ChannelName:
        return self.house.kind

    @property
    def after_a_crash(self) -> Literal["sent again", "asked for", "given up"]:
        return "asked for" if self.house.can_ask else "given up"

    def promise(self, count: int) -> None:
        self.texting.promise([self.texting.draft(n, due_at=now()) for n in range(count)], now=now())

    def channel(self) -> Any:
        return self.house.channel(sure_after=timedelta(0), patience=Patience(exchange=5))

    def hands(self, owner: str, clock: Callable[[], datetime]) -> Hands:
        return TextCarrier(self.texting.database, self.channel(), owner=owner, clock=clock, lease=LEASE)

    def send(self, ready: Sequence[Any]) -> list[Any]:
        return _sent(self.channel(), ready)

    def taken(self) -> Counter[str]:
        return self.house.taken()

    def slow(self, milliseconds: float) -> None:
        self.house.turn(answer_delay_ms=milliseconds)

    def busy(self, yes: bool) -> None:
        self.house.busy(yes)

    def refuse_first(self) -> None:
        self.house.refuse(self.texting.draft(0).number)

    def lose_first(self) -> str:
        """A guest who is not to be advertised to is gone before anything leaves."""
        (member,) = self.texting.members(1, consents=False)
        draft = self.texting.draft(0, kind="advertising", member_id=member, due_at=now())
        self.texting.promise([draft], now=now())
        return "gone"

    def up(self) -> Any:
        return rising(self.house)

    def settled(self) -> Mapping[str, float]:
        return _counted(metrics.TEXTS)


def _sent(channel: Any, ready: Sequence[Any]) -> list[Any]:
    answers: list[Any] = []

    async def send() -> None:
        await channel.send(ready, answers.extend)
        await channel.close()

    asyncio.run(send())
    return answers


def _counted(counter: Any) -> Mapping[str, float]:
    """How many were settled so far, by state."""
    found: Counter[str] = Counter()
    for sample in next(iter(counter.collect())).samples:
        if sample.name.endswith("_total"):
            found[sample.labels["state"]] += int(sample.value)
    return cast("Mapping[str, float]", found)


@dataclass
class Stage:
    """A channel under test beside another one, in one database, with workers for both."""

    database: Database
    party: Apple | Texts
    beside: Apple | Texts
    directory: Any
    stack: ExitStack = field(default_factory=ExitStack)

    @contextmanager
    def working(self, **more: Any) -> Iterator[Worker]:
        """A worker of both channels in a thread."""
        pushes = next(each for each in (self.party, self.beside) if isinstance(each, Apple))
        words = next(each for each in (self.party, self.beside) if isinstance(each, Texts))
        given: dict[str, Any] = {"lease": LEASE, "poll_seconds": 0.1}
        worker = Worker(
            database=self.database, channel=pushes.channel(), texts=words.channel(),
            wakeup=LocalWakeup(self.directory / f"bell-{more.get('owner')}"), clock=now, policy=POLICY,
            **(given | more),
        )  # fmt: skip
        stop = Event()
        thread = Thread(target=worker.run, args=(stop,), name="worker")
        thread.start()
        try:
            yield worker
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()

    def rows(self, party: Apple | Texts | None = None) -> list[Row[Any]]:
        channel = "apple" if isinstance(party or self.party, Apple) else "sms"
        with self.database.read() as tx:
            mine = select(delivery).where(delivery.c.channel == channel).order_by(delivery.c.id)
            return list(tx.execute(mine).all())

    def attempts(self) -> list[Row[Any]]:
        ids = [row.id for row in self.rows()]
        with self.database.read() as tx:
            tried = select(attempt).where(attempt.c.delivery_id.in_(ids)).order_by(attempt.c.id)
            return list(tx.execute(tried).all())

    def states(self, party: Apple | Texts | None = None) -> set[str]:
        return {row.state for row in self.rows(party)}

    def hear(self) -> None:
        """What was called back is written, as the web does."""
        for each in (self.party, self.beside):
            if isinstance(each, Texts):
                each.house.hear(each.texting, now())

    def until(self, true: Callable[[], bool], seconds: float = 25) -> None:

        deadline = time.monotonic() + seconds
        while not true():
            self.hear()
            told = [(row.channel, row.state, row.reason, row.attempts) for row in self.rows()]
            assert time.monotonic() < deadline, told
            time.sleep(0.03)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
