"""120,000 changed cards handed to Apple while tills go on: embedded on two cores, and distributed.

``python -m bench.hundred_thousand [CARDS] [CALM_SECONDS]``. Every card gets a new design by
``perkpass design move``, as an operator does it; settings are an operator's defaults. The push service, the
tills and this observer are processes on the same cores, and not part of what is measured.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from app.db import connect
from app.passes.tables import design, wallet_pass
from bench import push_record, usage
from bench.installations import Inhabited, inhabited
from bench.push_record import PushRecord
from bench.report import Figure, Report, Table, deliver
from bench.tills import Rung, Tills
from bench.world import BRAND, PROGRAMME
from tests.flows.installation import ROOT, until

CARDS, CALM_SECONDS = 120_000, 30.0
RATE = 50.0
"""Receipts a second, all guests different."""
PATIENCE = 300.0
DEFAULTS = {
    "PERKPASS_PUSH_COALESCE_SECONDS": "10",
    "PERKPASS_PUSH_BUDGET_RECEIPT": "2",
    "PERKPASS_PUSH_LEASE_SECONDS": "30",
}


@dataclass(frozen=True, slots=True)
class Calm:
    """Receipts while nothing else happens."""

    receipts: Sequence[float]  # seconds to the answer
    pushes: Sequence[float]  # seconds from the receipt to the push that Apple accepted


@dataclass(frozen=True, slots=True)
class Storm:
    """All cards change; moments are seconds since the command was started."""

    first_commit: float
    first_push: float
    changed: float  # the command ended
    handed_over: float  # the last card's push was accepted
    while_changing: Sequence[float]  # receipts, seconds to the answer
    while_pushing: Sequence[float]  # those after the last card was changed
    refused: int  # receipts
    peak: float  # megabytes of all processes, the command included
    cpu: float  # seconds of the same


def main() -> None:
    """Measure both ways of running, and report."""
    cards = int(sys.argv[1]) if len(sys.argv) > 1 else CARDS
    calm_seconds = float(sys.argv[2]) if len(sys.argv) > 2 else CALM_SECONDS
    quiet_guests = int(RATE * calm_seconds)
    measured = []
    with (
        tempfile.TemporaryDirectory() as name,
        inhabited(Path(name), cards + quiet_guests, history=True) as places,
    ):
        for place in places:
            installation = place.installation
            with push_record.running(installation.authority, Path(name) / f"push {place.kind}") as record:
                installation.settings |= {**DEFAULTS, "PERKPASS_APNS_URL": record.url}
                with _started(place):
                    calm = _calm(place, record, range(cards, cards + quiet_guests))
                    measured.append((place.kind, calm, _storm(place, record, cards)))
    deliver(_report(cards, measured))


@contextmanager
def _started(place: Inhabited) -> Iterator[None]:
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


def _calm(place: Inhabited, record: PushRecord, guests: Sequence[int]) -> Calm:
    began = time.time()
    rung = Tills(place.installation.port, place.world, guests, rate=RATE).finish()
    if refused := [one for one in rung if not one.taken]:
        raise RuntimeError(f"receipts were refused with nothing else going on: {refused[0]}")
    until(lambda: record.reached(since=began) >= len(rung), seconds=60, what="the receipts' pushes")
    pushes = record.pushes()
    first = [pushes[place.world.push_token(one.number)][0] - one.due for one in rung]
    return Calm([one.latency for one in rung], first)


def _storm(place: Inhabited, record: PushRecord, cards: int) -> Storm:
    installation, world = place.installation, place.world
    published = ("design", "publish", BRAND, PROGRAMME, str(ROOT / "pass_templates" / "tiered_card"))
    installation.perkpass(*published, "--colour", "backgroundColor", "rgb(20, 60, 90)")
    guests = list(range(cards))
    random.Random(7).shuffle(guests)
    opened = time.time()
    tills = Tills(installation.port, world, guests, rate=RATE)
    time.sleep(1)
    began = time.time()
    command = subprocess.Popen(
        [sys.executable, "-m", "app", "design", "move", BRAND, PROGRAMME, "--from", "1", "--to", "2"],
        cwd=ROOT, env=installation.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with _watched(place, command.pid) as seen:
        first_commit = _first_commit(place)
        if command.wait(PATIENCE):
            raise RuntimeError(f"perkpass design move failed with status {command.returncode}")
        changed = time.time()
        until(lambda: record.reached(since=opened) >= cards, seconds=PATIENCE, what="every card's push")
    rung, pushes = tills.stop(), record.pushes()
    first = {number: _first_since(pushes[world.push_token(number)], opened) for number in range(cards)}
    handed_over = max(first.values())
    for one in rung:
        del first[one.number]  # pushed for the receipt
    return Storm(
        first_commit=first_commit - began,
        first_push=min(first.values()) - began,
        changed=changed - began,
        handed_over=handed_over - began,
        while_changing=_latencies(rung, first_commit, changed),
        while_pushing=_latencies(rung, changed, handed_over),
        refused=sum(not one.taken for one in rung),
        peak=max(seen.memory),
        cpu=seen.cpu,
    )


@dataclass(slots=True)
class _Seen:
    """What the service's processes cost while they were watched."""

    memory: list[float]  # megabytes, each second
    cpu: float  # seconds


