"""The connections of one client: opened when needed, one at a time, never more than allowed."""

from __future__ import annotations

import asyncio
from typing import Protocol

from app.apns.connection import Connection
from app.apns.dial import Endpoint
from app.apns.exchange import Exchange
from app.apns.faults import CertificateRefused, WireBroken
from app.apns.patience import BUSY_SHARE, Pacing
from app.apns.responses import PushResponse


class Sender(Protocol):
    """Whose pushes travel over the pool. Calls come from the event loop and must not block."""

    def answered(self, exchange: Exchange, response: PushResponse) -> None:
        """A whole answer arrived."""

    def returned(self, exchange: Exchange, fault: WireBroken, *, maybe_accepted: bool, reset: bool) -> None:
        """The push got no answer; ``reset``: the server ended its stream alone."""

    def has_room(self) -> None:
        """More pushes may be sent than a moment ago, or a connection should be opened."""

    def unreachable(self, fault: WireBroken, *, hopeless: bool) -> None:
        """A connection came to nothing; ``hopeless``: waiting for another has no sense."""


class Pool:
    """See the module; the owner of every :class:`~app.apns.connection.Connection`."""

    def __init__(self, sender: Sender, endpoint: Endpoint, limit: int) -> None:
        self._sender, self._endpoint, self._limit = sender, endpoint, limit
        self._patience = endpoint.patience
        self._opening: asyncio.Task[None] | None = None
        self._sockets: set[asyncio.Future[None]] = set()  # not yet closed, whatever became of the connection
        self._pacing = Pacing()
        self.connections: list[Connection] = []
        self.is_closed = False
        # Bound once: they are called for every push, and a connection has no other way to its sender.
        self.returned, self.has_room = sender.returned, sender.has_room

    @property
    def in_flight(self) -> int:
        """Pushes sent and not answered."""
        return sum(connection.in_flight for connection in self.connections)

    def open_where_needed(self, *, waiting: bool) -> None:
        """Start to open a connection where there is none, or where most streams are taken."""
        if self._opening is None and not self.is_closed and self._is_needed(waiting=waiting):
            loop = asyncio.get_running_loop()
            self._opening = loop.create_task(self._open(self._pacing.opening(loop.time())))

    async def close(self) -> None:
        """Close every connection and wait, shortly, until the sockets are closed too."""
        self.is_closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        for connection in list(self.connections):
            connection.close("the APNs client is closed")
        if self._sockets:
            await asyncio.wait(self._sockets, timeout=self._patience.ping_timeout)

    # What connections tell (see connection.Owner)

    def opened(self, connection: Connection) -> None:
        """A connection is ready for pushes."""
        self.connections.append(connection)
        self._sockets.add(connection.gone)
        connection.gone.add_done_callback(self._sockets.discard)

    def answered(self, exchange: Exchange, response: PushResponse) -> None:
        """The way is open: earlier failures count no longer."""
        if self._pacing.failures:
            self._pacing.succeeded()
        self._sender.answered(exchange, response)

    def closed(self, connection: Connection, fault: WireBroken) -> None:
        """A connection is over."""
        if connection not in self.connections:
            return  # it never was ready: the task that opens it hears of it
        self.connections.remove(connection)
        if not connection.answered_before and not self.is_closed:
            self._failed(fault)
        self._sender.has_room()

    # Opening

    def _is_needed(self, *, waiting: bool) -> bool:
        if len(self.connections) >= self._limit:
            return False
        usable = [connection for connection in self.connections if connection.usable]
        if not usable:
            return waiting
        # With a sign-in token APNs allows one stream until the first answer: that is no shortage.
        if not all(connection.answered_before for connection in usable):
            return False
        used = sum(connection.in_flight for connection in usable)
        return used > BUSY_SHARE * sum(connection.capacity for connection in usable)

    async def _open(self, pause: float) -> None:
        try:
            await asyncio.sleep(pause)
            fault = await self._endpoint.connect(self)
        finally:
            self._opening = None
        if fault is not None:
            self._failed(fault)
        self._sender.has_room()

    def _failed(self, fault: WireBroken) -> None:
        self._pacing.failed(asyncio.get_running_loop().time())
        refused = isinstance(fault, CertificateRefused)
        tried_enough = refused or self._pacing.failures >= self._patience.connect_attempts
        alone = not any(connection.usable for connection in self.connections)
        self._sender.unreachable(fault, hopeless=tried_enough and alone)
