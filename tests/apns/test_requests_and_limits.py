"""What goes over the wire, and how much of it at once: frame by frame against a scripted server."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import replace

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)

from app.apns import frames
from app.apns.client import ApnsClient
from app.apns.faults import WireBroken
from app.apns.requests import Push
from app.apns.responses import PushResponse, Verdict
from tests.apns.conftest import HASTE, Certificates, push_token
from tests.apns.plays import one_push, play
from tests.apns.scripted import Peer, ScriptedServer

MAX_STREAMS, WINDOW, TABLE_SIZE = 3, 4, 1


def test_a_push_is_the_request_that_apple_describes(certificates: Certificates) -> None:
    identifier = str(uuid.uuid4())

    async def script(peer: Peer) -> None:
        await peer.begin()
        for number in range(2):
            request = await peer.request()
            assert request.body == b"{}"
            assert request.headers[":method"] == "POST"
            assert request.headers[":path"] == f"/3/device/{push_token(number)}"
            assert request.headers["apns-topic"] == "pass.example.kofe"
            assert request.headers["apns-priority"] == "10"
            assert request.headers["apns-expiration"] == "1800000000"
            assert request.headers["apns-id"] == identifier
            assert "apns-push-type" not in request.headers
            peer.answer(request.stream, apns_id=identifier)

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        for number in range(2):
            answer = await client.push(push_token(number), apns_id=identifier, expiration=1_800_000_000)
            assert answer == PushResponse(200, "", identifier, None, None, Verdict.ACCEPTED, breaker=False)

    play(certificates, scenario, script)


def test_padding_continuations_unknown_frames_and_1xx_do_not_disturb(certificates: Certificates) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        stream = (await peer.request()).stream
        early = HeadersFrame(stream, peer.block(103), flags=["END_HEADERS"])
        block = peer.block(410, apns_id="x")
        head = HeadersFrame(stream, block[:2], flags=["PADDED", "PRIORITY"], pad_length=9)
        body = json.dumps({"reason": "Unregistered", "timestamp": 1_700_000_000_000}).encode()
        peer.writer.write(frames.frame(0xAA, 7, 0, b"grease"))
        peer.send(
            early,
            head,
            ContinuationFrame(stream, block[2:], flags=["END_HEADERS"]),
            DataFrame(stream, body[:10], flags=["PADDED"], pad_length=200),
            DataFrame(stream, body[10:], flags=["END_STREAM"]),
        )
        await peer.rest()

    answer = play(certificates, one_push, script)
    assert (answer.status, answer.reason, answer.verdict) == (410, "Unregistered", Verdict.GONE)
    assert answer.timestamp is not None


def test_a_ping_is_answered_with_its_own_bytes(certificates: Certificates) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        stream = (await peer.request()).stream
        peer.ping(b"12345678")
        answered = await peer.until(PingFrame)
        assert "ACK" in answered.flags
        assert answered.opaque_data == b"12345678"
        peer.answer(stream)
        await peer.rest()

    assert play(certificates, one_push, script).status == 200


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_streams_are_opened_than_announced_also_when_that_changes(
    certificates: Certificates, limit: int
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin({MAX_STREAMS: limit})
        allowed, waiting, served = limit, [], 0
        while True:
            try:
                async with asyncio.timeout(0.05):
                    waiting.append((await peer.request()).stream)
                assert len(waiting) <= allowed
            except TimeoutError:  # the client has filled what it may
                for stream in waiting:
                    peer.answer(stream)
                served += len(waiting)
                waiting = []
                if served >= 6 and allowed == limit:
                    allowed = 10
                    peer.send(SettingsFrame(0, {MAX_STREAMS: allowed}))

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        outcomes = await client.push_many([Push(push_token(number)) for number in range(30)])
        assert {outcome.status for outcome in outcomes if isinstance(outcome, PushResponse)} == {200}

    play(certificates, scenario, script, connections=1)


def test_a_server_that_allows_no_stream_for_a_while_is_waited_for(certificates: Certificates) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin({MAX_STREAMS: 0})
        await asyncio.sleep(0.3)
        peer.send(SettingsFrame(0, {MAX_STREAMS: 5}))
        await peer.answer_everything()

    assert play(certificates, one_push, script, connections=1).status == 200


@pytest.mark.parametrize("by_settings", [True, False])
def test_a_body_waits_for_its_window(certificates: Certificates, by_settings: bool) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin({WINDOW: 1})
        request = await peer.request(with_body=False)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await peer.until(DataFrame)
        if by_settings:
            peer.send(SettingsFrame(0, {WINDOW: 100}))
        else:
            peer.widen(request.stream, 1)
        assert (await peer.until(DataFrame)).data == b"{}"
        peer.answer(request.stream)
        await peer.rest()

    assert play(certificates, one_push, script).status == 200


@pytest.mark.parametrize("size", [0, 50, 200, 65_536])
def test_the_server_chooses_its_header_table(certificates: Certificates, size: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin({TABLE_SIZE: size})
        peer.decoder.max_allowed_table_size = size
        await peer.answer_everything()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        assert {(await client.push(push_token(number))).status for number in range(3)} == {200}

    play(certificates, scenario, script)


def test_an_endless_error_body_is_cut_and_the_status_counts(certificates: Certificates) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        stream = (await peer.request()).stream
        peer.send(HeadersFrame(stream, peer.block(400), flags=["END_HEADERS"]))
        peer.send(*(DataFrame(stream, b"x" * 8_000) for _ in range(3)))
        assert (await peer.until(RstStreamFrame)).error_code == 8
        await peer.rest()

    answer = play(certificates, one_push, script)
    assert (answer.status, answer.reason, answer.verdict) == (400, "", Verdict.REFUSED)


def test_an_overfull_queue_says_so_at_once(certificates: Certificates) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.answer_everything()

    async def scenario(client: ApnsClient, server: ScriptedServer) -> None:
        outcomes = await client.push_many([Push(push_token(number)) for number in range(12)])
        refused = [outcome for outcome in outcomes if isinstance(outcome, WireBroken)]
        assert len(refused) == 2
        assert all("wait" in str(fault) and not fault.maybe_accepted for fault in refused)

    play(certificates, scenario, script, patience=replace(HASTE, queue_limit=10))
