"""The two HTTP/2 wires of the push simulator: the strict one, and the quick one for load.

:class:`StrictWire` is the h2 library: it holds a sender to every rule of RFC 9113. It costs three times what
:class:`QuickWire` does, so that a benchmark would measure it and not the sender. The quick one frames by hand
over hpack and checks only what it needs; whatever is about correctness runs on the strict one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import hpack
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_WINDOW = 1 << 24
_FRAME_LIMIT = 16_384
_HEADER_LIST_LIMIT = 8000
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _CONTINUATION = 0, 1, 3, 4, 6, 7, 9
_END_STREAM, _END_HEADERS, _PADDED, _PRIORITY, _ACK = 0x1, 0x4, 0x8, 0x20, 0x1

Headers = list[tuple[bytes, bytes]]


class WireError(Exception):
    """The sender broke the protocol; the connection is over."""


@dataclass(slots=True)
class Request:
    """One request, complete once it is handed out."""

    stream: int
    headers: Headers
    body: bytes = b""


class Wire(Protocol):
    """What a connection needs from HTTP/2."""

    highest_stream: int
    ended: bool  # the sender said GOAWAY

    def open(self, streams: int) -> None:
        """Send SETTINGS with the number of streams allowed at a time."""

    def receive(self, data: bytes) -> Iterator[Request]:
        """The requests that ``data`` completes; raises WireError."""

    def answer(self, stream: int, headers: Headers, body: bytes) -> None:
        """Answer and end the stream; an ended stream is passed over in silence."""

    def refuse(self, stream: int) -> None:
        """RST_STREAM(REFUSED_STREAM)."""

    def allow(self, streams: int) -> None:
        """Change the number of streams allowed at a time."""

    def output(self) -> bytes:
        """What must be written now."""


class StrictWire:
    """The h2 library."""

    def __init__(self) -> None:
        config = h2.config.H2Configuration(
            client_side=False,
            header_encoding=None,
            # Senders are held to the protocol; our own answers need no second look.
            normalize_inbound_headers=False,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self._h2 = h2.connection.H2Connection(config=config)
        self._requests: dict[int, Request] = {}
        self.highest_stream = 0
        self.ended = False

    def open(self, streams: int) -> None:
        """See :class:`Wire`."""
        self._h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: streams,
                SettingCodes.MAX_HEADER_LIST_SIZE: _HEADER_LIST_LIMIT,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW)

    def receive(self, data: bytes) -> Iterator[Request]:
        """See :class:`Wire`."""
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            raise WireError(f"{type(error).__name__}: {error}") from error
        for event in events:
            match event:
                case h2.events.RequestReceived():
                    self.highest_stream = event.stream_id
                    self._requests[event.stream_id] = Request(event.stream_id, event.headers)
                case h2.events.DataReceived():
                    if request := self._requests.get(event.stream_id):
                        request.body += event.data
                    if event.flow_controlled_length:
                        self._h2.increment_flow_control_window(event.flow_controlled_length)
                case h2.events.StreamEnded():
                    if request := self._requests.pop(event.stream_id, None):
                        yield request
                case h2.events.StreamReset():
                    self._requests.pop(event.stream_id, None)
                case h2.events.ConnectionTerminated():
                    self.ended = True
                case _:
                    pass

    def answer(self, stream: int, headers: Headers, body: bytes) -> None:
        """See :class:`Wire`."""
        try:
            self._h2.send_headers(stream, headers, end_stream=not body)
            if body:
                self._h2.send_data(stream, body, end_stream=True)
        except h2.exceptions.StreamClosedError:
            pass  # the sender gave up on it meanwhile

    def refuse(self, stream: int) -> None:
        """See :class:`Wire`."""
        self._h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)

    def allow(self, streams: int) -> None:
        """See :class:`Wire`."""
        self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: streams})

    def output(self) -> bytes:
        """See :class:`Wire`."""
        return self._h2.data_to_send()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return b"%s%c%c%s%s" % (len(payload).to_bytes(3, "big"), kind, flags, stream.to_bytes(4, "big"), payload)


def _setting(code: int, value: int) -> bytes:
    return code.to_bytes(2, "big") + value.to_bytes(4, "big")


@dataclass(slots=True)
class QuickWire:
    """Frames by hand: RFC 9113 as far as a sender of small requests makes use of it."""

    highest_stream: int = 0
    ended: bool = False
    _buffer: bytearray = field(default_factory=bytearray)
    _output: list[bytes] = field(default_factory=list)
    _requests: dict[int, Request] = field(default_factory=dict)
    _decoder: hpack.Decoder = field(default_factory=hpack.Decoder)
    _block: bytearray | None = None  # a header block that goes on in CONTINUATION
    _block_flags: int = 0
    _greeted: bool = False
    _credit: int = 0

    def open(self, streams: int) -> None:
        """See :class:`Wire`."""
        settings = _setting(SettingCodes.MAX_CONCURRENT_STREAMS, streams)
        self._output.append(_frame(_SETTINGS, 0, 0, settings))
        self._output.append(_frame(8, 0, 0, _WINDOW.to_bytes(4, "big")))

    def receive(self, data: bytes) -> Iterator[Request]:
        """See :class:`Wire`."""
        buffer = self._buffer
        buffer += data
        if not self._greeted:
            if len(buffer) < len(_PREFACE):
                return
            if not buffer.startswith(_PREFACE):
                raise WireError("no HTTP/2 preface")
            del buffer[: len(_PREFACE)]
            self._greeted = True
        view, position = bytes(buffer), 0
        while len(view) - position >= 9:
            length = int.from_bytes(view[position : position + 3], "big")
            if length > _FRAME_LIMIT:
                raise WireError("FRAME_SIZE_ERROR")
            end = position + 9 + length
            if end > len(view):
                break
            kind, flags = view[position + 3], view[position + 4]
            stream = int.from_bytes(view[position + 5 : position + 9], "big") & 0x7FFFFFFF
            request = self._take(kind, flags, stream, view[position + 9 : end])
            position = end
            if request is not None:
                yield request
        del buffer[:position]
        if self._credit > _WINDOW // 2:
            self._output.append(_frame(8, 0, 0, self._credit.to_bytes(4, "big")))
            self._credit = 0

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> Request | None:
        if self._block is not None and kind != _CONTINUATION:
            raise WireError("a header block was interrupted")
        if kind == _HEADERS:
            return self._open_stream(stream, flags, payload)
        if kind == _CONTINUATION:
            if self._block is None or stream != self.highest_stream:
                raise WireError("CONTINUATION of nothing")
            payload, flags = bytes(self._block) + payload, self._block_flags | flags
            return self._headers(stream, flags, payload)
        if kind == _DATA:
            return self._data(stream, flags, payload)
        if kind == _SETTINGS:
            if not flags & _ACK:
                self._output.append(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            self._output.append(_frame(_PING, _ACK, 0, payload))
        elif kind == _RESET:
            self._requests.pop(stream, None)
        elif kind == _GOAWAY:
            self.ended = True
        return None

    def _open_stream(self, stream: int, flags: int, payload: bytes) -> Request | None:
        if stream % 2 == 0 or stream <= self.highest_stream:
            raise WireError(f"stream {stream} cannot be opened now")
        self.highest_stream = stream
        if flags & _PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        return self._headers(stream, flags, payload[5:] if flags & _PRIORITY else payload)

    def _headers(self, stream: int, flags: int, block: bytes) -> Request | None:
        if not flags & _END_HEADERS:
            self._block, self._block_flags = bytearray(block), flags
            return None
        self._block = None
        try:
            headers: Headers = [tuple(header) for header in self._decoder.decode(block, raw=True)]  # type: ignore[misc]
        except hpack.HPACKError as error:
            raise WireError(str(error)) from error
        request = Request(stream, headers)
        if flags & _END_STREAM:
            return request
        self._requests[stream] = request
        return None

    def _data(self, stream: int, flags: int, payload: bytes) -> Request | None:
        self._credit += len(payload)
        if flags & _PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        request = self._requests.get(stream)
        if request is None:
            return None
        request.body += payload
        return self._requests.pop(stream) if flags & _END_STREAM else None

    def answer(self, stream: int, headers: Headers, body: bytes) -> None:
        """See :class:`Wire`."""
        block = b"\x88" if headers[0][1] == b"200" else b"\x08\x03" + headers[0][1]
        for name, value in headers[1:]:  # literal without indexing: no state to keep
            block += b"\x00%c%s%c%s" % (len(name), name, len(value), value)
        flags = _END_HEADERS if body else _END_HEADERS | _END_STREAM
        self._output.append(_frame(_HEADERS, flags, stream, block))
        if body:
            self._output.append(_frame(_DATA, _END_STREAM, stream, body))

    def refuse(self, stream: int) -> None:
        """See :class:`Wire`."""
        self._output.append(_frame(_RESET, 0, stream, ErrorCodes.REFUSED_STREAM.to_bytes(4, "big")))

    def allow(self, streams: int) -> None:
        """See :class:`Wire`."""
        settings = _setting(SettingCodes.MAX_CONCURRENT_STREAMS, streams)
        self._output.append(_frame(_SETTINGS, 0, 0, settings))

    def output(self) -> bytes:
        """See :class:`Wire`."""
        data = b"".join(self._output)
        self._output.clear()
        return data
