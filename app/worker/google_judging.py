"""What Google's answers mean for a promise, its object or class, and the ledger. Pure.

What is lost of a patch or an insert, or answered 5xx, is tried again: that changes nothing that was done.
What is lost of an ``addMessage`` is looked for first. Nothing here says that anybody saw anything: Google
does not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from app.db.identifiers import GoogleClassId
from app.delivery.google_promises import GoogleOutcome, GoogleVerdict
from app.delivery.google_quota import Fate
from app.delivery.stopped import PROBE_AFTER
from app.google.answers import Answer, Verdict
from app.passes import google_patches
from app.passes.store_google import ObjectRow
from app.worker.google_parcels import GoogleAnswered

ASK_AFTER: Final = timedelta(seconds=2)
"""A message in doubt is looked for no sooner."""
SURE_AFTER: Final = timedelta(minutes=1)
"""So long after a try a message that is not on the object is believed never to have come."""
AWAY_COUNTS: Final = 4
"""While Google is away a change waits no longer than after so many tries, two minutes, and never wears out:
however long that lasts, all that waited is there minutes after Google is back."""
_AWAY: Final = (502, 503, 504)

Change = Callable[[ObjectRow], ObjectRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is to be written of one answer."""

    outcome: GoogleOutcome
    change: Change | None = None  # what is known of the object now
    has_users: bool | None = None  # as this answer said it
    read: bool = False  # it was read for that very question
    class_now: tuple[GoogleClassId, Mapping[str, str] | None, bool] | None = (
        None  # digests, whether it is there
    )
    fate: Fate | None = None  # of the notification that was asked for
    broadcast: Mapping[str, Any] | None = None  # what is known of the message to the class now
    class_refused: bool = False  # Google takes no class that says this
    denied: str | None = None  # the issuer's account is of no use, and why


def judge(answered: GoogleAnswered, *, now: datetime) -> Judged:
    """Judge what came of one plan."""
    if answered.untried:
        fate: Fate | None = "unused" if answered.ready.plan.how else None
        return Judged(outcome=outcome_of(answered, "retry", answered.untried, counts=False), fate=fate)
    if answered.ready.claimed.class_id is not None:
        return _class(answered)
    if answered.ready.plan.step == "read":
        return _read(answered, now)
    if answered.first is not None and answered.first.verdict is not Verdict.ACCEPTED:
        return _not_changed(answered, answered.first)
    if answered.message is not None and answered.message.verdict is not Verdict.ACCEPTED:
        return _not_told(answered, answered.message, now)
    return _done(answered, now)


def _done(answered: GoogleAnswered, now: datetime) -> Judged:
    """All of it was taken, or the message was left away since nobody holds the card."""
    plan = answered.ready.plan
    last = answered.message or answered.first
    told = answered.message is not None
    has_users = last.has_users if last else None
    if plan.how == "field":
        fate: Fate | None = "no_holder" if has_users is False else "notified"
    elif plan.how == "message":
        fate = "notified" if told else "unused"
    else:
        fate = None
    if told and has_users is False:
        fate = "no_holder"
    reason = plan.reason(has_users=has_users, notified=fate == "notified")
    return Judged(
        outcome=outcome_of(answered, "accepted", reason, last),
        change=_taken(answered, now, told=told),
        has_users=has_users,
        fate=fate,
    )


def _taken(answered: GoogleAnswered, now: datetime, *, told: bool) -> Change:
    """The object after the first request, and the message where it was ``told``."""
    plan = answered.ready.plan
    messages = (*plan.messages, plan.message_id) if told and plan.message_id else plan.messages
    announced = plan.message_id if plan.message_id in messages else None

    def change(row: ObjectRow) -> ObjectRow:
        return replace(
            row,
            sent=plan.sent if answered.first is not None else row.sent,
            messages=list(messages),
            announced=announced or row.announced,
            google_class_id=plan.class_id or row.google_class_id,
            inserted_at=row.inserted_at or now,
        )

    return change


