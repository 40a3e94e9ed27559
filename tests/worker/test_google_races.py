"""Tills, callbacks and workers at once: nobody waits in a circle, and Google ends with the newest content."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import OperationalError

from app.db import Database
from app.delivery.budget import Policy
from app.google.client import PATIENCE
from app.simulators import google as simulator
from app.wakeup import LocalWakeup
from app.worker.apple import AppleChannel
from app.worker.google_channel import GoogleChannel
from app.worker.google_lane import GoogleWork
from app.worker.loop import Worker
from tests.worker.google_hand import opened

CARDS = 6
TIMES = 5 * CARDS


def test_google_ends_with_the_newest_content_whoever_races(database: Database, tmp_path: Path) -> None:
    with simulator.running() as running:
        running.turn(requests_per_second=None, no_callbacks=True)
        with opened(database, running, running.service_account(), now=datetime.now(UTC)) as cafe:
            cards = [cafe.installed(balance=0) for _ in range(CARDS)]
            stop = threading.Event()
            faults: list[Exception] = []

            def till(number: int) -> None:
                cafe.change(cards[number % CARDS], kind="silent", balance=100 * number)

            def google(number: int) -> None:
                cafe.heard(cards[-number % CARDS], "save", str(number))

            def busy(work: Callable[[int], None]) -> None:
                try:
                    for number in range(1, TIMES + 1):
                        work(number)
                except OperationalError as fault:
                    faults.append(fault)

            workers = [
                Worker(
                    database=database,
                    channel=AppleChannel(lambda _: (b"", b""), url="https://127.0.0.1:9"),
                    wakeup=LocalWakeup(tmp_path / f"bell{number}"),
                    clock=lambda: datetime.now(UTC),
                    policy=Policy(),
                    lease=timedelta(seconds=20),
                    google=GoogleWork(
                        GoogleChannel(cafe.accounts(cafe.wallet(patience=PATIENCE), None)), cafe.press
                    ),
                    poll_seconds=0.1,
                )
                for number in range(2)
            ]
            threads = [threading.Thread(target=one.run, args=(stop,)) for one in workers]
            busy_ones = [threading.Thread(target=busy, args=(each,)) for each in (till, google)]
            for thread in (*threads, *busy_ones):
                thread.start()
            for thread in busy_ones:
                thread.join()
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and any(
                row.state in ("pending", "sending") for row in cafe.rows()
            ):
                time.sleep(0.2)
            stop.set()
            for thread in threads:
                thread.join()
            assert faults == []
            for index, pass_id in enumerate(cards):
                last = max(n for n in range(1, TIMES + 1) if n % CARDS == index)
                assert cafe.at_google(pass_id)["loyaltyPoints"]["balance"] == {"string": str(last)}
                assert cafe.card(pass_id).has_users is True
