"""HTTP/2 frames as bytes (RFC 9113, sections 4 and 6): what a client of empty pushes writes and reads.

Pure: no sockets, no clock. :class:`FrameReader` is bounded (it never holds more than one frame and one header
block) and raises only :class:`FrameError`, whatever bytes it is fed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Final, NamedTuple

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    range(10)
)

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
HAS_PRIORITY: Final = 0x20

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = range(4)
FRAME_SIZE_ERROR: Final = 0x6
REFUSED_STREAM: Final = 0x7
CANCEL: Final = 0x8
COMPRESSION_ERROR: Final = 0x9
ENHANCE_YOUR_CALM: Final = 0xB

HEADER_TABLE_SIZE: Final = 0x1
ENABLE_PUSH: Final = 0x2
MAX_CONCURRENT_STREAMS: Final = 0x3
INITIAL_WINDOW_SIZE: Final = 0x4
MAX_HEADER_LIST_SIZE: Final = 0x6

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEADER_SIZE: Final = 9
MAX_FRAME_SIZE: Final = 16_384
"""What we accept in one frame: the protocol's default, which we never raise."""
MAX_HEADER_BLOCK: Final = 32_768
"""What we accept in one header block, over all its CONTINUATION frames. Apple's take about 60 bytes."""
MAX_CONTINUATIONS: Final = 16
DEFAULT_WINDOW: Final = 65_535
MAX_WINDOW: Final = 2**31 - 1
MAX_STREAM_ID: Final = 2**31 - 1

_HEAD: Final = Struct(">BHBBI")
_SETTING: Final = Struct(">HI")
_UINT32: Final = Struct(">I")
_UINT31_MASK: Final = 0x7FFF_FFFF


