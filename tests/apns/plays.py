"""A client and a scripted server, together for one scenario."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.apns.client import ApnsClient
from app.apns.responses import PushResponse
from tests.apns.conftest import Certificates, push_token
from tests.apns.scripted import Peer, Script, ScriptedServer, scripted

T = TypeVar("T")
Scenario = Callable[[ApnsClient, ScriptedServer], Awaitable[T]]


def play(certificates: Certificates, scenario: Scenario[T], *scripts: Script, **changes: object) -> T:
    """Run ``scenario`` with a client against a server that follows ``scripts``, one per connection."""

    async def inside() -> T:
        async with (
            scripted(certificates.server_tls(), *scripts) as server,
            certificates.client(server.url, **changes) as client,
        ):
            return await asyncio.wait_for(scenario(client, server), 20)

    return asyncio.run(inside())


async def one_push(client: ApnsClient, server: ScriptedServer) -> PushResponse:
    return await client.push(push_token(1))


async def good(peer: Peer) -> None:
    await peer.begin()
    await peer.answer_everything()
