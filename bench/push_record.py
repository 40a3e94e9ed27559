"""A push service on loopback, in a process of its own, that remembers when each phone was pushed to."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from app.simulators.apns import ApnsSettings, ApnsSimulator, settings_for
from app.simulators.authority import Authority

_OK = 200
_LOOK_SECONDS = 0.1  # the simulator's ledger holds what comes in many seconds

Pushes = dict[str, list[float]]
"""Push token → when each push to it was accepted, UNIX seconds."""


class PushRecord:
    """The other process, seen from here."""

    def __init__(self, url: str, pid: int, pipe: Connection) -> None:
        """Use :func:`running`."""
        self.url, self.pid, self._pipe = url, pid, pipe

    def reached(self, *, since: float) -> int:
        """How many phones got a push after that moment (UNIX seconds)."""
        self._pipe.send(since)
        return int(self._pipe.recv())

    def pushes(self) -> Pushes:
        """All that were accepted."""
        self._pipe.send(None)
        found: Pushes = self._pipe.recv()
        return found


@contextmanager
def running(authority: Authority, directory: Path) -> Iterator[PushRecord]:
    """Serve until the block ends; certificates of ``authority`` are let in."""
    settings = replace(settings_for(authority, directory), quick=True)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(settings, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(30):
            raise RuntimeError("the push service does not start")
        assert process.pid is not None
        yield PushRecord(str(ours.recv()), process.pid, ours)
    finally:
        process.terminate()
        process.join(10)


def _run(settings: ApnsSettings, pipe: Connection) -> None:
    asyncio.run(_serve(settings, pipe))


async def _serve(settings: ApnsSettings, pipe: Connection) -> None:
    simulator = ApnsSimulator(settings)
    await simulator.start()
    pipe.send(simulator.url)
    record = _Record(simulator)
    asyncio.get_running_loop().add_reader(pipe.fileno(), record.answer, pipe)
    while True:
        record.look()
        await asyncio.sleep(_LOOK_SECONDS)


class _Record:
    """Copies the simulator's ledger, which forgets."""

    def __init__(self, simulator: ApnsSimulator) -> None:
        self._post = simulator.post
        self._last = 0
        self._pushes: Pushes = {}

    def look(self) -> None:
        """Take what is new."""
        newest = []
        for entry in reversed(self._post.entries):
            if entry.number <= self._last:
                break
            newest.append(entry)
        if newest:
            self._last = newest[0].number
        for entry in reversed(newest):
            if entry.status == _OK:
                self._pushes.setdefault(entry.token, []).append(entry.at)

    def answer(self, pipe: Connection) -> None:
        """One question of the other side."""
        try:
            since = pipe.recv()
        except EOFError:
            os._exit(0)
        self.look()
        if since is None:
            pipe.send(self._pushes)
        else:
            pipe.send(sum(moments[-1] >= since for moments in self._pushes.values()))