@contextmanager
def _watched(place: Inhabited, command: int) -> Iterator[_Seen]:
    """Look at all processes of the service and at the command, until the block ends."""
    processes = [process.pid for process in place.installation.processes.values()]
    before = sum(map(usage.cpu_seconds, processes))
    seen, enough, spent = _Seen([], 0.0), threading.Event(), 0.0

    def look() -> None:
        nonlocal spent
        while not enough.wait(0.5):
            seen.memory.append(sum(map(usage.pss, [*processes, command])))
            spent = max(spent, usage.cpu_seconds(command))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        enough.set()
        watcher.join()
        seen.cpu = sum(map(usage.cpu_seconds, processes)) - before + spent


def _first_commit(place: Inhabited) -> float:
    """When a card of the second design was seen first."""
    database = connect(place.database_url, pool_size=1)
    latest = select(func.max(design.c.id)).scalar_subquery()
    moved = select(wallet_pass.c.id).where(wallet_pass.c.design_id == latest).limit(1)
    try:
        while True:
            with database.autocommit() as tx:
                if tx.execute(moved).first():
                    return time.time()
            time.sleep(0.005)
    finally:
        database.close()


def _first_since(moments: Iterable[float], began: float) -> float:
    return next(moment for moment in moments if moment >= began)


def _latencies(rung: Iterable[Rung], begin: float, end: float) -> list[float]:
    return [one.latency for one in rung if begin <= one.due < end]


def _share(values: Sequence[float], share: float) -> float:
    """Milliseconds that this share of the values kept within; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3 if ordered else 0.0


def _report(cards: int, measured: Sequence[tuple[str, Calm, Storm]]) -> Report:
    return Report(
        title=f"{cards:,} changed cards handed to Apple, while tills go on",
        about=(
            f"`perkpass design move` gives {cards:,} cards a new design, 200 a transaction, and every phone"
            " is promised a silent push; the worker claims, sends and settles meanwhile. SQLite is `perkpass"
            " run`; PostgreSQL (with Redis) is one `perkpass web` and two `perkpass worker`. All the time"
            f" tills record {RATE:.0f} receipts a second, each for another guest, and the latency counts from"
            " the moment a receipt is due. Times count from the start of the command. Memory is the highest"
            " sum of PSS over all processes of the service, the command included and PostgreSQL left out;"
            " push service, tills and observer run on the same cores. *Calm* is the same rate of receipts"
            " with nothing else going on, before."
        ),
        tables=(_storms(measured), _receipts(measured)),
        figures=tuple(figure for kind, calm, storm in measured for figure in _figures(kind, calm, storm)),
    )


def _storms(measured: Sequence[tuple[str, Calm, Storm]]) -> Table:
    return Table(
        "From the command to the last push",
        ("", *(kind for kind, _, _ in measured)),
        (
            ("first commit, s", *(f"{storm.first_commit:.2f}" for *_, storm in measured)),
            ("first push, s", *(f"{storm.first_push:.2f}" for *_, storm in measured)),
            ("all cards changed, s", *(f"{storm.changed:.1f}" for *_, storm in measured)),
            ("all pushes accepted, s", *(f"{storm.handed_over:.1f}" for *_, storm in measured)),
            ("processor time of the service, s", *(f"{storm.cpu:.1f}" for *_, storm in measured)),
            ("highest memory, MB", *(f"{storm.peak:.0f}" for *_, storm in measured)),
        ),
    )


def _receipts(measured: Sequence[tuple[str, Calm, Storm]]) -> Table:
    rows = []
    for kind, calm, storm in measured:
        for what, latencies in (
            ("calm, to the answer", calm.receipts),
            ("calm, to the accepted push", calm.pushes),
            ("while cards are changed, to the answer", storm.while_changing),
            ("while the rest is pushed, to the answer", storm.while_pushing),
        ):
            shares = (f"{_share(latencies, share):.0f}" for share in (0.5, 0.95, 0.99, 1.0))
            rows.append((f"{kind}: {what}", f"{len(latencies):,}", *shares))
    return Table(
        f"Receipts at {RATE:.0f} a second, ms", ("", "receipts", "p50", "p95", "p99", "longest"), tuple(rows)
    )


def _figures(kind: str, calm: Calm, storm: Storm) -> tuple[Figure, ...]:
    if not storm.while_changing:
        raise RuntimeError("no receipt was due while cards were changed: take more cards")
    key = f"hundred_thousand.{kind.lower()}"
    first_push = max(0.0, storm.first_push - storm.first_commit)
    receipts, pushes = _share(storm.while_changing, 0.95), _share(calm.pushes, 0.95)
    figures = (
        Figure(
            f"{key}.handed_over", f"all cards changed and pushed, {kind}", storm.handed_over, "s", at_most=90
        ),
        Figure(f"{key}.first_push", f"first commit to first push, {kind}", first_push, "s", at_most=1),
        Figure(
            f"{key}.receipts", f"receipt p95 while cards are changed, {kind}", receipts, "ms", at_most=100
        ),
        Figure(f"{key}.refused", f"receipts refused meanwhile, {kind}", storm.refused, "", at_most=0),
        Figure(f"{key}.receipt_push", f"receipt to accepted push, p95, {kind}", pushes, "ms", at_most=1000),
    )
    if kind != "SQLite":  # the bar is for one machine
        return figures
    return (*figures, Figure(f"{key}.memory", f"memory meanwhile, {kind}", storm.peak, "MB", at_most=300))


if __name__ == "__main__":
    main()