def _not_changed(answered: GoogleAnswered, first: Answer) -> Judged:
    """The insert or the patch was not taken: what is known of the object, and what follows."""
    plan, said, doubtful = answered.ready.plan, words_of(first), _may_be_done(first)
    fate: Fate | None = None
    if plan.how is not None:  # a message follows its patch: it left only where its own answer was waited for
        fate = "asked" if doubtful and (plan.how == "field" or answered.message is not None) else "unused"
    change: Change | None = None
    if first.verdict is Verdict.EXISTS:
        at = answered.ready.prepared_at
        change = lambda row: replace(row, inserted_at=row.inserted_at or at, sent=None, messages=None)  # noqa: E731
        return Judged(outcome=outcome_of(answered, "next", said, first), change=change, fate=fate)
    if first.verdict is Verdict.MISSING:
        return _missing(answered, first, fate)
    if first.verdict is Verdict.QUOTA and plan.how == "field":  # the balance itself Google does take
        return Judged(outcome=outcome_of(answered, "next", said, first), fate="quota")
    if doubtful and plan.step == "patch":
        fields = [field for field in plan.fields if field not in ("messages", "notifyPreference")]
        messages = "messages" in plan.fields
        told = plan.message_id if answered.message is not None else None  # no end of either was seen
        at = answered.ready.prepared_at

        def doubt(row: ObjectRow) -> ObjectRow:
            return replace(
                row,
                sent=google_patches.doubted(row.sent, fields),
                messages=None if messages else row.messages,
                doubted_message=told or row.doubted_message,
                doubted_at=at if told else row.doubted_at,
            )

        change = doubt
    return waits(answered, first, change=change, fate=fate)


def _missing(answered: GoogleAnswered, first: Answer, fate: Fate | None) -> Judged:
    """A 404: to an insert its class is not there, to a patch the object is not."""
    plan, said = answered.ready.plan, words_of(first)
    if plan.step == "insert":
        gone = (plan.class_id, None, False) if plan.class_id is not None else None
        return Judged(outcome=outcome_of(answered, "retry", said, first), class_now=gone, fate=fate)

    def forget(row: ObjectRow) -> ObjectRow:
        return replace(row, inserted_at=None, sent=None, messages=None, doubted_message=None, doubted_at=None)

    return Judged(outcome=outcome_of(answered, "next", said, first), change=forget, fate=fate)


def _not_told(answered: GoogleAnswered, message: Answer, now: datetime) -> Judged:
    """The patch is there, the message is not, or nobody knows."""
    kept, plan = _taken(answered, now, told=False), answered.ready.plan
    if message.verdict is Verdict.QUOTA:  # Google counts otherwise than we: what is new goes along silently
        return Judged(
            outcome=outcome_of(answered, "next", words_of(message), message), change=kept, fate="quota"
        )
    if message.verdict is Verdict.MISSING:
        return replace(_missing(answered, message, "unused"), read=False)
    if message.verdict is Verdict.LOST:

        def doubt(row: ObjectRow) -> ObjectRow:
            return replace(kept(row), doubted_message=plan.message_id, doubted_at=now)

        outcome = outcome_of(answered, "lost", words_of(message), message, not_before=ASK_AFTER)
        return Judged(outcome=outcome, change=doubt, fate="asked")
    return waits(answered, message, change=kept, fate="unused")


