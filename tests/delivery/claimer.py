"""A process that claims until nothing is left and prints what it got; killed, it leaves its rows claimed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module

from app.db import connect
from app.delivery import queue
from app.delivery.budget import Policy


def main(url: str, owner: str, batch: int, most: int) -> None:
    """Claim ``batch`` rows a transaction, ``most`` rows at most; then print "done" and wait to be ended."""
    for room in ("accounts", "places", "delivery", "passes", "loyalty"):
        import_module(f"app.{room}.tables")
    database = connect(url)
    taken: list[int] = []
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    while len(taken) < most:
        now = datetime.now(UTC)
        with database.write() as tx:
            claim = queue.claim(
                tx, owner=owner, now=now, lease=timedelta(seconds=30), policy=Policy(), limit=batch
            )
            queue.begin_attempts(tx, claim.claimed, now=now)
        taken += [one.id for one in claim.claimed]
        if not claim.claimed:
            break
    sys.stdout.write(" ".join(map(str, taken)) + "\ndone\n")
    sys.stdout.flush()
    sys.stdin.readline()
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
