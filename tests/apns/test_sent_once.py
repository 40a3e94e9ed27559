"""Counted at the push service's end: no push is lost, and none is sent twice without need."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hyperframe.frame import SettingsFrame

from app.apns.client import ApnsClient
from app.apns.patience import Patience
from app.apns.requests import Push
from app.apns.responses import PushResponse
from app.simulators.apns import RunningApns
from tests.apns.conftest import Certificates, push_token
from tests.apns.plays import play
from tests.apns.scripted import Peer, ScriptedServer

MAX_STREAMS = 3


class Log:
    """What arrived on which connection, by push token."""

    def __init__(self) -> None:
        self.arrived: list[Counter[str]] = []

    async def note(self, peer: Peer, counter: Counter[str]) -> int:
        request = await peer.request()
        counter[request.headers[":path"].removeprefix("/3/device/")] += 1
        return request.stream

    async def answer_all(self, peer: Peer) -> None:
        counter = self.begun()
        await peer.begin()
        while True:
            peer.answer(await self.note(peer, counter))

    def begun(self) -> Counter[str]:
        self.arrived.append(Counter())
        return self.arrived[-1]


def tokens(first: int, last: int) -> Counter[str]:
    return Counter(push_token(number) for number in range(first, last))


async def push_ten(client: ApnsClient, server: ScriptedServer) -> None:
    outcomes = await client.push_many([Push(push_token(number)) for number in range(10)])
    assert [isinstance(outcome, PushResponse) and outcome.status for outcome in outcomes] == [200] * 10


def test_goaway_before_any_stream_costs_no_second_sending(certificates: Certificates) -> None:
    log = Log()

    async def first(peer: Peer) -> None:
        log.begun()
        await peer.begin()
        peer.goaway(0)
        await peer.rest()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        await push_ten(client, server)
        assert server.connections == 2

    play(certificates, scenario, first, log.answer_all)
    assert log.arrived[1] == tokens(0, 10)


@pytest.mark.parametrize("answered_before", [True, False])
def test_goaway_amid_streams_sends_those_above_its_last_once_more_and_only_those(
    certificates: Certificates, answered_before: bool
) -> None:
    log = Log()

    async def first(peer: Peer) -> None:
        counter = log.begun()
        await peer.begin()
        streams = [await log.note(peer, counter) for _ in range(10)]
        if answered_before:
            for stream in streams[:2]:
                peer.answer(stream)
        peer.goaway(streams[3])
        await asyncio.sleep(0.1)
        for stream in streams[2 if answered_before else 0 : 4]:
            peer.answer(stream)
        await peer.rest()

    play(certificates, push_ten, first, log.answer_all)
    assert log.arrived == [tokens(0, 10), tokens(4, 10)]


def test_goaway_after_the_last_answer_sends_nothing_again(certificates: Certificates) -> None:
    log = Log()

    async def first(peer: Peer) -> None:
        counter = log.begun()
        await peer.begin()
        streams = [await log.note(peer, counter) for _ in range(10)]
        for stream in streams:
            peer.answer(stream)
        peer.goaway(streams[-1])
        await peer.rest()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        await push_ten(client, server)
        await asyncio.sleep(0.1)
        assert (await client.push(push_token(10))).status == 200
        assert server.connections == 2

    play(certificates, scenario, first, log.answer_all)
    assert log.arrived == [tokens(0, 10), tokens(10, 11)]


@pytest.mark.parametrize(
    "knobs", [{"goaway_after": 80}, {"goaway_after": 80, "goaway_unprocessed": 5}], ids=str
)
def test_many_goaways_in_a_row_are_answered_once_for_each_push(
    certificates: Certificates, apns: RunningApns, knobs: dict[str, object]
) -> None:
    apns.turn(**knobs)

    async def scenario() -> None:
        async with certificates.client(apns.url, patience=Patience()) as client:
            outcomes = await client.push_many([Push(push_token(number)) for number in range(300)])
        assert all(isinstance(outcome, PushResponse) and outcome.status == 200 for outcome in outcomes)

    asyncio.run(scenario())
    entries = apns.ask(lambda simulator: [entry.token for entry in simulator.post.entries])
    assert Counter(entries) == tokens(0, 300)
    assert apns.ask(lambda simulator: simulator.statistics.goaways) >= 3


def test_fifteen_hundred_streams_at_once_are_answered_once_each(
    certificates: Certificates, apns: RunningApns
) -> None:
    most = 0

    async def scenario() -> None:
        nonlocal most
        async with certificates.client(apns.url, push_timeout=20.0, patience=Patience()) as client:
            await client.push(push_token(0))  # Apple's first answer lets another connection open
            await asyncio.to_thread(apns.turn, answer_delay_ms=1_500.0)
            pushing = asyncio.ensure_future(
                client.push_many([Push(push_token(number)) for number in range(1, 1_500)])
            )
            while not pushing.done():
                most = max(most, client.in_flight)
                await asyncio.sleep(0.02)
            assert {o.status for o in pushing.result() if isinstance(o, PushResponse)} == {200}

    asyncio.run(scenario())
    assert most > 1_000
    entries = apns.ask(lambda simulator: [entry.token for entry in simulator.post.entries])
    assert Counter(entries) == tokens(0, 1_500)


def test_a_stream_limit_that_shrinks_lets_what_is_open_finish_and_holds_the_rest(
    certificates: Certificates,
) -> None:
    log, open_later = Log(), list[int]()

    async def script(peer: Peer) -> None:
        counter = log.begun()
        await peer.begin({MAX_STREAMS: 6})
        streams = [await log.note(peer, counter) for _ in range(6)]
        peer.send(SettingsFrame(0, {MAX_STREAMS: 2}))
        for stream in streams:
            peer.answer(stream)
        waiting: list[int] = []
        while True:
            waiting.append(await log.note(peer, counter))
            if len(waiting) == 2:
                try:  # nothing more may come before an answer
                    waiting.append(await asyncio.wait_for(log.note(peer, counter), 0.1))
                except TimeoutError:
                    open_later.append(len(waiting))
                for stream in waiting:
                    peer.answer(stream)
                waiting.clear()

    play(certificates, push_ten, script, connections=1)
    assert log.arrived == [tokens(0, 10)]
    assert open_later == [2, 2]
