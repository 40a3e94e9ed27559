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
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, select

from app.db import connect
from app.passes.tables import design, wallet_pass
from bench import arguments, push_record, usage
from bench.installations import Inhabited, inhabited
from bench.push_record import PushRecord
from bench.report import deliver
from bench.storm_report import RATE, Calm, Storm, report
from bench.storms import count, first_since, latencies, started, watched
from bench.tills import Rung, Tills
from bench.world import BRAND, PROGRAMME, World
from tests.flows.installation import ROOT, until

CARDS, CALM_SECONDS = 120_000, 30.0
PATIENCE = 300.0
TRAILING = 30.0
"""Seconds that the last receipts' pushes get, since what changes a card twice may share one push."""
DEFAULTS = {
    "PERKPASS_PUSH_COALESCE_SECONDS": "10",
    "PERKPASS_PUSH_BUDGET_RECEIPT": "2",
    "PERKPASS_PUSH_LEASE_SECONDS": "30",
}


def main() -> None:
    """Measure both ways of running, and report."""
    told = arguments.parser("hundred_thousand")
    told.add_argument("cards", nargs="?", type=arguments.number(), default=CARDS, help="in the world")
    told.add_argument(
        "calm", nargs="?", type=arguments.seconds, default=CALM_SECONDS, help="seconds of single receipts"
    )
    given = told.parse_args()
    cards, calm_seconds = given.cards, given.calm
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
                with started(place):
                    calm = _calm(place, record, range(cards, cards + quiet_guests))
                    measured.append((place.kind, calm, _storm(place, record, cards)))
    deliver(report(cards, measured))


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
    opened, spent, told = time.time(), usage.cpu_seconds(record.pid), count(record.pushes())
    tills = Tills(installation.port, world, guests, rate=RATE)
    time.sleep(1)
    began = time.time()
    command = subprocess.Popen(
        [sys.executable, "-m", "app", "design", "move", BRAND, PROGRAMME, "--from", "1", "--to", "2"],
        cwd=ROOT, env=installation.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with watched(place, command.pid) as seen:
        first_commit = _first_commit(place)
        if command.wait(PATIENCE):
            raise RuntimeError(f"perkpass design move failed with status {command.returncode}")
        changed = time.time()
        until(lambda: record.reached(since=opened) >= cards, seconds=PATIENCE, what="every card's push")
    rung, pushes = tills.stop(), record.pushes()
    taken = (count(pushes) - told) / (usage.cpu_seconds(record.pid) - spent)
    rung_up = {one.number for one in rung}  # pushed for the receipt, perhaps before the card was moved
    moved = (number for number in range(cards) if number not in rung_up)
    first = [first_since(pushes[world.push_token(number)], opened) for number in moved]
    changing = [one for one in rung if first_commit <= one.due < changed and one.taken]
    return Storm(
        first_commit=first_commit - began,
        first_push=min(first) - began,
        changed=changed - began,
        handed_over=max(first) - began,
        while_changing=latencies(rung, first_commit, changed),
        while_pushing=latencies(rung, changed, max(first)),
        pushed_while_changing=_to_the_push(changing, record, world),
        ceiling=taken,
        refused=sum(not one.taken for one in rung),
        peak=max(seen.memory),
        cpu=seen.cpu,
    )


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


def _to_the_push(rung: Sequence[Rung], record: PushRecord, world: World) -> list[float]:
    """From each receipt to its phone's next push; where none comes in time, to the end of patience."""
    deadline = time.time() + TRAILING
    while True:
        pushes, now = record.pushes(), time.time()
        later = [[at for at in pushes[world.push_token(one.number)] if at >= one.due] for one in rung]
        if all(later) or now >= deadline:
            return [(at[0] if at else now) - one.due for at, one in zip(later, rung, strict=True)]
        time.sleep(1)


if __name__ == "__main__":
    main()
