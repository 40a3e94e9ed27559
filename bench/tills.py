"""Tills that ring up receipts at a steady rate from a process of their own, however fast they are answered.

A receipt is due at its moment whether or not earlier ones were answered; its latency counts from there, so
that a service that stands still for a second is not asked less meanwhile.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import multiprocessing.synchronize
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from multiprocessing.connection import Connection

from bench.world import World

_TILLS = 32
"""Connections: one for each receipt that may be waiting for its answer."""
_CREATED = 201


@dataclass(frozen=True, slots=True)
class Rung:
    """One receipt; moments are UNIX seconds."""

    number: int  # of the guest
    due: float
    answered: float
    status: int

    @property
    def taken(self) -> bool:
        """Whether the service took it."""
        return self.status == _CREATED

    @property
    def latency(self) -> float:
        """Seconds from the moment it was due."""
        return self.answered - self.due


class Tills:
    """Started at once; :meth:`stop` gives what was rung up. Guests come in the order given, each once."""

    def __init__(self, port: int, world: World, guests: Sequence[int], *, rate: float) -> None:
        """``rate`` receipts a second; they end where there are no more ``guests``."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._stop = context.Event()
        self._process = context.Process(
            target=_ring_up, args=(port, world, guests, rate, self._stop, theirs), daemon=True
        )
        self._process.start()
        if not self._pipe.poll(30):
            raise RuntimeError("the tills do not start")
        self._pipe.recv()

    def stop(self) -> list[Rung]:
        """Let receipts under way be answered, then give all of them."""
        self._stop.set()
        return self.finish()

    def finish(self) -> list[Rung]:
        """Wait for the last guest, then give all of them."""
        rung: list[Rung] = self._pipe.recv()
        self._process.join(30)
        return rung


def _ring_up(
    port: int,
    world: World,
    guests: Sequence[int],
    rate: float,
    stop: multiprocessing.synchronize.Event,
    pipe: Connection,
) -> None:
    turns, turn = count(), threading.Lock()
    rung: list[Rung] = []
    ends: list[float] = []  # when tills saw that it is the end
    begin = time.time() + 0.2
    pipe.send(None)

    def till() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with turn:
                position = next(turns)
            if position >= len(guests):
                return
            due = begin + position / rate
            early = due - time.time()
            if early > 0 and stop.wait(early):
                return
            if stop.is_set():
                ends.append(time.time())
                if due > ends[0]:
                    return  # what was due before the end is rung up all the same, however late
            status = _post(connection, world, guests[position])
            rung.append(Rung(guests[position], due, time.time(), status))

    with ThreadPoolExecutor(_TILLS) as pool:
        for done in [pool.submit(till) for _ in range(_TILLS)]:
            done.result()
    pipe.send(rung)


def _post(connection: http.client.HTTPConnection, world: World, guest: int) -> int:
    receipt = {
        "card": world.card_code(guest),
        "number": uuid.uuid4().hex[:12],
        "amount": 500_00,
        "currency": "RUB",
        "at": datetime.now(UTC).isoformat(),
    }
    headers = {
        "Authorization": f"Bearer {world.till_key}",
        "Content-Type": "application/json",
        "Idempotency-Key": uuid.uuid4().hex,
    }
    connection.request("POST", "/api/v1/receipts", body=json.dumps(receipt), headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status
