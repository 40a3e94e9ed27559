"""The APNs client: pushes in, Apple's answers or a broken wire out, over a few long-lived connections."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

from app.apns.credentials import ProviderToken, tls_context
from app.apns.dial import Endpoint, host_and_port
from app.apns.exchange import Batch, Exchange, Outcome
from app.apns.faults import WireBroken
from app.apns.patience import Patience, retry_pause
from app.apns.pool import Pool
from app.apns.requests import Push, path_of
from app.apns.responses import PushResponse, unusable_token
from app.errors import Misconfigured

PRODUCTION: Final = "https://api.push.apple.com"
"""Passes know no sandbox: Apple pushes to them from its production host alone."""
SWEEP: Final = 0.05
"""Seconds between two looks for overdue pushes, at least."""


class ApnsClient:
    """Pushes to the passes of one pass type identifier. Lives in the event loop in which it is first used."""

    def __init__(
        self,
        url: str = PRODUCTION,
        *,
        topic: str,
        ca: Path | None = None,
        certificate_pem: bytes | None = None,
        key_pem: bytes | None = None,
        provider_token: ProviderToken | None = None,
        connections: int = 2,
        expiration: timedelta = timedelta(days=7),
        push_timeout: float = 15.0,
        patience: Patience = Patience(),  # noqa: B008 - frozen
    ) -> None:
        """Sign in with ``certificate_pem`` and ``key_pem`` (PEM, unencrypted) or with ``provider_token``.

        ``topic``: the pass type identifier. ``ca``: PEM file of the authorities to trust, not the system's.
        ``expiration``: how long APNs keeps a push for a phone that is off, where the push does not say.
        ``push_timeout``: seconds from the call to the outcome, all attempts included; keep it below the
        lease of a claimed push. Raises :class:`Misconfigured`.
        """
        host, port = host_and_port(url)
        if not 1 <= connections <= 4:
            raise Misconfigured("APNs takes 1 to 4 connections per certificate")
        with_certificate = certificate_pem is not None and key_pem is not None
        if with_certificate == (provider_token is not None):
            raise Misconfigured(
                "sign in to APNs with a certificate and its key, or with a .p8 key: one of both"
            )
        endpoint = Endpoint(
            host=host,
            port=port,
            topic=topic,
            tls=tls_context(ca=ca, certificate_pem=certificate_pem, key_pem=key_pem),
            patience=patience,
        )
        try:
            endpoint.encoder()
        except ValueError as fault:
            raise Misconfigured(f"the pass type identifier cannot be a topic: {fault}") from fault
        self.address = endpoint.address  # for people: host:port
        self._provider_token = provider_token
        self._expiration = int(expiration.total_seconds())
        self._push_timeout, self._patience = push_timeout, patience
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[Exchange] = deque()
        self._pool = Pool(self, endpoint, connections)
        self._pumping = False
        self._sweep: asyncio.TimerHandle | None = None
        self._last_fault = WireBroken(f"{self.address} did not take the push in time")

    async def push(
        self,
        push_token: str,
        *,
        apns_id: str | None = None,
        expiration: int | None = None,
        priority: int = 10,
        push_type: str | None = None,
    ) -> PushResponse:
        """Send one empty push and return Apple's answer.

        ``apns_id``: UUID; ``expiration``: seconds since 1970. Raises :class:`WireBroken` where there is none
        in time (``maybe_accepted`` says what is known), ValueError for an ``apns_id`` that is no UUID.
        """
        (outcome,) = await self.push_many([Push(push_token, apns_id, expiration, priority, push_type)])
        if isinstance(outcome, WireBroken):
            raise outcome
        return outcome

    async def push_many(self, pushes: Sequence[Push]) -> list[Outcome]:
        """Send many at once, cheaper than one by one. Outcomes in the order of ``pushes``, once all are in.

        A push without an answer has a :class:`WireBroken` in its place; nothing is raised for it.
        """
        if not pushes:
            return []
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError("an APNs client lives in one event loop; keep the loop as long as the client")
        batch = Batch(len(pushes), loop.create_future())
        deadline = loop.time() + self._push_timeout
        expiration = int(time.time()) + self._expiration
        for place, push in enumerate(pushes):
            path = path_of(push.push_token)
            moment = expiration if push.expiration is None else push.expiration
            exchange = Exchange(push, path or b"", moment, deadline, batch, place)
            if path is None:
                exchange.settle(unusable_token(push.apns_id))
            elif self._pool.is_closed:
                exchange.settle(WireBroken("the APNs client is closed"))
            elif len(self._waiting) >= self._patience.queue_limit:
                exchange.settle(
                    WireBroken(f"{self._patience.queue_limit} pushes wait for {self.address} already")
                )
            else:
                self._waiting.append(exchange)
        self.has_room()
        self._arm_sweep(deadline)
        try:
            await batch.done
        except asyncio.CancelledError:
            self._arm_sweep(loop.time())  # streams that nobody waits for are given back
            raise
        return [outcome for outcome in batch.outcomes if outcome is not None]

    async def close(self) -> None:
        """Close every connection; pushes under way end as :class:`WireBroken`."""
        if self._sweep is not None:
            self._sweep.cancel()
        await self._pool.close()
        self._give_up(WireBroken("the APNs client is closed"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def in_flight(self) -> int:
        """Pushes sent and not answered."""
        return self._pool.in_flight

    @property
    def waiting(self) -> int:
        """Pushes that wait for a stream."""
        return len(self._waiting)

    @property
    def open_connections(self) -> int:
        """Connections that stand, draining ones included."""
        return len(self._pool.connections)

    # What the pool tells (see pool.Sender)

    def has_room(self) -> None:
        """Look once, in the next turn of the loop, at what can be sent."""
        if not self._pumping and self._waiting:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def answered(self, exchange: Exchange, response: PushResponse) -> None:
        """Hand the answer over; a push refused for the age of its sign-in token alone is sent once more."""
        if (
            response.reason == "ExpiredProviderToken"
            and self._provider_token is not None
            and not exchange.token_renewed
            and self._provider_token.expired(exchange.authorization or "")
        ):
            exchange.token_renewed = True
            self._wait_again(exchange)
        else:
            exchange.settle(response)

    def returned(self, exchange: Exchange, fault: WireBroken, *, maybe_accepted: bool, reset: bool) -> None:
        """No answer: send it again, within its attempts and its deadline. An empty push may arrive twice."""
        exchange.maybe_accepted |= maybe_accepted
        if exchange.attempts >= self._patience.attempts or self._pool.is_closed:
            self._fail(exchange, fault)
        elif reset:
            loop = asyncio.get_running_loop()
            pause = min(retry_pause(exchange.attempts), max(0.0, exchange.deadline - loop.time()))
            loop.call_later(pause, self._wait_again, exchange)
        else:
            self._wait_again(exchange)

    def unreachable(self, fault: WireBroken, *, hopeless: bool) -> None:
        """A connection came to nothing: give up what waits, or remember why it waits."""
        self._last_fault = fault
        if hopeless:
            self._give_up(fault)

    # The queue

    def _wait_again(self, exchange: Exchange) -> None:
        if self._pool.is_closed:
            self._fail(exchange, WireBroken("the APNs client is closed"))
            return
        if exchange.deadline <= asyncio.get_running_loop().time():
            self._fail(exchange, self._too_late())
            return
        exchange.forget_answer()
        self._waiting.appendleft(exchange)
        self.has_room()
        self._arm_sweep(exchange.deadline)

    def _pump(self) -> None:
        """Fill the connections in turn: one that is busy is better than two that are idle."""
        self._pumping = False
        waiting = self._waiting
        authorization = None if self._provider_token is None else self._provider_token.value()
        for connection in self._pool.connections:
            room = connection.room(self._patience.idle_after) if waiting else 0
            while room > 0 and waiting:
                exchange = waiting.popleft()
                if exchange.abandoned:
                    continue
                exchange.attempts += 1
                exchange.authorization = authorization
                connection.send(exchange)
                room -= 1
        self._pool.open_where_needed(waiting=bool(waiting))

    # Ends of pushes

    def _fail(self, exchange: Exchange, fault: WireBroken) -> None:
        exchange.settle(type(fault)(str(fault), maybe_accepted=exchange.maybe_accepted))

    def _give_up(self, fault: WireBroken) -> None:
        waiting, self._waiting = self._waiting, deque()
        for exchange in waiting:
            self._fail(exchange, fault)

    def _too_late(self) -> WireBroken:
        return WireBroken(f"{self.address} did not answer in {self._push_timeout:g} s")

    def _arm_sweep(self, deadline: float) -> None:
        if self._pool.is_closed or (self._sweep is not None and self._sweep.when() <= deadline):
            return
        if self._sweep is not None:
            self._sweep.cancel()
        loop = asyncio.get_running_loop()
        self._sweep = loop.call_at(max(deadline, loop.time() + SWEEP), self._sweep_overdue)

    def _sweep_overdue(self) -> None:
        """End what is overdue. One timer serves all pushes."""
        self._sweep = None
        now = asyncio.get_running_loop().time()
        for connection in list(self._pool.connections):
            for exchange in connection.expire(now):
                exchange.maybe_accepted = True
                self._fail(exchange, self._too_late())
        overdue = [exchange for exchange in self._waiting if exchange.deadline <= now or exchange.abandoned]
        if overdue:
            self._waiting = deque(
                item for item in self._waiting if item.deadline > now and not item.abandoned
            )
            for exchange in overdue:
                self._fail(exchange, self._last_fault)
        deadlines = [connection.earliest_deadline() for connection in self._pool.connections]
        deadlines += [exchange.deadline for exchange in self._waiting]
        known = [deadline for deadline in deadlines if deadline is not None]
        if known:
            self._arm_sweep(min(known))
        self.has_room()
