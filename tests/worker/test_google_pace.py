"""All workers together keep the issuer's rate."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.db import Database
from app.delivery.budget import Policy
from app.google.client import PATIENCE
from app.simulators import google as simulator
from app.wakeup import LocalWakeup
from app.worker.apple import AppleChannel
from app.worker.google_channel import GoogleChannel
from app.worker.google_lane import GoogleWork, callback_tick, class_tick
from app.worker.loop import Worker
from tests.worker.google_hand import Cafe, opened

CARDS = 40
WORKERS = 4


def _worker(database: Database, cafe: Cafe, bell: LocalWakeup, rate: float) -> Worker:
    return Worker(
        database=database,
        channel=AppleChannel(lambda _: (b"", b""), url="https://127.0.0.1:9"),
        wakeup=bell,
        clock=lambda: datetime.now(UTC),
        policy=Policy(),
        lease=timedelta(seconds=20),
        google=GoogleWork(GoogleChannel(cafe.accounts(cafe.wallet(patience=PATIENCE), rate)), cafe.press),
        poll_seconds=0.1,
        ticks=[class_tick(cafe.press), callback_tick()],
    )


def test_four_workers_keep_one_rate_and_google_never_says_too_many(
    database: Database, tmp_path: Path
) -> None:
    with simulator.running() as running:
        running.turn(requests_per_second=None, no_callbacks=True)
        with opened(database, running, running.service_account(), now=datetime.now(UTC)) as cafe:
            cards = [cafe.issue(balance=0) for _ in range(CARDS)]
            for pass_id in cards:
                cafe.ensure(pass_id)
            cafe.work()
            time.sleep(1.1)  # its bucket is full again
            running.turn(requests_per_second=20.0)
            before = len(running.calls())
            stop = threading.Event()
            workers = [
                _worker(database, cafe, LocalWakeup(tmp_path / f"bell{number}"), 20.0)
                for number in range(WORKERS)
            ]
            threads = [threading.Thread(target=one.run, args=(stop,)) for one in workers]
            for thread in threads:
                thread.start()
            cafe.now = datetime.now(UTC)
            for pass_id in cards:
                cafe.change(pass_id, kind="silent", balance=100 * pass_id)
            deadline = time.monotonic() + 30
            while len(running.calls()) - before < CARDS and time.monotonic() < deadline:
                time.sleep(0.1)
            stop.set()
            for thread in threads:
                thread.join()
            calls = running.calls()[before:]
            assert {call.status for call in calls} == {200}, "none was one too many"
            took = calls[-1].at - calls[0].at
            assert took >= (CARDS - 1) / 20 - 0.5
            for pass_id in cards:
                assert cafe.at_google(pass_id)["loyaltyPoints"]["balance"] == {"string": str(pass_id)}
