"""What operators hear of Google's lane: metrics and the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from app.db.identifiers import DeliveryId
from app.delivery.promises import State
from app.delivery.stopped import GOOGLE
from app.worker import metrics
from app.worker.google_judging import Judged
from app.worker.google_parcels import GoogleAnswered

log = structlog.get_logger()


def tell(
    judged: Sequence[tuple[GoogleAnswered, Judged]],
    reached: Mapping[DeliveryId, State],
    opened: Sequence[tuple[str, str]],
    closed: Sequence[str],
    now: datetime,
) -> None:
    """Count what was settled, and log what somebody has to do something about."""
    settled = [
        (answer.ready.issuer_id, one.outcome) for answer, one in judged if one.outcome.claimed.id in reached
    ]
    metrics.STALE.inc(len(judged) - len(settled))
    counts = Counter((issuer, one.claimed.kind, reached[one.claimed.id]) for issuer, one in settled)
    for labels, count in counts.items():
        metrics.GOOGLE.labels(*labels).inc(count)
    for issuer, one in settled:
        if one.verdict == "accepted":
            metrics.GOOGLE_LATENESS[one.claimed.kind].observe((now - one.claimed.due_at).total_seconds())
        elif one.verdict == "refused":
            log.warning(
                "google_refused",
                issuer=issuer,
                delivery=one.claimed.id,
                status=one.status,
                reason=one.reason,
            )
    for name, reason in opened:
        metrics.BREAKER.labels(GOOGLE.subject_of(name)).set(1)
        log.error(
            "google_account_stopped",
            account=name,  # of issuer/brand
            reason=reason,
            action="changes wait and nothing is lost; is the service account a user of this issuer?",
        )
    for name in closed:
        metrics.BREAKER.labels(GOOGLE.subject_of(name)).set(0)
        log.warning("google_account_works", account=name)
