"""The worker's own numbers, served on loopback where a port is set; depths: ``/metrics`` of the web."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from prometheus_client import Counter, Gauge, Histogram, start_http_server

from app.delivery.google_promises import GOOGLE_PRIORITIES
from app.delivery.promises import PRIORITIES
from app.delivery.text_promises import TEXT_PRIORITIES

log = structlog.get_logger()

PUSHES: Final = Counter(
    "perkpass_pushes", "Push attempts settled, by what came of the promise", ["pass_type_identifier", "state"]
)
HELD: Final = Counter("perkpass_pushes_held", "Promises put back by a phone's budget or coalescing")
RESCUED: Final = Counter("perkpass_pushes_rescued", "Promises taken back from workers that died")
STALE: Final = Counter("perkpass_pushes_stale", "Answers that came after the lease was over")
BEATS: Final = Histogram(
    "perkpass_batch_seconds",
    "Seconds that each beat of a batch took",
    ["beat"],  # prepare, send, settle; of texts: prepare_texts, …
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
TEXTS: Final = Counter("perkpass_texts", "Texts settled, by what came of them", ["login", "kind", "state"])
RECEIPTS: Final = Counter("perkpass_text_receipts", "Receipts heard of, by what they say", ["login", "state"])
TEXTS_IN_FLIGHT: Final = Gauge("perkpass_texts_in_flight", "Texts claimed by this worker and not settled")
_TEXT_LATENESS: Final = Histogram(
    "perkpass_text_lateness_seconds",
    "Seconds from when a text was due until its gateway had taken it",
    ["kind"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200),
)
TEXT_LATENESS: Final = {kind: _TEXT_LATENESS.labels(kind) for kind in TEXT_PRIORITIES}
GOOGLE: Final = Counter(
    "perkpass_google_changes",
    "Changes of Google's objects and classes settled, by what came of them",
    ["issuer", "kind", "state"],
)
GOOGLE_IN_FLIGHT: Final = Gauge(
    "perkpass_google_changes_in_flight", "Changes for Google claimed by this worker and not settled"
)
_GOOGLE_LATENESS: Final = Histogram(
    "perkpass_google_lateness_seconds",
    "Seconds from when a change was due until Google had taken it",
    ["kind"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200),
)
GOOGLE_LATENESS: Final = {kind: _GOOGLE_LATENESS.labels(kind) for kind in GOOGLE_PRIORITIES}
BALANCE: Final = Gauge(
    "perkpass_sms_balance", "Left on a gateway's account, in minor units", ["login", "currency"]
)
BREAKER: Final = Gauge("perkpass_breaker_open", "1 while a breaker is open", ["subject"])
ALARMS: Final = Gauge("perkpass_alarms", "What the console warns of just now")
TICKS: Final = Counter("perkpass_ticks", "Periodic work done", ["kind"])
FAULTS: Final = Counter("perkpass_worker_faults", "Cycles that failed", ["kind"])  # database, receipt, other


@contextmanager
def served(port: int) -> Iterator[None]:
    """Serve the numbers on this port of 127.0.0.1; 0: not at all. A port that is taken stops no pushes."""
    try:
        server, thread = start_http_server(port, addr="127.0.0.1") if port else (None, None)
    except OSError as fault:
        log.error("metrics_not_served", port=port, fault=fault.strerror)  # noqa: TRY400
        server, thread = None, None
    try:
        yield
    finally:
        if server and thread:
            server.shutdown()
            server.server_close()
            thread.join()
