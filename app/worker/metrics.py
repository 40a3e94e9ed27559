"""The worker's own numbers, in prometheus-client's default registry; depths: ``queue.snapshot``."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from app.delivery.promises import PRIORITIES

PUSHES: Final = Counter(
    "perkpass_pushes", "Push attempts settled, by what came of the promise", ["pass_type_identifier", "state"]
)
HELD: Final = Counter("perkpass_pushes_held", "Promises put back by a phone's budget or coalescing")
RESCUED: Final = Counter("perkpass_pushes_rescued", "Promises taken back from workers that died")
STALE: Final = Counter("perkpass_pushes_stale", "Answers that came after the lease was over")
BEATS: Final = Histogram(
    "perkpass_batch_seconds",
    "Seconds that each beat of a batch took",
    ["beat"],  # prepare, send, settle
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_LATENESS: Final = Histogram(
    "perkpass_push_lateness_seconds",
    "Seconds from when a push was due until it was settled",
    ["kind"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
LATENESS: Final = {kind: _LATENESS.labels(kind) for kind in PRIORITIES}
IN_FLIGHT: Final = Gauge("perkpass_pushes_in_flight", "Pushes claimed by this worker and not settled")
BREAKER: Final = Gauge("perkpass_breaker_open", "1 while a breaker is open", ["subject"])
TICKS: Final = Counter("perkpass_ticks", "Periodic work done", ["kind"])
FAULTS: Final = Counter("perkpass_worker_faults", "Cycles that failed", ["kind"])  # database, other
