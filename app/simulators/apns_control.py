"""The control port of the push simulator, on loopback.

It speaks HTTP with JSON, and to phones a line protocol: a connection whose first byte is ``{`` is a phone.
The phone writes one line per token, ``{"token": "…", "topic": "…"}`` (with ``"away": true`` to stop), and
reads ``{"token": "…", "topic": "…"}`` for every push.

===========================  ==========================================================================
``GET /pushes``              counts and ledger; ``?token=`` and ``?after=`` (entry number) narrow it
``DELETE /pushes``           an empty ledger
``GET, PATCH /faults``       the knobs of :class:`app.simulators.apns_faults.Faults`
``DELETE /faults``           good health
``PUT /tokens/TOKEN``        ``{"topic": "…"}`` the token exists; ``{"gone": "Unregistered", "at": ISO}``
``GET /kept``                what waits for phones that are away
``POST /goaway``             every connection is told to go away now
===========================  ==========================================================================
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import Protocol

from app.simulators.apns_connection import SenderConnection, Statistics
from app.simulators.apns_faults import Faults
from app.simulators.apns_post import Post
from app.simulators.http_server import Request, Response, converse, json_response


class Controlled(Protocol):
    """What the control port can see and turn."""

    @property
    def post(self) -> Post:
        """Tokens and ledger."""

    @property
    def faults(self) -> Faults:
        """The knobs."""

    @property
    def statistics(self) -> Statistics:
        """Counts of connections."""

    @property
    def connections(self) -> set[SenderConnection]:
        """Those that are open."""

    def turn(self, changes: dict[str, object]) -> None:
        """Set knobs."""

    def heal(self) -> None:
        """All knobs back to good health."""


class Control:
    """Answers the control port."""

    def __init__(self, simulator: Controlled) -> None:
        self._simulator = simulator

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: HTTP or a phone."""
        with contextlib.suppress(asyncio.CancelledError):  # the loop ends: nothing to report
            first = await reader.read(1)
            if first == b"{":
                await self._serve_phone(first, reader, writer)
            elif first:
                await converse(self._handle, reader, writer, first)
            else:
                writer.close()

    async def _serve_phone(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        post = self._simulator.post
        tokens: set[str] = set()

        def tell(token: str, topic: str) -> None:
            if not writer.is_closing():
                writer.write(json.dumps({"token": token, "topic": topic}).encode() + b"\n")

        try:
            while line := first + await reader.readline():
                first = b""
                order = json.loads(line)
                token = str(order["token"]).lower()
                if order.get("away"):
                    tokens.discard(token)
                    post.unlisten(token, tell)
                elif token in tokens:
                    post.know(token, order.get("topic"))
                else:
                    tokens.add(token)
                    post.listen(token, order.get("topic"), tell)
        except (ValueError, KeyError, TypeError, ConnectionError):
            pass
        finally:
            for token in tokens:
                post.unlisten(token, tell)
            writer.close()

    async def _handle(self, request: Request) -> Response:
        simulator = self._simulator
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["pushes"]:
                return self._pushes(request)
            case "DELETE", ["pushes"]:
                simulator.post.clear_ledger()
            case "GET", ["faults"]:
                pass
            case "PATCH", ["faults"]:
                simulator.turn(dict(request.json()))
            case "DELETE", ["faults"]:
                simulator.heal()
            case "PUT", ["tokens", token]:
                self._put_token(token, request)
            case "GET", ["kept"]:
                kept = simulator.post.kept.items()
                return json_response(
                    [{"token": token, "topic": topic, "until": until} for (token, topic), until in kept]
                )
            case "POST", ["goaway"]:
                for connection in tuple(simulator.connections):
                    connection.go_away()
            case _:
                return json_response({"error": "no such thing"}, 404)
        return Response(simulator.faults.to_json(), content_type="application/json")

    def _put_token(self, token: str, request: Request) -> None:
        document = request.json() or {}
        if reason := document.get("gone"):
            at = document.get("at")
            self._simulator.post.forget(token, reason, datetime.fromisoformat(at) if at else None)
        else:
            self._simulator.post.know(token, document.get("topic"))

    def _pushes(self, request: Request) -> Response:
        post = self._simulator.post
        token, after = request.query.get("token", "").lower(), int(request.query.get("after", "0"))
        return json_response(
            {
                "total": post.total,
                "answers": {
                    f"{status} {reason}".strip(): count for (status, reason), count in post.by_answer.items()
                },
                "statistics": asdict(self._simulator.statistics),
                "pushes": [
                    asdict(entry)
                    for entry in post.entries
                    if entry.number > after and (not token or entry.token == token)
                ],
            }
        )
