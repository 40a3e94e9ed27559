"""The streams of one connection: pushes out, answers in, and the windows between (RFC 9113, 5 and 6.9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from struct import Struct
from typing import Final, Protocol

from hpack import Decoder, HPACKError

from app.apns import frames
from app.apns.exchange import Exchange
from app.apns.faults import WireBroken
from app.apns.frames import Frame, FrameError
from app.apns.requests import BODY, RequestEncoder
from app.apns.responses import PushResponse, accepted, read_response

MAX_STREAMS: Final = 4_096
"""What we use at most, whatever the server allows."""
UNANNOUNCED_STREAMS: Final = 1_000
MAX_BODY: Final = 4_096
"""Error bodies are about 60 bytes; a longer one is dropped and the status alone counts."""
MAX_HEADER_LIST: Final = 16_384
RECEIVE_WINDOW: Final = 1 << 20

_BODY_SIZE: Final = len(BODY)
_HEAD: Final = Struct(">BHBBI")
_STREAM: Final = Struct(">I")
_DATA_HEAD: Final = frames.frame(frames.DATA, frames.END_STREAM, 0, BODY)[:5]


class Outcomes(Protocol):
    """Who hears what became of a push. Calls come from the event loop and must not block."""

    def answered(self, exchange: Exchange, response: PushResponse) -> None:
        """A whole answer arrived."""

    def returned(self, exchange: Exchange, fault: WireBroken, *, maybe_accepted: bool, reset: bool) -> None:
        """The push got no answer; ``reset``: the server ended its stream alone."""


class Streams:
    """See the module. ``write`` takes bytes for the peer."""

    def __init__(
        self, outcomes: Outcomes, write: Callable[[bytes], None], *, address: str, encoder: RequestEncoder
    ) -> None:
        self._outcomes, self._write, self._address, self._encoder = outcomes, write, address, encoder
        self._decoder = Decoder(max_header_list_size=MAX_HEADER_LIST)
        self._open: dict[int, Exchange] = {}
        self._bodiless: dict[int, int] = {}  # streams whose body waits for their window: what they have of it
        self._next = 1
        self._window = frames.DEFAULT_WINDOW
        self._stream_window = frames.DEFAULT_WINDOW
        self._unacknowledged = 0
        self.limit = UNANNOUNCED_STREAMS

    def __len__(self) -> int:
        return len(self._open)

    @property
    def room(self) -> int:
        """Pushes that may be sent now."""
        numbers = (frames.MAX_STREAM_ID - self._next) // 2 + 1
        return min(self.limit - len(self._open), self._window // _BODY_SIZE, numbers)

    @property
    def exhausted(self) -> bool:
        """No stream number is left: another connection is needed."""
        return self._next > frames.MAX_STREAM_ID

    def send(self, exchange: Exchange) -> None:
        """Open a stream for one push; the caller asked :attr:`room` before."""
        stream_id = self._next
        self._next = stream_id + 2
        push = exchange.push
        block = self._encoder.block(
            exchange.path,
            apns_id=push.apns_id,
            expiration=exchange.expiration,
            priority=push.priority,
            push_type=push.push_type,
            authorization=exchange.authorization,
        )
        self._open[stream_id] = exchange
        self._window -= _BODY_SIZE
        head = _HEAD.pack(0, len(block), frames.HEADERS, frames.END_HEADERS, stream_id) + block
        if self._stream_window >= _BODY_SIZE:
            self._write(head + _DATA_HEAD + _STREAM.pack(stream_id) + BODY)
        else:
            self._bodiless[stream_id] = self._stream_window
            self._write(head)

    def expire(self, now: float) -> list[Exchange]:
        """Give up those past their deadline (loop time), and those that nobody awaits any more."""
        late = [number for number, push in self._open.items() if push.deadline <= now or push.abandoned]
        for stream_id in late:
            self._write(frames.rst_stream(stream_id, frames.CANCEL))
        return [self._release(stream_id) for stream_id in late]

    def earliest_deadline(self) -> float | None:
        """Loop time at which :meth:`expire` has something to do."""
        return min((push.deadline for push in self._open.values()), default=None)

    def take_back(self, *, above: int = 0) -> list[Exchange]:
        """Forget the streams numbered above ``above`` and hand over their pushes; nobody is told."""
        return [self._release(number) for number in list(self._open) if number > above]

    def receive_headers(self, frame: Frame) -> None:
        """An answer's head, or the whole of it. Decoded for given-up streams too: the table must follow."""
        try:
            fields = self._decoder.decode(frame.payload, raw=True)
        except HPACKError as error:
            raise FrameError(frames.COMPRESSION_ERROR, f"header block: {error}") from error
        exchange = self._find(frame.stream_id)
        if exchange is None:
            return
        for name, value in fields:
            if name == b":status":
                if len(value) != 3 or not value.isdigit():
                    raise FrameError(frames.PROTOCOL_ERROR, f":status {bytes(value)!r}")
                exchange.status = int(value)
            elif name == b"apns-id":
                exchange.apns_id = value.decode("latin-1")
            elif name == b"retry-after":
                exchange.retry_after = value.decode("latin-1")
        if frame.flags & frames.END_STREAM:
            self._answer(frame.stream_id)
        elif exchange.status < 200:
            exchange.forget_answer()  # 1xx: the answer proper follows

    def receive_data(self, frame: Frame) -> None:
        """An error's body."""
        self._unacknowledged += frame.size
        if self._unacknowledged > RECEIVE_WINDOW // 2:
            self._write(frames.window_update(0, self._unacknowledged))
            self._unacknowledged = 0
        exchange = self._find(frame.stream_id)
        if exchange is None:
            return
        exchange.body += frame.payload
        if len(exchange.body) > MAX_BODY:
            exchange.body = b""
            self._write(frames.rst_stream(frame.stream_id, frames.CANCEL))
            self._answer(frame.stream_id)
        elif frame.flags & frames.END_STREAM:
            self._answer(frame.stream_id)

    def receive_reset(self, frame: Frame) -> None:
        """RST_STREAM. REFUSED_STREAM is the only code that promises that nothing was done (RFC 9113, 8.7)."""
        if self._find(frame.stream_id) is None:
            return
        code = frames.read_uint32(frame.payload)
        fault = WireBroken(f"{self._address} reset the stream (code {code})")
        self._outcomes.returned(
            self._release(frame.stream_id), fault, maybe_accepted=code != frames.REFUSED_STREAM, reset=True
        )

    def receive_settings(self, frame: Frame) -> None:
        """The server's limits, at the start or while running."""
        for name, value in frames.read_settings(frame.payload):
            if name == frames.MAX_CONCURRENT_STREAMS:
                self.limit = min(value, MAX_STREAMS)
            elif name == frames.HEADER_TABLE_SIZE:
                self._encoder.resize(value)
            elif name == frames.INITIAL_WINDOW_SIZE:
                change, self._stream_window = value - self._stream_window, value
                for stream_id in list(self._bodiless):
                    self._widen(stream_id, change)

    def receive_window(self, frame: Frame) -> None:
        """WINDOW_UPDATE, of the connection (stream 0) or of a stream."""
        increment = frames.read_uint31(frame.payload)
        if not increment:
            raise FrameError(frames.PROTOCOL_ERROR, "WINDOW_UPDATE of nothing")
        if frame.stream_id:
            self._find(frame.stream_id)
            if frame.stream_id in self._bodiless:
                self._widen(frame.stream_id, increment)
        elif self._window + increment > frames.MAX_WINDOW:
            raise FrameError(frames.FLOW_CONTROL_ERROR, f"WINDOW_UPDATE of {increment} is too much")
        else:
            self._window += increment

    def _find(self, stream_id: int) -> Exchange | None:
        """The push of a stream; None where it was given up. A stream that never was is a fault."""
        exchange = self._open.get(stream_id)
        if exchange is None and stream_id >= self._next:
            raise FrameError(frames.PROTOCOL_ERROR, f"stream {stream_id} was never opened")
        return exchange

    def _answer(self, stream_id: int) -> None:
        exchange = self._release(stream_id)
        status = exchange.status
        if status < 200:
            fault = WireBroken(f"{self._address} ended a stream without an answer")
            self._outcomes.returned(exchange, fault, maybe_accepted=True, reset=True)
            return
        if status == 200:
            response = accepted(exchange.apns_id)
        else:
            response = read_response(
                status, exchange.apns_id, exchange.retry_after, exchange.body, received_at=datetime.now(UTC)
            )
        self._outcomes.answered(exchange, response)

    def _widen(self, stream_id: int, change: int) -> None:
        window = self._bodiless[stream_id] = self._bodiless[stream_id] + change
        if window >= _BODY_SIZE:
            del self._bodiless[stream_id]
            self._write(frames.frame(frames.DATA, frames.END_STREAM, stream_id, BODY))

    def _release(self, stream_id: int) -> Exchange:
        if self._bodiless.pop(stream_id, None) is not None:
            self._window += _BODY_SIZE
        return self._open.pop(stream_id)