def _read(answered: GoogleAnswered, now: datetime) -> Judged:
    """What the object says: whether somebody holds it, and whether the message in doubt came."""
    first = answered.first
    if first is None or first.verdict is not Verdict.ACCEPTED:
        if first is not None and first.verdict is Verdict.MISSING:
            return replace(_missing(answered, first, None), read=True)
        return waits(answered, first or Answer(verdict=Verdict.LOST, reason="no-answer"))
    resource: Mapping[str, Any] = first.resource or {}
    there = [str(each.get("id")) for each in resource.get("messages") or () if isinstance(each, dict)]
    plan = answered.ready.plan
    came = plan.doubted in there
    since = (plan.doubted_at or now) + SURE_AFTER - now  # it may yet come
    sure = plan.doubted is None or came or since <= timedelta(0)

    def found(row: ObjectRow) -> ObjectRow:
        known = replace(row, messages=there, announced=plan.doubted if came else row.announced)
        return replace(known, doubted_message=None, doubted_at=None) if sure else known

    outcome = outcome_of(answered, "next", "Read", first)
    if not sure:
        outcome = outcome_of(answered, "retry", "NotThereYet", first, counts=False, not_before=since)
    # A whole object without the field: Google was seen to leave out what is false.
    held = bool(first.has_users) if resource else None
    return Judged(outcome=outcome, change=found, has_users=held, read=True)


def _class(answered: GoogleAnswered) -> Judged:
    plan, first = answered.ready.plan, answered.first
    if first is None or plan.class_id is None:
        return waits(answered, Answer(verdict=Verdict.LOST, reason="no-answer"))
    if first.verdict is Verdict.ACCEPTED:
        return Judged(
            outcome=outcome_of(answered, "accepted", "Taken", first),
            class_now=(plan.class_id, plan.sent, True),
        )
    if first.verdict in (Verdict.EXISTS, Verdict.MISSING):
        there = first.verdict is Verdict.EXISTS
        outcome = outcome_of(answered, "next", words_of(first), first)
        return Judged(outcome=outcome, class_now=(plan.class_id, None, there))
    judged = waits(answered, first)
    if _may_be_done(first) and plan.step == "patch":
        return replace(judged, class_now=(plan.class_id, None, True))
    return replace(judged, class_refused=first.verdict is Verdict.REFUSED)


def _may_be_done(answer: Answer) -> bool:
    """Whether Google may have it all the same: there was no answer, or something failed on the way."""
    failed = answer.status is not None and (answer.status >= 500 or answer.status == 408)
    return answer.verdict is Verdict.LOST or (answer.verdict is Verdict.RETRY and failed)


def _is_away(answer: Answer) -> bool:
    """Whether it is Google, or the way there, that fails, and not this change."""
    return answer.status is None or answer.status in _AWAY


def waits(
    answered: GoogleAnswered, answer: Answer, *, change: Change | None = None, fate: Fate | None = None
) -> Judged:
    """Refused for good, or to be tried again."""
    said = words_of(answer)
    if answer.verdict is Verdict.REFUSED:
        return Judged(outcome=outcome_of(answered, "refused", said, answer), change=change, fate=fate)
    if answer.verdict is Verdict.DENIED:
        outcome = replace(outcome_of(answered, "retry", said, answer, counts=False), retry_after=PROBE_AFTER)
        return Judged(outcome=outcome, change=change, fate=fate, denied=said)
    verdict: GoogleVerdict = "lost" if answer.verdict is Verdict.LOST else "retry"
    counts = not _is_away(answer) or answered.ready.claimed.attempts <= AWAY_COUNTS
    return Judged(
        outcome=outcome_of(answered, verdict, said, answer, counts=counts), change=change, fate=fate
    )


def outcome_of(
    answered: GoogleAnswered,
    verdict: GoogleVerdict,
    reason: str,
    answer: Answer | None = None,
    *,
    counts: bool = True,
    not_before: timedelta | None = None,
) -> GoogleOutcome:
    """What came of it, for its promise."""
    return GoogleOutcome(
        claimed=answered.ready.claimed,
        verdict=verdict,
        reason=reason,
        status=answer.status if answer else None,
        retry_after=answer.retry_after if answer else None,
        not_before=not_before,
        counts=counts,
    )


def words_of(answer: Answer) -> str:
    """Google's own code and words, as the reason of an outcome."""
    return (f"{answer.reason}: {answer.words}" if answer.words else answer.reason or answer.verdict)[:200]
