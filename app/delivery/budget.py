"""The phone's patience: how iOS scores pass pushes, and how long until one more is allowed. Pure.

iOS keeps a score per (device, pass type identifier) and, above thresholds that are not public, delays the
update, and at last switches automatic updates off for every pass of that type (observed behaviour of passd,
not documented by Apple). With ``zero = max(30 min, 2 h / passes of that type on the phone)`` every push adds
``x³`` where ``x = (zero − time since the last push) / zero`` is positive, else ``x``; never below 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.errors import Misconfigured

SHORTEST_ZERO_SECONDS: Final = 1800.0
ZERO_SECONDS: Final = 7200.0
TOLERANCE: Final = 1e-9
"""Scores that differ by less are equal: floating-point arithmetic."""


@dataclass(frozen=True, slots=True)
class Patience:
    """What is known of one phone: the score after its last push."""

    score: float
    last_push_at: datetime
    passes: int = 1  # of this type on the phone, as last seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How much of a phone's score each kind of push may use, and what shares one push."""

    receipt: float = 2.0
    campaign: float = 0.3
    silent: float = 0.0  # only where the push leaves no trace; otherwise it waits to travel with another
    coalesce: timedelta = timedelta(seconds=10)

    def __post_init__(self) -> None:
        if min(self.receipt, self.campaign, self.silent) < 0 or self.coalesce < timedelta(0):
            raise Misconfigured("PERKPASS_PUSH_BUDGET_… and PUSH_COALESCE_SECONDS must not be negative")

    def limit(self, kind: str) -> float:
        """The score that a push of this kind may lead to."""
        return {"receipt": self.receipt, "campaign": self.campaign, "silent": self.silent}[kind]


def zero_seconds(passes: int) -> float:
    """Seconds between pushes at which the score stays as it is."""
    return max(SHORTEST_ZERO_SECONDS, ZERO_SECONDS / max(1, passes))


def score_after(patience: Patience | None, now: datetime) -> float:
    """The phone's score after a push at ``now``; a phone that was never pushed starts at 0."""
    if patience is None:
        return 0.0
    zero = zero_seconds(patience.passes)
    x = (zero - (now - patience.last_push_at).total_seconds()) / zero
    return max(0.0, patience.score + (x**3 if x > 0 else x))


def pushed(patience: Patience | None, now: datetime, *, passes: int = 1) -> Patience:
    """What is known after a push at ``now``, with the number of passes as seen at that push."""
    if patience is not None:
        patience = replace(patience, passes=passes)
    return Patience(score_after(patience, now), now, max(1, passes))


def allowed_after(patience: Patience, limit: float) -> timedelta:
    """How long after the last push the next one leads to a score of at most ``limit`` (closed form)."""
    zero = zero_seconds(patience.passes)
    room = limit - patience.score
    x = min(1.0, math.cbrt(room) if room > 0 else room)
    # Rounded up to whole milliseconds: a hair too early would be above the limit.
    return timedelta(milliseconds=math.ceil(zero * (1.0 - x) * 1000))


def earliest_push(
    patience: Patience | None, kind: str, policy: Policy, now: datetime
) -> tuple[datetime, bool]:
    """When a push of ``kind`` may leave (``now`` or later), and whether it is the budget that holds it back.

    The first push leaves at once; what changes within ``policy.coalesce`` shares one trailing push.
    """
    if patience is None:
        return now, False
    trailing = patience.last_push_at + policy.coalesce
    limit = policy.limit(kind)
    if score_after(patience, max(now, trailing)) <= limit + TOLERANCE:
        return max(now, trailing), False
    return max(now, trailing, patience.last_push_at + allowed_after(patience, limit)), True
