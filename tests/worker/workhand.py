"""A worker as a process of its own, until its standard input ends."""

from __future__ import annotations

import sys
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from threading import Event, Thread

import structlog

from app.db import connect
from app.db.identifiers import PassTypeIdentifier
from app.delivery.budget import Policy
from app.wakeup import LocalWakeup, RedisWakeup
from app.worker.apple import AppleChannel
from app.worker.loop import Worker
from app.worker.ticks import rollout_tick
from tests.worker.conftest import now


def main(database_url: str, bell: str, apns_url: str, root: str, credentials: str, lease: str) -> None:
    """``bell`` is Redis's address or a socket's path; ``lease`` is in seconds."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    for room in ("accounts", "places", "delivery", "passes", "loyalty"):
        import_module(f"app.{room}.tables")

    def pems(_pass_type: PassTypeIdentifier) -> tuple[bytes, bytes]:
        directory = Path(credentials)
        return (directory / "certificate.pem").read_bytes(), (directory / "key.pem").read_bytes()

    database = connect(database_url)
    worker = Worker(
        database=database,
        channel=AppleChannel(pems, url=apns_url, ca=Path(root), push_timeout=timedelta(seconds=5)),
        wakeup=RedisWakeup(bell) if "://" in bell else LocalWakeup(Path(bell)),
        clock=now,
        policy=Policy(receipt=1000, campaign=1000, coalesce=timedelta(0)),
        lease=timedelta(seconds=float(lease)),
        poll_seconds=0.05,
        ticks=[rollout_tick(every=timedelta(seconds=1))],
    )
    stop = Event()
    working = Thread(target=worker.run, args=(stop,))
    working.start()
    print(worker.owner, flush=True)
    sys.stdin.read()
    stop.set()
    working.join()
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
