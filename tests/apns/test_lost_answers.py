"""GOAWAY, RST_STREAM and lost connections: no push is lost, none is sent for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hyperframe.frame import (
    GoAwayFrame,
    HeadersFrame,
)

from app.apns.client import ApnsClient
from app.apns.faults import WireBroken
from app.apns.requests import Push
from app.apns.responses import PushResponse, Verdict
from tests.apns.conftest import HASTE, Certificates, push_token
from tests.apns.plays import good, one_push, play
from tests.apns.scripted import Peer, ScriptedServer


def test_goaway_lets_early_streams_finish_and_resends_the_others_elsewhere(
    certificates: Certificates,
) -> None:
    served: list[tuple[int, str]] = []

    async def first(peer: Peer) -> None:
        await peer.begin()
        requests = [await peer.request() for _ in range(10)]
        peer.goaway(requests[3].stream)
        await asyncio.sleep(0.1)
        for request in requests[:4]:
            served.append((1, request.headers[":path"]))
            peer.answer(request.stream)
        goodbye = await peer.until(GoAwayFrame)
        assert goodbye.error_code == 0

    async def second(peer: Peer) -> None:
        await peer.begin()
        while True:
            request = await peer.request()
            served.append((2, request.headers[":path"]))
            peer.answer(request.stream)

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        outcomes = await client.push_many([Push(push_token(number)) for number in range(10)])
        assert [isinstance(outcome, PushResponse) and outcome.status for outcome in outcomes] == [200] * 10
        assert server.connections == 2

    play(certificates, scenario, first, second)
    assert len({path for _, path in served}) == len(served) == 10
    assert [connection for connection, _ in served].count(1) == 4


def test_with_one_connection_allowed_a_draining_one_is_closed_before_the_next(
    certificates: Certificates,
) -> None:
    async def first(peer: Peer) -> None:
        await peer.begin()
        requests = [await peer.request() for _ in range(2)]
        peer.goaway(requests[0].stream)
        await peer.rest()  # the answer that was promised never comes

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        outcomes = await client.push_many([Push(push_token(number)) for number in range(2)])
        assert [isinstance(outcome, PushResponse) and outcome.status for outcome in outcomes] == [200, 200]
        assert server.connections == 2
        assert server.open_at_most == 1

    play(certificates, scenario, first, good, connections=1)


def test_goaway_in_place_of_settings_is_survived(certificates: Certificates) -> None:
    async def first(peer: Peer) -> None:
        peer.goaway(0)
        await peer.rest()

    assert play(certificates, one_push, first, good).status == 200


def test_a_server_that_only_ever_sends_goaway_is_not_hammered(certificates: Certificates) -> None:
    async def always(peer: Peer) -> None:
        peer.goaway(0, code=11, reason="TooManyConnections")
        await peer.rest()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> int:
        with pytest.raises(WireBroken, match=r"GOAWAY \(TooManyConnections\)") as caught:
            await client.push(push_token(1))
        assert not caught.value.maybe_accepted
        return server.connections

    patience = replace(HASTE, connect_attempts=1000)
    assert play(certificates, scenario, always, push_timeout=1.5, patience=patience) <= 5


@pytest.mark.parametrize(("code", "maybe_accepted"), [(7, False), (2, True), (11, True)])
def test_a_reset_stream_is_tried_again_a_bounded_number_of_times(
    certificates: Certificates, code: int, maybe_accepted: bool
) -> None:
    seen: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.begin()
        while True:
            seen.append((await peer.request()).stream)
            peer.reset(seen[-1], code)

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        with pytest.raises(WireBroken, match="reset") as caught:
            await client.push(push_token(1))
        assert caught.value.maybe_accepted is maybe_accepted
        assert client.in_flight == client.waiting == 0

    play(certificates, scenario, script)
    assert len(seen) == 5


def test_a_reset_stream_is_answered_at_the_second_try(certificates: Certificates) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        peer.reset((await peer.request()).stream, 7)
        await peer.answer_everything()

    assert play(certificates, one_push, script).status == 200


def test_an_answer_that_stops_half_way_is_no_answer(certificates: Certificates) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        stream = (await peer.request()).stream
        peer.send(HeadersFrame(stream, peer.block(503), flags=["END_HEADERS"]))
        peer.reset(stream, 2)
        await peer.answer_everything()

    assert play(certificates, one_push, script).status == 200


def test_a_connection_lost_in_mid_flight_is_made_good_on_another(certificates: Certificates) -> None:
    async def first(peer: Peer) -> None:
        await peer.begin()
        for _ in range(20):
            await peer.request()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        outcomes = await client.push_many([Push(push_token(number)) for number in range(20)])
        assert all(isinstance(outcome, PushResponse) for outcome in outcomes)

    play(certificates, scenario, first, good)


def test_a_connection_that_is_always_lost_says_that_the_push_may_have_been_taken(
    certificates: Certificates,
) -> None:
    async def always(peer: Peer) -> None:
        await peer.begin()
        await peer.request()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        with pytest.raises(WireBroken) as caught:
            await client.push(push_token(1))
        assert caught.value.maybe_accepted

    play(certificates, scenario, always)


def test_shutdown_sends_later_pushes_to_another_connection(certificates: Certificates) -> None:
    async def first(peer: Peer) -> None:
        await peer.begin()
        peer.answer((await peer.request()).stream, 503, b'{"reason":"Shutdown"}', retry_after="3")
        await peer.rest()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        answer = await client.push(push_token(1))
        assert (answer.reason, answer.verdict) == ("Shutdown", Verdict.RETRY)
        assert answer.retry_after is not None
        assert (await client.push(push_token(2))).status == 200
        assert server.connections == 2

    play(certificates, scenario, first, good)
