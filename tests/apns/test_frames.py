from __future__ import annotations

import itertools

import pytest
from hyperframe.frame import ContinuationFrame, DataFrame, HeadersFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from app.apns import frames
from app.apns.frames import Frame, FrameError, FrameReader

OPEN_BLOCK = frames.frame(frames.HEADERS, 0, 1)


def read_all(chunks: list[bytes]) -> tuple[list[Frame], int | None]:
    """Frames, and the code of the fault that ended them."""
    reader, found = FrameReader(), []
    for chunk in chunks:
        try:
            for frame in reader.feed(chunk):
                found.append(frame)
        except FrameError as error:
            return found, error.code
    return found, None


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(place, len(data)) for place in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


raw_frames = st.builds(
    frames.frame,
    st.integers(0, 12),
    st.integers(0, 255),
    st.sampled_from([0, 1, 1, 2, 3, 2**31 - 1, 2**31 + 1, 2**32 - 1]),
    st.binary(max_size=40),
)
streams_of_bytes = st.one_of(st.binary(max_size=400), st.lists(raw_frames, max_size=12).map(b"".join))


@settings(deadline=None)
@given(streams_of_bytes, st.lists(st.integers(0, 500), max_size=8))
def test_any_bytes_in_any_pieces_give_the_same_frames_or_the_same_fault(data: bytes, cuts: list[int]) -> None:
    assert read_all(cut(data, cuts)) == read_all([data])


@settings(deadline=None)
@given(streams_of_bytes)
def test_a_reader_never_keeps_more_than_one_frame_and_one_header_block(data: bytes) -> None:
    reader = FrameReader()
    try:
        list(reader.feed(data))
    except FrameError:
        return
    assert len(reader._rest) < frames.FRAME_HEADER_SIZE + frames.MAX_FRAME_SIZE
    assert reader._block_size <= frames.MAX_HEADER_BLOCK


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 200), st.booleans())
def test_padding_and_priority_are_stripped_and_padding_counts_for_flow_control(
    payload: bytes, padding: int, with_priority: bool
) -> None:
    data = DataFrame(1, payload, flags=["PADDED", "END_STREAM"], pad_length=padding)
    head = HeadersFrame(1, payload, flags=["PADDED", "END_HEADERS"], pad_length=padding)
    if with_priority:
        head.flags.add("PRIORITY")
        head.depends_on, head.stream_weight = 3, 7
    found, fault = read_all([data.serialize() + head.serialize()])
    assert fault is None
    assert [frame.payload for frame in found] == [payload, payload]
    assert found[0].size == len(payload) + padding + 1


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=300), st.lists(st.integers(0, 300), max_size=10))
def test_a_header_block_in_continuations_is_joined(block: bytes, cuts: list[int]) -> None:
    first, *rest = cut(block, cuts)
    sent = HeadersFrame(5, first, flags=[] if rest else ["END_HEADERS"]).serialize()
    for number, part in enumerate(rest, 1):
        sent += ContinuationFrame(5, part, flags=["END_HEADERS"] if number == len(rest) else []).serialize()
    found, fault = read_all([sent])
    assert fault is None
    assert [(frame.kind, frame.stream_id, frame.payload) for frame in found] == [(frames.HEADERS, 5, block)]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", frames.FRAME_SIZE_ERROR),
        (frames.frame(frames.DATA, 0, 1, b"x" * 16_385), frames.FRAME_SIZE_ERROR),
        (frames.frame(frames.PING, 0, 0, b"short"), frames.FRAME_SIZE_ERROR),
        (frames.frame(frames.PING, 0, 1, b"12345678"), frames.PROTOCOL_ERROR),
        (frames.frame(frames.SETTINGS, 0, 0, b"12345"), frames.FRAME_SIZE_ERROR),
        (frames.frame(frames.SETTINGS, frames.ACK, 0, b"123456"), frames.FRAME_SIZE_ERROR),
        (frames.frame(frames.SETTINGS, 0, 3), frames.PROTOCOL_ERROR),
        (frames.frame(frames.GOAWAY, 0, 0, b"1234567"), frames.FRAME_SIZE_ERROR),
        (frames.frame(frames.RST_STREAM, 0, 0, b"1234"), frames.PROTOCOL_ERROR),
        (frames.frame(frames.WINDOW_UPDATE, 0, 0, b"123"), frames.FRAME_SIZE_ERROR),
        (frames.frame(frames.PUSH_PROMISE, 4, 1, b"1234"), frames.PROTOCOL_ERROR),
        (frames.frame(frames.HEADERS, 4, 2, b""), frames.PROTOCOL_ERROR),
        (frames.frame(frames.HEADERS, 4, 0, b""), frames.PROTOCOL_ERROR),
        (frames.frame(frames.CONTINUATION, 4, 1, b""), frames.PROTOCOL_ERROR),
        (OPEN_BLOCK + frames.frame(frames.PING, 0, 0, b"12345678"), frames.PROTOCOL_ERROR),
        (OPEN_BLOCK + frames.frame(frames.CONTINUATION, 4, 3), frames.PROTOCOL_ERROR),
        (OPEN_BLOCK + frames.frame(11, 0, 0), frames.PROTOCOL_ERROR),
        (frames.frame(frames.DATA, frames.PADDED, 1, b""), frames.FRAME_SIZE_ERROR),
        (frames.frame(frames.DATA, frames.PADDED, 1, b"\x05abc"), frames.PROTOCOL_ERROR),
        (OPEN_BLOCK + frames.frame(frames.CONTINUATION, 0, 1) * 16, frames.ENHANCE_YOUR_CALM),
        (
            frames.frame(frames.HEADERS, 0, 1, b"x" * 16_384)
            + frames.frame(frames.CONTINUATION, 0, 1, b"x" * 16_384)
            + frames.frame(frames.CONTINUATION, 4, 1, b"x"),
            frames.ENHANCE_YOUR_CALM,
        ),
    ],
)  # fmt: skip
def test_what_breaks_the_protocol_is_named_by_its_code(sent: bytes, code: int) -> None:
    assert read_all([sent]) == ([], code)


def test_unknown_frames_and_priorities_are_ignored() -> None:
    sent = frames.frame(42, 7, 9, b"grease") + frames.frame(frames.PRIORITY, 0, 3, b"12345")
    found, fault = read_all([sent + frames.frame(frames.PING, 0, 0, b"12345678")])
    assert fault is None
    assert [frame.kind for frame in found] == [frames.PING]


def test_a_reader_that_found_a_fault_stays_with_it() -> None:
    reader = FrameReader()
    with pytest.raises(FrameError):
        list(reader.feed(frames.frame(frames.PUSH_PROMISE, 4, 1)))
    with pytest.raises(FrameError):
        list(reader.feed(frames.frame(frames.PING, 0, 0, b"12345678")))


def test_an_impossible_window_in_settings_is_a_flow_control_fault() -> None:
    with pytest.raises(FrameError) as caught:
        frames.read_settings(b"\x00\x04\x80\x00\x00\x00")
    assert caught.value.code == frames.FLOW_CONTROL_ERROR
