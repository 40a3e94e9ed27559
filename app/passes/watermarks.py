"""Until when it is known what phones fetched: who acts on a guest's silence must not act beyond it.

Each web process that phones speak to tells by its own row until when everything is written down. A process
that died, or cannot reach the database, is believed to be silent for :data:`LEASE`; after that it counts no
more, or one machine that was switched off would keep all texts from leaving for ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from app.db import Tx
from app.passes import store_watermarks as store

EVERY: Final = timedelta(seconds=10)
"""How often a process tells."""
LEASE: Final = timedelta(minutes=2)
"""So long the last word of a process counts: several words may be lost, and a restart takes less."""
_KEPT: Final = timedelta(days=1)


def tell(tx: Tx, process: str, recorded_until: datetime, *, now: datetime) -> None:
    """Everything that phones fetched from this process before ``recorded_until`` is written down."""
    store.write(tx, process, recorded_until, now=now)
    store.forget_silent(tx, before=now - _KEPT)


def leave(tx: Tx, process: str) -> None:
    """The process has written down everything, and serves no phone any more."""
    store.delete(tx, process)


def oldest(tx: Tx, now: datetime) -> datetime:
    """Until when every fetch is in the database; ``now`` where no process serves phones."""
    return min(store.oldest(tx, seen_after=now - LEASE) or now, now)
