"""One HTTP/2 connection to APNs: its beginning, its silence and its end. Knows nothing of retries."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from app.apns import faults, frames
from app.apns.exchange import Exchange
from app.apns.faults import WireBroken
from app.apns.frames import Frame, FrameError
from app.apns.requests import RequestEncoder
from app.apns.responses import REOPEN, PushResponse, reason_of
from app.apns.streams import MAX_HEADER_LIST, RECEIVE_WINDOW, Streams


class Owner(Protocol):
    """Who opened the connection and hears from it. Calls come from the event loop and must not block."""

    def opened(self, connection: Connection) -> None:
        """The server's SETTINGS arrived: pushes may be sent."""

    def answered(self, exchange: Exchange, response: PushResponse) -> None:
        """A whole answer arrived."""

    def returned(self, exchange: Exchange, fault: WireBroken, *, maybe_accepted: bool, reset: bool) -> None:
        """The push got no answer; ``reset``: the server ended its stream alone."""

    def has_room(self) -> None:
        """More pushes may be sent than a moment ago."""

    def closed(self, connection: Connection, fault: WireBroken) -> None:
        """The connection is over; every push on it was returned before."""


class Connection(asyncio.Protocol):
    """See the module. Made by the owner, handed to ``loop.create_connection``."""

    def __init__(self, owner: Owner, *, address: str, encoder: RequestEncoder, ping_timeout: float) -> None:
        """``ping_timeout``: seconds of silence with pushes under way until a PING, and from it to the end."""
        self._owner, self._address, self._ping_timeout = owner, address, ping_timeout
        self._loop = asyncio.get_running_loop()
        self._reader = frames.FrameReader()
        self._streams = Streams(self, self._write, address=address, encoder=encoder)
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._heard = self._loop.time()
        self._ping_sent: float | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._drain_limit: asyncio.TimerHandle | None = None
        self._paused = self._probing = self._draining = False
        self._goaway = ""
        self.ready = self.is_closed = False
        self.fault: WireBroken | None = None  # why it ended
        self.settled: asyncio.Future[None] = self._loop.create_future()  # ready, or ended before it was
        self.gone: asyncio.Future[None] = self._loop.create_future()  # the socket is closed
        self.answered_before = False
        self._handlers: dict[int, Callable[[Frame], None]] = {
            frames.HEADERS: self._streams.receive_headers,
            frames.DATA: self._streams.receive_data,
            frames.RST_STREAM: self._streams.receive_reset,
            frames.WINDOW_UPDATE: self._receive_window,
            frames.SETTINGS: self._receive_settings,
            frames.PING: self._receive_ping,
            frames.GOAWAY: self._receive_goaway,
        }

    # What the owner asks

    @property
    def in_flight(self) -> int:
        """Pushes sent and not answered."""
        return len(self._streams)

    @property
    def capacity(self) -> int:
        """Pushes that the server allows at once."""
        return self._streams.limit

    @property
    def usable(self) -> bool:
        """Whether it takes pushes now or will again: neither draining nor closed."""
        return self.ready and not self._draining and not self.is_closed

    def room(self, idle_after: float) -> int:
        """Pushes that may be sent now. After ``idle_after`` silent seconds none until a PING came back."""
        if not self.usable or self._paused or self._probing:
            return 0
        if not self._streams and self._loop.time() - self._heard > idle_after:
            self._probing = True
            self._ping()
            return 0
        return self._streams.room

    def send(self, exchange: Exchange) -> None:
        """Send one push, within :meth:`room`. It leaves with all others of this turn of the loop."""
        self._streams.send(exchange)
        if self._streams.exhausted:
            self._drain("the connection has no stream number left")
        if self._watch is None:
            self._watch = self._loop.call_later(self._ping_timeout, self._look)

    def expire(self, now: float) -> list[Exchange]:
        """Give up those past their deadline (loop time), and those that nobody awaits any more."""
        return self._streams.expire(now)

    def earliest_deadline(self) -> float | None:
        """Loop time at which :meth:`expire` has something to do."""
        return self._streams.earliest_deadline()

    def close(self, reason: str) -> None:
        """End it now; pushes under way are returned."""
        self._end(WireBroken(reason), code=frames.NO_ERROR)

    def abort(self, reason: str) -> None:
        """End it now, without a word to a peer that may not listen."""
        self._end(WireBroken(reason), silently=True)

    # What the streams tell

    def answered(self, exchange: Exchange, response: PushResponse) -> None:
        """See :class:`Owner`. Where Apple says that the connection is of no more use, it drains."""
        self.answered_before = True
        if response.reason in REOPEN:
            self._drain(f"{self._address} answered {response.reason}")
        self._owner.answered(exchange, response)

    def returned(self, exchange: Exchange, fault: WireBroken, *, maybe_accepted: bool, reset: bool) -> None:
        """See :class:`Owner`."""
        self._owner.returned(exchange, fault, maybe_accepted=maybe_accepted, reset=reset)

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS stands: send the preface and our SETTINGS (RFC 9113, 3.4)."""
        self._transport = cast("asyncio.Transport", transport)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if tls is None or tls.selected_alpn_protocol() != "h2":
            self._end(WireBroken(f"{self._address} does not speak HTTP/2 (ALPN)"))
            return
        ours = {frames.ENABLE_PUSH: 0, frames.MAX_HEADER_LIST_SIZE: MAX_HEADER_LIST}
        window = frames.window_update(0, RECEIVE_WINDOW - frames.DEFAULT_WINDOW)
        self._transport.write(frames.PREFACE + frames.settings(ours) + window)

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone, by us or by them."""
        _mark(self.gone)
        if not self.ready:
            self._end(faults.before_http2(exc, self._address))
        elif exc is not None:
            self._end(faults.of_exception(exc, self._address))
        else:
            self._end(WireBroken(self._goaway or f"{self._address} closed the connection"))

    def pause_writing(self) -> None:
        """The peer does not read: no new pushes until it does."""
        self._paused = True

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._paused = False
        self._owner.has_room()

    def data_received(self, data: bytes) -> None:
        """Frames from the server."""
        self._heard = self._loop.time()
        before = len(self._streams)
        try:
            for frame in self._reader.feed(data):
                if self.is_closed:
                    return
                if not self.ready and frame.kind not in (frames.SETTINGS, frames.GOAWAY):
                    raise FrameError(frames.PROTOCOL_ERROR, "the first frame is not SETTINGS")
                self._handlers[frame.kind](frame)
        except FrameError as error:
            fault = WireBroken(f"{self._address} broke the HTTP/2 protocol: {error}")
            self._end(fault, code=error.code)
            return
        if self._draining and not self._streams:
            self.close(self._goaway)
        elif len(self._streams) < before:
            self._owner.has_room()

    # Frames of the connection

    def _receive_settings(self, frame: Frame) -> None:
        if frame.flags & frames.ACK:
            return
        self._streams.receive_settings(frame)
        self._write(frames.frame(frames.SETTINGS, frames.ACK, 0))
        if not self.ready:
            self.ready = True
            _mark(self.settled)
            self._owner.opened(self)
        self._owner.has_room()

    def _receive_window(self, frame: Frame) -> None:
        self._streams.receive_window(frame)
        self._owner.has_room()

    def _receive_ping(self, frame: Frame) -> None:
        if not frame.flags & frames.ACK:
            self._write(frames.frame(frames.PING, frames.ACK, 0, frame.payload))
        elif self._probing:
            self._probing = False
            self._owner.has_room()

    def _receive_goaway(self, frame: Frame) -> None:
        """Streams up to the last one named will be answered, the others were not touched (RFC 9113, 6.8)."""
        code = frames.read_uint32(frame.payload, 4)
        reason = reason_of(frame.payload[8:]) or f"code {code}"
        fault = WireBroken(f"{self._address} sent GOAWAY ({reason})")
        if not self.ready:
            self._end(fault)
            return
        self._drain(str(fault))
        for exchange in self._streams.take_back(above=frames.read_uint31(frame.payload)):
            self._owner.returned(exchange, fault, maybe_accepted=False, reset=False)

    # The end

    def _drain(self, reason: str) -> None:
        """Take no more pushes; close when those under way are answered, at most ``ping_timeout`` later."""
        self._goaway = reason
        if not self._draining and not self.is_closed:
            self._draining = True
            self._drain_limit = self._loop.call_later(self._ping_timeout, self.close, reason)

    def _end(self, fault: WireBroken, *, code: int | None = None, silently: bool = False) -> None:
        if self.is_closed:
            return
        self.is_closed, self.fault = True, fault
        for timer in (self._watch, self._drain_limit):
            if timer is not None:
                timer.cancel()
        if self._transport is None:
            _mark(self.gone)
        else:
            if code is not None:
                self._write(frames.goaway(0, code))
            self._flush()
            if silently:
                self._transport.abort()
            else:
                self._transport.close()
        for exchange in self._streams.take_back():
            self._owner.returned(exchange, fault, maybe_accepted=True, reset=False)
        _mark(self.settled)
        self._owner.closed(self, fault)

    # Silence

    def _look(self) -> None:
        """With pushes under way a silent peer is asked by PING, and left when it stays silent."""
        self._watch = None
        if not self._streams and not self._probing:
            self._ping_sent = None
        elif self._ping_sent is not None and self._heard <= self._ping_sent:
            self.abort(f"{self._address} went silent")
        elif self._loop.time() - self._heard >= self._ping_timeout * 0.9:
            self._ping()
        else:
            self._ping_sent = None
            self._watch = self._loop.call_later(self._ping_timeout, self._look)

    def _ping(self) -> None:
        self._ping_sent = self._loop.time()
        self._write(frames.frame(frames.PING, 0, 0, b"perkpass"))
        if self._watch is not None:
            self._watch.cancel()
        self._watch = self._loop.call_later(self._ping_timeout, self._look)

    # Writing

    def _write(self, data: bytes) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)

    def _flush(self) -> None:
        if self._out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()


def _mark(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
