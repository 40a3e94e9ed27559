"""A process that claims texts of one login for some seconds, and prints when each of them may leave."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from importlib import import_module

from app.db import connect
from app.delivery import texts


def main(url: str, owner: str, rate: float, burst: int, seconds: float) -> None:
    """Prints "ready", waits for a line, then claims; last come ids and departures (UNIX seconds)."""
    for room in ("accounts", "places", "delivery", "passes", "loyalty"):
        import_module(f"app.{room}.tables")
    database = connect(url)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    told: list[str] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        now = datetime.now(UTC)
        with database.write() as tx:
            claimed = texts.claim_texts(
                tx,
                owner=owner,
                login="main",
                rate=rate,
                burst=burst,
                now=now,
                lease=timedelta(minutes=5),
                limit=7,
            )
            departures = texts.depart(tx, "main", len(claimed), rate=rate, burst=burst, now=now)
            texts.begin_attempts(tx, claimed, now=now)
        told += [
            f"{one.id}:{departure.timestamp():.6f}"
            for one, departure in zip(claimed, departures, strict=True)
        ]
        time.sleep(0.01)
    sys.stdout.write(" ".join(told) + "\n")
    sys.stdout.flush()
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
