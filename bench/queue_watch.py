"""Tells when all promises of a queue are settled, from a process of its own: no worker pays for it."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from sqlalchemy import exists, or_, select

from app.db import connect
from app.delivery.store_pending import PENDING, SENDING
from app.delivery.tables import delivery

_LOOK_SECONDS = 0.05
_OPEN = select(or_(*(exists().where(delivery.c.state == state) for state in (PENDING, SENDING))))


class QueueWatch:
    """The other process, seen from here; use :func:`watching`."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def wait(self) -> None:
        """Return when nothing is pending or sending any more."""
        self._pipe.send(None)
        self._pipe.recv()


@contextmanager
def watching(url: str, cores: set[int]) -> Iterator[QueueWatch]:
    """A watch over this database, on these cores."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_watch, args=(url, cores, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(30):
            raise RuntimeError("the watch over the queue does not start")
        ours.recv()
        yield QueueWatch(ours)
    finally:
        process.terminate()
        process.join(10)


def _watch(url: str, cores: set[int], pipe: Connection) -> None:
    os.sched_setaffinity(0, cores)
    database = connect(url, pool_size=1)
    pipe.send(None)
    while True:
        pipe.recv()
        settled = False
        while not settled:
            with database.read() as tx:
                settled = not tx.scalar(_OPEN)
            time.sleep(0 if settled else _LOOK_SECONDS)
        pipe.send(None)
