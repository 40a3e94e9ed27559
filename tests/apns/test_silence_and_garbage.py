"""Servers that say nothing, or nonsense: no push hangs."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from app.apns import frames
from app.apns.client import ApnsClient
from app.apns.faults import WireBroken
from app.apns.requests import Push
from tests.apns.conftest import HASTE, Certificates, push_token
from tests.apns.plays import good, one_push, play
from tests.apns.scripted import Peer, ScriptedServer

MAX_STREAMS = 3


def test_a_silent_connection_is_asked_left_and_replaced(certificates: Certificates) -> None:
    asked: list[bytes] = []

    async def first(peer: Peer) -> None:
        await peer.begin()
        await peer.request()
        asked.append((await peer.until(PingFrame)).opaque_data)
        await peer.rest()

    assert play(certificates, one_push, first, good).status == 200
    assert asked


def test_a_push_without_an_answer_ends_at_its_deadline_and_frees_its_stream(
    certificates: Certificates,
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin({MAX_STREAMS: 1})
        stream = (await peer.request()).stream
        peer.answers_pings = True  # alive, but without an answer
        given_up = await peer.until(RstStreamFrame)
        assert (given_up.stream_id, given_up.error_code) == (stream, 8)
        await peer.answer_everything()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        with pytest.raises(WireBroken, match="did not answer in 1 s") as caught:
            await client.push(push_token(1))
        assert caught.value.maybe_accepted
        assert client.in_flight == 0
        assert (await client.push(push_token(2))).status == 200
        assert server.connections == 1

    play(certificates, scenario, script, connections=1, push_timeout=1.0)


def test_a_caller_who_leaves_frees_the_stream(certificates: Certificates) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin({MAX_STREAMS: 1})
        await peer.request()
        await peer.until(RstStreamFrame)
        await peer.answer_everything()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.push(push_token(1)), 0.2)
        assert (await client.push(push_token(2))).status == 200
        assert server.connections == 1

    play(certificates, scenario, script, connections=1)


def test_an_idle_connection_is_asked_before_it_is_used(certificates: Certificates) -> None:
    kinds: list[list[str]] = []

    async def dies_silently(peer: Peer) -> None:
        await peer.begin()
        peer.answer((await peer.request()).stream)
        before = len(peer.seen)
        try:
            await peer.rest()
        finally:
            kinds.append([type(frame).__name__ for frame in peer.seen[before:]])

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        assert (await client.push(push_token(1))).status == 200
        await asyncio.sleep(0.2)
        assert (await client.push(push_token(2))).status == 200
        assert server.connections == 2

    play(certificates, scenario, dies_silently, good, patience=replace(HASTE, idle_after=0.1))
    assert "PingFrame" in kinds[0]
    assert "HeadersFrame" not in kinds[0]


def test_an_idle_connection_that_lives_is_used_again(certificates: Certificates) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        peer.answer((await peer.request()).stream)
        peer.ping((await peer.until(PingFrame)).opaque_data, ack=True)
        await peer.answer_everything()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        assert (await client.push(push_token(1))).status == 200
        await asyncio.sleep(0.2)
        assert (await client.push(push_token(2))).status == 200
        assert server.connections == 1

    play(certificates, scenario, script, patience=replace(HASTE, idle_after=0.1))


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        PingFrame(0, b"12345678").serialize(),
        SettingsFrame(0).serialize()
        + HeadersFrame(1, b"\xff\xff\xff\xff", flags=["END_HEADERS"]).serialize(),
        SettingsFrame(0).serialize() + HeadersFrame(9, b"\x88", flags=["END_HEADERS"]).serialize(),
        SettingsFrame(0).serialize() + DataFrame(1, b"x" * 16_385).serialize(),
    ],
    ids=["HTTP/1.1", "PING first", "bad header block", "stream never opened", "oversize frame"],
)
def test_garbage_ends_the_connection_with_goaway_and_a_word(certificates: Certificates, sent: bytes) -> None:
    codes: list[int] = []

    async def garbage(peer: Peer) -> None:
        peer.writer.write(sent)
        codes.append((await peer.until_goaway()).error_code)

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        with pytest.raises(WireBroken, match="broke the HTTP/2 protocol"):
            await client.push(push_token(1))

    play(certificates, scenario, garbage)
    assert all(codes)
    assert codes


def test_a_flood_of_continuations_ends_the_connection(certificates: Certificates) -> None:
    async def flood(peer: Peer) -> None:
        await peer.begin()
        stream = (await peer.request()).stream
        peer.send(HeadersFrame(stream, b""))
        for _ in range(1_000):
            peer.send(ContinuationFrame(stream, b""))
        assert (await peer.until(GoAwayFrame)).error_code == 11

    assert play(certificates, one_push, flood, good).status == 200


def test_a_server_that_never_begins_is_given_up(certificates: Certificates) -> None:
    async def mute(peer: Peer) -> None:
        await peer.reader.read()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        with pytest.raises(WireBroken, match="in time while connecting"):
            await client.push(push_token(1))

    play(certificates, scenario, mute, patience=replace(HASTE, connect_timeout=0.3, connect_attempts=1))


def test_closing_ends_what_is_under_way(certificates: Certificates) -> None:
    arrived = asyncio.Event()

    async def mute(peer: Peer) -> None:
        await peer.begin()
        await peer.request()
        arrived.set()
        await peer.rest()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        under_way = asyncio.ensure_future(client.push_many([Push(push_token(number)) for number in range(3)]))
        await arrived.wait()
        await client.close()
        outcomes = await under_way
        assert all(isinstance(outcome, WireBroken) and outcome.maybe_accepted for outcome in outcomes)
        with pytest.raises(WireBroken, match="closed"):
            await client.push(push_token(1))

    play(certificates, scenario, mute)


@settings(deadline=None, max_examples=25)
@given(
    garbage=st.lists(
        st.builds(
            frames.frame,
            st.integers(0, 10),
            st.integers(0, 255),
            st.sampled_from([0, 1, 3]),
            st.binary(max_size=20),
        ),
        max_size=8,
    ).map(b"".join)
    | st.binary(max_size=100)
)
def test_no_garbage_keeps_a_push_from_its_outcome(certificates: Certificates, garbage: bytes) -> None:
    unhandled: list[object] = []

    async def babbles(peer: Peer) -> None:
        await peer.begin()
        await peer.request()
        peer.writer.write(garbage)
        await peer.writer.drain()
        peer.writer.close()
        await peer.rest()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
        await client.push(push_token(1))
        assert client.in_flight == client.waiting == 0

    play(certificates, scenario, babbles, good)
    assert unhandled == []
