"""A phone's standing connection to the push simulator's control port."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from urllib.parse import urlsplit

_RECONNECT_SECONDS = 1.0


class PushLine:
    """Says which push tokens are ours and hears of their pushes; comes back when the connection breaks."""

    def __init__(self, control_url: str, heard: Callable[[str, str], None]) -> None:
        """``heard`` is told (push token, topic) in the event loop of :meth:`start`."""
        self._address = urlsplit(control_url)
        self._heard = heard
        self._tokens: dict[str, str] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, and stay connected until :meth:`stop`."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Hang up: from now on Apple keeps what it has for us."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def add(self, token: str, topic: str) -> None:
        """``token`` is ours."""
        self._tokens[token] = topic
        if self._writer is not None:
            self._say(self._writer, token, topic)

    @staticmethod
    def _say(writer: asyncio.StreamWriter, token: str, topic: str) -> None:
        writer.write(json.dumps({"token": token, "topic": topic}).encode() + b"\n")

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(OSError, ValueError):
                await self._converse()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _converse(self) -> None:
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        try:
            for token, topic in self._tokens.items():
                self._say(writer, token, topic)
            self._writer = writer
            while line := await reader.readline():
                message = json.loads(line)
                self._heard(message["token"], message["topic"])
        finally:
            self._writer = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
