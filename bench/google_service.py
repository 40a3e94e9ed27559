"""Simulated Google Wallet in a process of its own, without its limit of requests."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from app.google import credentials
from app.google.credentials import ServiceAccount
from app.simulators import google
from app.simulators.google_faults import Faults

ISSUER = google.ISSUER


@dataclass(frozen=True, slots=True)
class GoogleService:
    """Where it listens, and who may speak to it."""

    url: str
    token_url: str
    key: str = field(repr=False)  # the service account's JSON
    account: ServiceAccount
    pid: int

    def __reduce__(self) -> tuple[object, ...]:
        """For other processes: a key that was read cannot be sent."""
        return _known, (self.url, self.token_url, self.key, self.pid)


def _known(url: str, token_url: str, key: str, pid: int) -> GoogleService:
    return GoogleService(url, token_url, key, credentials.parse(key, source="simulator"), pid)


@contextmanager
def running(cores: set[int]) -> Iterator[GoogleService]:
    """Serve on these cores until the block ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(cores, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(60):
            raise RuntimeError("the simulator does not start")
        url, token_url, account = ours.recv()
        assert process.pid is not None
        yield _known(url, token_url, account, process.pid)
    finally:
        process.terminate()
        process.join(10)


def _serve(cores: set[int], pipe: Connection) -> None:
    os.sched_setaffinity(0, cores)
    with google.running(faults=Faults(requests_per_second=None)) as simulator:
        pipe.send((simulator.url, simulator.token_url, json.dumps(simulator.service_account())))
        threading.Event().wait()
