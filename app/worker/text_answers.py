"""Answers that no gateway gave: a text that may have left, one that was merely asked for, one not tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from app.delivery.stopped import PROBE_AFTER
from app.delivery.text_promises import LOGIN_STOPPED, TextOutcome
from app.worker.text_parcels import TextAnswered, TextReady

CALLED_BACK: Final = "NotSentInTime"


def unknown(one: TextReady, reason: str) -> TextAnswered:
    """It may have left."""
    outcome = TextOutcome(claimed=one.claimed, verdict="unknown", reason=reason)
    return TextAnswered(ready=one, outcome=outcome)


def still_unknown(one: TextReady, reason: str, wait: timedelta | None = None) -> TextAnswered:
    """It was merely asked for. ``wait``: until the gateway is believed; that is no try that failed."""
    outcome = TextOutcome(
        claimed=one.claimed,
        verdict="unknown",
        reason=reason,
        asked_only=True,
        retry_after=wait,
        counts=wait is None,
    )
    return TextAnswered(ready=one, outcome=outcome)


def untried(one: TextReady, reason: str) -> TextAnswered:
    """Nothing was asked nor sent; one in doubt stays so."""
    outcome = TextOutcome(
        claimed=one.claimed,
        verdict="unknown" if one.claimed.in_doubt else "retry",
        reason=reason,
        asked_only=True,
        counts=False,
        retry_after=PROBE_AFTER if reason == LOGIN_STOPPED else None,
    )
    return TextAnswered(ready=one, outcome=outcome)


def said(word: str, fault: Exception) -> str:
    """A fault in few words, as the reason of an outcome."""
    return f"{word}: {fault}"[:200]
