"""What a change of all cards is measured with: a running installation, watched processes, counted pushes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import usage
from bench.installations import Inhabited
from bench.push_record import Pushes
from bench.tills import Rung
from tests.flows.installation import ROOT


@contextmanager
def started(place: Inhabited) -> Iterator[None]:
    """Running; where work is distributed, with a second worker."""
    installation = place.installation
    installation.start()
    try:
        if not installation.embedded:
            with (installation.directory / "worker 2.log").open("ab") as log:
                installation.processes["worker 2"] = subprocess.Popen(
                    [sys.executable, "-m", "app", "worker"],
                    cwd=ROOT, env=installation.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
            time.sleep(3)
        yield
    finally:
        installation.stop()


@dataclass(slots=True)
class Seen:
    """What the service's processes cost while they were watched."""

    memory: list[float]  # megabytes, each second
    cpu: float  # seconds


@contextmanager
def watched(place: Inhabited, *commands: int) -> Iterator[Seen]:
    """Look at all processes of the service and at commands beside it, until the block ends."""
    processes = [process.pid for process in place.installation.processes.values()]
    before = sum(map(usage.cpu_seconds, processes))
    seen, enough, spent = Seen([], 0.0), threading.Event(), 0.0

    def look() -> None:
        nonlocal spent
        while not enough.wait(0.5):
            seen.memory.append(sum(map(usage.pss, [*processes, *commands])))
            spent = max(spent, sum(map(usage.cpu_seconds, commands)))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        enough.set()
        watcher.join()
        seen.cpu = sum(map(usage.cpu_seconds, processes)) - before + spent


def count(pushes: Pushes) -> int:
    """All of them."""
    return sum(map(len, pushes.values()))


def first_since(moments: Iterable[float], began: float) -> float:
    """The first at that moment or later; raises StopIteration where there is none."""
    return next(moment for moment in moments if moment >= began)


def latencies(rung: Iterable[Rung], begin: float, end: float) -> list[float]:
    """Of the receipts that were due in that time, in seconds."""
    return [one.latency for one in rung if begin <= one.due < end]
