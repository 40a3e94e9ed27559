"""The windows of a connection, without a socket: too many pushes to wait for."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.apns import frames
from app.apns.exchange import Batch, Exchange
from app.apns.faults import WireBroken
from app.apns.frames import Frame, FrameError
from app.apns.requests import Push, RequestEncoder
from app.apns.responses import PushResponse
from app.apns.streams import Streams


class Ledger:
    """Writes down what became of pushes."""

    def __init__(self) -> None:
        self.answers: list[PushResponse] = []
        self.faults: list[tuple[WireBroken, bool]] = []

    def answered(self, exchange: Exchange, response: PushResponse) -> None:
        self.answers.append(response)

    def returned(self, exchange: Exchange, fault: WireBroken, *, maybe_accepted: bool, reset: bool) -> None:
        self.faults.append((fault, maybe_accepted))


def make(ledger: Ledger, written: list[bytes]) -> Streams:
    encoder = RequestEncoder(authority="127.0.0.1", topic="pass.example.kofe")
    return Streams(ledger, written.append, address="127.0.0.1:443", encoder=encoder)


def exchange() -> Exchange:
    loop = asyncio.new_event_loop()
    batch = Batch(1, loop.create_future())
    loop.close()
    return Exchange(Push("ab"), b"/3/device/ab", 0, 0.0, batch, 0)


def test_the_connection_window_is_never_overdrawn() -> None:
    ledger, written = Ledger(), list[bytes]()
    streams, push = make(ledger, written), exchange()
    streams.limit = 2**31
    for _ in range(streams.room):
        streams.send(push)
    assert streams.room == 0
    assert len(streams) == frames.DEFAULT_WINDOW // 2
    streams.receive_window(Frame(frames.WINDOW_UPDATE, 0, 0, (3).to_bytes(4), 4))
    streams.receive_headers(Frame(frames.HEADERS, 5, 1, b"\x88", 1))
    after_an_update = streams.room
    assert after_an_update == 2  # one byte was left over, and the answer gave none back


def test_a_window_that_grows_beyond_its_type_is_a_flow_control_fault() -> None:
    streams = make(Ledger(), [])
    with pytest.raises(FrameError) as caught:
        streams.receive_window(Frame(frames.WINDOW_UPDATE, 0, 0, frames.MAX_WINDOW.to_bytes(4), 4))
    assert caught.value.code == frames.FLOW_CONTROL_ERROR
    with pytest.raises(FrameError) as caught:
        streams.receive_window(Frame(frames.WINDOW_UPDATE, 0, 0, bytes(4), 4))
    assert caught.value.code == frames.PROTOCOL_ERROR


def test_a_body_that_was_never_sent_gives_its_window_back() -> None:
    ledger, written = Ledger(), list[bytes]()
    streams = make(ledger, written)
    streams.limit = 2**31
    before = streams.room
    streams.receive_settings(Frame(frames.SETTINGS, 0, 0, b"\x00\x04\x00\x00\x00\x00", 6))
    streams.send(exchange())
    assert streams.room == before - 1
    streams.receive_reset(Frame(frames.RST_STREAM, 0, 1, (7).to_bytes(4), 4))
    assert streams.room == before
    assert [maybe_accepted for _, maybe_accepted in ledger.faults] == [False]


def test_what_we_receive_is_acknowledged_before_the_window_is_empty() -> None:
    ledger, written = Ledger(), list[bytes]()
    streams = make(ledger, written)
    streams.send(exchange())
    streams.receive_headers(Frame(frames.HEADERS, 4, 1, b"\x48\x03400", 5))
    streams.receive_data(Frame(frames.DATA, 0, 1, b"", 600_000))  # padding counts too
    assert written[-1] == frames.window_update(0, 600_000)


def test_numbers_of_streams_come_to_an_end() -> None:
    streams = make(Ledger(), [])
    assert not streams.exhausted
    streams._next = frames.MAX_STREAM_ID
    left = streams.room
    assert left == 1
    streams.send(exchange())
    assert streams.exhausted
    assert streams.room == left - 1


SETTING = st.binary(min_size=6, max_size=6) | st.sampled_from([b"\0\3\0\0\0\2", b"\0\4\0\0\0\1"])
answers = st.builds(
    Frame,
    st.just(frames.HEADERS),
    st.sampled_from([frames.END_HEADERS, frames.END_HEADERS | frames.END_STREAM]),
    st.sampled_from([1, 3, 5, 7]),
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from([b"\x88", b"\x8d", b"\x48\x03103", b"\x48\x03999", b"\x48\x04-200"]),
        st.sampled_from([b"\x20", b"\x3f\xe1\x1f", b"\x3f\xe1\x1f\x88"]),
    ),
    st.just(0),
)
others = st.one_of(
    st.builds(
        Frame, st.just(frames.DATA), st.sampled_from([0, 1]), st.sampled_from([1, 3, 9]), st.binary(),
        st.just(9),
    ),
    st.builds(
        Frame, st.just(frames.RST_STREAM), st.just(0), st.sampled_from([1, 3, 9]),
        st.binary(min_size=4, max_size=4), st.just(4),
    ),
    st.builds(
        Frame, st.just(frames.WINDOW_UPDATE), st.just(0), st.sampled_from([0, 1, 3]),
        st.binary(min_size=4, max_size=4), st.just(4),
    ),
    st.builds(
        Frame, st.just(frames.SETTINGS), st.just(0), st.just(0),
        st.lists(SETTING, max_size=3).map(b"".join),
        st.just(6),
    ),
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(answers, others), max_size=10))
def test_whatever_a_server_sends_every_push_has_one_outcome_or_is_still_open(received: list[Frame]) -> None:
    ledger, written = Ledger(), list[bytes]()
    streams = make(ledger, written)
    for _ in range(3):
        streams.send(exchange())
    handlers = {
        frames.HEADERS: streams.receive_headers,
        frames.DATA: streams.receive_data,
        frames.RST_STREAM: streams.receive_reset,
        frames.WINDOW_UPDATE: streams.receive_window,
        frames.SETTINGS: streams.receive_settings,
    }
    try:
        for frame in received:
            handlers[frame.kind](frame)
    except FrameError:
        pass
    assert len(streams) + len(ledger.answers) + len(ledger.faults) == 3
    assert len(streams.take_back()) + len(ledger.answers) + len(ledger.faults) == 3
