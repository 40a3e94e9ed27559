"""What Google's answers mean for a message to a whole class. Pure.

What is lost of it is looked for on the class. Where Google says that its quota is used up, by a count of its
own, each card is told by itself. The ledger reads from the promise what came of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.google.answers import Answer, Verdict
from app.worker.google_judging import ASK_AFTER, SURE_AFTER, Judged, outcome_of, waits, words_of
from app.worker.google_parcels import GoogleAnswered


def judge_broadcast(answered: GoogleAnswered, *, now: datetime) -> Judged:
    """Judge what came of one plan that is about a class's message."""
    plan, message = answered.ready.plan, answered.message
    if answered.untried:
        return Judged(outcome=outcome_of(answered, "retry", answered.untried, counts=False))
    if message is not None and message.verdict is Verdict.LOST:
        outcome = outcome_of(answered, "lost", words_of(message), message, not_before=ASK_AFTER)
        return Judged(outcome=outcome, broadcast={"doubted_at": now})
    first = answered.first
    if first is not None and first.verdict is not Verdict.ACCEPTED:
        return _not_taken(answered, first)
    if plan.step == "read":
        return _read(answered, first, now)
    if message is None:
        return waits(answered, Answer(verdict=Verdict.LOST, reason="no-answer"))
    if message.verdict is Verdict.QUOTA:
        outcome = outcome_of(answered, "next", words_of(message), message)
        return Judged(outcome=outcome, broadcast={"way": "cards"})
    if message.verdict is not Verdict.ACCEPTED:
        return _not_taken(answered, message)
    outcome = outcome_of(answered, "accepted", plan.done, message)
    return Judged(outcome=outcome, broadcast={"on_class": True})


def _not_taken(answered: GoogleAnswered, said: Answer) -> Judged:
    plan = answered.ready.plan
    if said.verdict is Verdict.MISSING and plan.class_id is not None:
        outcome = outcome_of(answered, "next", words_of(said), said)
        return Judged(outcome=outcome, class_now=(plan.class_id, None, False))
    return waits(answered, said)


def _read(answered: GoogleAnswered, first: Answer | None, now: datetime) -> Judged:
    plan = answered.ready.plan
    messages = ((first.resource if first else None) or {}).get("messages") or ()
    if any(isinstance(each, dict) and each.get("id") == plan.doubted for each in messages):
        outcome = outcome_of(answered, "accepted", plan.done, first)
        return Judged(outcome=outcome, broadcast={"doubted_at": None, "on_class": True})
    since = (plan.doubted_at or now) + SURE_AFTER - now  # it may yet come
    if since > timedelta(0):
        outcome = outcome_of(answered, "retry", "NotThereYet", first, counts=False, not_before=since)
        return Judged(outcome=outcome)
    return Judged(outcome=outcome_of(answered, "next", "Read", first), broadcast={"doubted_at": None})