class FrameError(Exception):
    """The peer broke the protocol; the connection must end with GOAWAY ``code``."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Frame(NamedTuple):
    """One frame, padding and priority stripped, CONTINUATION frames joined to their HEADERS."""

    kind: int
    flags: int
    stream_id: int
    payload: bytes
    size: int
    """Bytes that count against flow control: the payload with its padding."""


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """One frame as bytes; ``payload`` is at most 2**24 - 1 long."""
    length = len(payload)
    return _HEAD.pack(length >> 16, length & 0xFFFF, kind, flags, stream_id) + payload


def settings(values: Mapping[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(name, value) for name, value in values.items()))


def window_update(stream_id: int, increment: int) -> bytes:
    """A WINDOW_UPDATE frame; stream 0 is the connection."""
    return frame(WINDOW_UPDATE, 0, stream_id, _UINT32.pack(increment))


def rst_stream(stream_id: int, code: int) -> bytes:
    """A RST_STREAM frame."""
    return frame(RST_STREAM, 0, stream_id, _UINT32.pack(code))


def goaway(last_stream_id: int, code: int, debug: bytes = b"") -> bytes:
    """A GOAWAY frame."""
    return frame(GOAWAY, 0, 0, _UINT32.pack(last_stream_id) + _UINT32.pack(code) + debug)


def read_settings(payload: bytes) -> list[tuple[int, int]]:
    """(identifier, value) pairs in the order sent; raises :class:`FrameError` for impossible values."""
    pairs: list[tuple[int, int]] = list(_SETTING.iter_unpack(payload))
    for name, value in pairs:
        if name == INITIAL_WINDOW_SIZE and value > MAX_WINDOW:
            raise FrameError(FLOW_CONTROL_ERROR, f"INITIAL_WINDOW_SIZE {value} is beyond 2**31 - 1")
    return pairs


def read_uint32(payload: bytes, at: int = 0) -> int:
    """An unsigned 32 bit number: RST_STREAM's code, GOAWAY's code at 4."""
    return int(_UINT32.unpack_from(payload, at)[0])


def read_uint31(payload: bytes, at: int = 0) -> int:
    """A 31 bit number with its reserved bit dropped: WINDOW_UPDATE's increment, GOAWAY's last stream."""
    return read_uint32(payload, at) & _UINT31_MASK


class FrameReader:
    """Cuts the peer's bytes into frames. After a :class:`FrameError` the reader is of no further use."""

    def __init__(self) -> None:
        self._rest = b""
        self._block: list[bytes] = []  # HEADERS and CONTINUATION payloads until END_HEADERS
        self._block_size = 0
        self._block_head: tuple[int, int] | None = None  # (flags, stream_id) of the open header block
        self._error: FrameError | None = None

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are complete now; those before a fault are yielded before it is raised."""
        if self._error is not None:
            raise self._error
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        try:
            while end - at >= FRAME_HEADER_SIZE:
                high, low, kind, flags, stream_id = _HEAD.unpack_from(data, at)
                size = (high << 16) | low
                if size > MAX_FRAME_SIZE:
                    raise FrameError(
                        FRAME_SIZE_ERROR, f"a frame of {size} bytes; {MAX_FRAME_SIZE} are allowed"
                    )
                stop = at + FRAME_HEADER_SIZE + size
                if stop > end:
                    break
                payload = data[at + FRAME_HEADER_SIZE : stop]
                at = stop
                complete = self._accept(kind, flags, stream_id & _UINT31_MASK, payload)
                if complete is not None:
                    yield complete
        except FrameError as error:
            self._error = error
            raise
        finally:
            self._rest = data[at:]

    def _accept(self, kind: int, flags: int, stream_id: int, payload: bytes) -> Frame | None:
        if self._block_head is not None or kind == CONTINUATION:
            return self._continue_block(kind, flags, stream_id, payload)
        size = len(payload)
        if kind in (HEADERS, DATA):
            if not stream_id & 1:
                raise FrameError(
                    PROTOCOL_ERROR, f"an answer on stream {stream_id}, which a client cannot open"
                )
            if flags & (PADDED | HAS_PRIORITY):
                payload = _stripped(kind, flags, payload)
            if kind == HEADERS and not flags & END_HEADERS:
                self._block, self._block_size = [payload], len(payload)
                self._block_head = (flags, stream_id)
                return None
            return Frame(kind, flags, stream_id, payload, size)
        if kind > CONTINUATION:
            return None  # unknown frames must be ignored (RFC 9113, 4.1)
        _check_shape(kind, flags, stream_id, size)
        return None if kind == PRIORITY else Frame(kind, flags, stream_id, payload, size)

    def _continue_block(self, kind: int, flags: int, stream_id: int, payload: bytes) -> Frame | None:
        head = self._block_head
        if head is None or kind != CONTINUATION or stream_id != head[1]:
            raise FrameError(PROTOCOL_ERROR, "CONTINUATION does not follow its HEADERS")
        self._block.append(payload)
        self._block_size += len(payload)
        if self._block_size > MAX_HEADER_BLOCK or len(self._block) > MAX_CONTINUATIONS:
            raise FrameError(ENHANCE_YOUR_CALM, f"a header block of more than {MAX_HEADER_BLOCK} bytes")
        if not flags & END_HEADERS:
            return None
        block, self._block, self._block_head = b"".join(self._block), [], None
        return Frame(HEADERS, head[0] | END_HEADERS, stream_id, block, len(block))


def _stripped(kind: int, flags: int, payload: bytes) -> bytes:
    """The payload of DATA or HEADERS without padding and priority."""
    start, end = 0, len(payload)
    if flags & PADDED:
        if not payload:
            raise FrameError(FRAME_SIZE_ERROR, "a padded frame without its padding length")
        start, end = 1, end - payload[0]
    if kind == HEADERS and flags & HAS_PRIORITY:
        start += 5
    if start > end:
        raise FrameError(PROTOCOL_ERROR, "the padding is longer than the frame")
    return payload[start:end]


_SIZES: Final = {PRIORITY: 5, RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}


def _check_shape(kind: int, flags: int, stream_id: int, size: int) -> None:
    if kind == PUSH_PROMISE:
        raise FrameError(PROTOCOL_ERROR, "PUSH_PROMISE, which we switched off")
    if kind in (SETTINGS, PING, GOAWAY) and stream_id:
        raise FrameError(PROTOCOL_ERROR, f"frame type {kind} on stream {stream_id}; it belongs to stream 0")
    if kind in (PRIORITY, RST_STREAM) and not stream_id:
        raise FrameError(PROTOCOL_ERROR, f"frame type {kind} on stream 0")
    if kind in _SIZES and size != _SIZES[kind]:
        raise FrameError(FRAME_SIZE_ERROR, f"frame type {kind} of {size} bytes")
    if kind == GOAWAY and size < 8:
        raise FrameError(FRAME_SIZE_ERROR, f"GOAWAY of {size} bytes")
    if kind == SETTINGS and (size % 6 or (flags & ACK and size)):
        raise FrameError(FRAME_SIZE_ERROR, f"SETTINGS of {size} bytes")
