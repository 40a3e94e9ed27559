"""A worker of texts as a process of its own, until it is killed: ``python -m tests.worker.text_hand``."""

from __future__ import annotations

import sys
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from threading import Event

import structlog

from app.db import connect
from app.delivery.budget import Policy
from app.errors import Misconfigured
from app.sms.wire import Patience
from app.wakeup import LocalWakeup
from app.worker.apple import AppleChannel
from app.worker.loop import Worker
from tests.sms.ears import Ear
from tests.worker.conftest import now
from tests.worker.text_house import House, Kind


def main(database_url: str, bell: str, kind: Kind, port: str, ear: str, lease: str) -> None:
    """``ear``: where the gateway calls back to; ``lease`` is in seconds."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    for room in ("accounts", "places", "delivery", "passes", "loyalty"):
        import_module(f"app.{room}.tables")

    def nobody(_pass_type: str) -> tuple[bytes, bytes]:
        raise Misconfigured("there is no pass here")

    sure_after = timedelta(seconds=2)
    found = House(kind, int(port), Ear(ear))
    print("ready", flush=True)
    Worker(
        database=connect(database_url),
        channel=AppleChannel(nobody, url="https://127.0.0.1:9"),
        texts=found.channel(sure_after=sure_after, patience=Patience(exchange=1.5)),
        wakeup=LocalWakeup(Path(bell)),
        clock=now,
        policy=Policy(),
        lease=timedelta(seconds=float(lease)),
        poll_seconds=0.05,
    ).run(Event())


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
