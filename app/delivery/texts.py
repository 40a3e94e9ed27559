"""Texts as promises: claimed within their login's pace, never sent again blindly, heard of by receipts.

Verbs take the open transaction and never commit. A push may be repeated, a text may not: one that may have
left goes back to ``pending`` only where its gateway can be asked by our reference (it is *in doubt* then, and
asked before anything is sent), else it ends as ``exhausted`` with the reason ``Unknown``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from random import random
from typing import Any, Final

from app.db import Tx
from app.db.identifiers import BrandId, DeliveryId, MemberId
from app.delivery import (
    retry,
    store_attempts,
    store_pace,
    store_text_books,
    store_text_promises,
    store_text_receipts,
    store_texts,
)
from app.delivery.pace import Pace
from app.delivery.stopped import subject_of
from app.delivery.text_hearing import ASK_FOR, Hearing, hear, hear_receipts, prices_asked, to_ask, to_price
from app.delivery.text_promises import (
    REPLACED,
    TOO_LATE,
    UNKNOWN,
    ClaimedText,
    ReceiptTold,
    Spent,
    TextDraft,
    TextKind,
    TextOutcome,
    TextQueue,
    TextRow,
    TextState,
    ToAsk,
    Unsendable,
)

__all__ = [
    "ASK_AFTER",
    "ASK_FOR",
    "SURE_AFTER",
    "TOO_LATE",
    "UNKNOWN",
    "ClaimedText",
    "Hearing",
    "ReceiptTold",
    "Spent",
    "TextDraft",
    "TextKind",
    "TextOutcome",
    "TextQueue",
    "TextRow",
    "TextState",
    "ToAsk",
    "hear",
    "hear_receipts",
    "prices_asked",
    "to_ask",
    "to_price",
]

ASK_AFTER: Final = timedelta(seconds=10)
"""A text in doubt is asked for no sooner: our request may still be on its way to the gateway."""
SURE_AFTER: Final = timedelta(minutes=1)
"""So long after a try a gateway that never heard of the text is believed: it takes it no more."""
_LEASE_EXPIRED: Final = "LeaseExpired"


def enqueue_text(tx: Tx, draft: TextDraft, *, now: datetime) -> DeliveryId:
    """Promise one text."""
    return enqueue_texts(tx, [draft], now=now)[0]


def enqueue_texts(tx: Tx, drafts: Sequence[TextDraft], *, now: datetime) -> list[DeliveryId]:
    """Promise texts; each gets a reference of its own by chance. Their ids, in the order of the drafts."""
    return store_text_promises.add(tx, drafts, now=now)


def call_off(tx: Tx, ids: Collection[DeliveryId], *, now: datetime) -> None:
    """End promised texts that say nothing any more, but for those that are on their way or may have left."""
    called_off = store_text_promises.supersede(tx, ids, reason=REPLACED, now=now)
    store_texts.forget_codes(tx, called_off)


def logins_due(tx: Tx, logins: Collection[str], *, now: datetime) -> list[str]:
    """Which of these logins have something to claim."""
    return store_texts.logins_due(tx, logins, now=now)


def claim_texts(
    tx: Tx,
    *,
    owner: str,
    login: str,
    rate: float,
    burst: int,
    now: datetime,
    lease: timedelta,
    limit: int = 500,
) -> list[ClaimedText]:
    """Take due texts of a login, the most urgent kind first: up to ``limit``, and as many as may leave soon.

    All processes together keep ``rate`` (texts a second) and ``burst``. The login's pace is locked until the
    transaction ends; those that are to be sent then take their departures with :func:`depart`.
    """
    room = Pace(rate, burst).room(store_pace.free_at(tx, subject_of(login), now=now), now=now)
    if not (most := min(limit, room)):
        return []
    return store_texts.claim(tx, owner=owner, login=login, now=now, lease=lease, limit=most)


def depart(tx: Tx, login: str, count: int, *, rate: float, burst: int, now: datetime) -> list[datetime]:
    """When ``count`` claimed texts may leave, in order; what is claimed and not sent takes nothing."""
    return store_pace.depart(tx, subject_of(login), Pace(rate, burst), count, now=now)


def begin_attempts(tx: Tx, claimed: Sequence[ClaimedText], *, now: datetime) -> None:
    """Record that these are about to be tried: written before the call, so that a crash leaves a trace."""
    store_attempts.begin(tx, claimed, now=now)


def end_unsent(
    tx: Tx, owner: str, ended: Sequence[tuple[ClaimedText, Unsendable, str]], *, now: datetime
) -> None:
    """End claimed texts that were not sent and must not be: too late, consent withdrawn."""
    mine = store_attempts.held(tx, owner, [one for one, _, _ in ended])
    kept = [(one, state, reason) for one, state, reason in ended if one.id in mine]
    moves: list[_Move] = [
        (one.id, state, reason, one.due_at, one.attempts - 1) for one, state, reason in kept
    ]
    _untried(tx, [(one, reason) for one, _, reason in kept], now)
    store_texts.move(tx, moves, now=now)
    store_texts.forget_codes(tx, mine)


def put_off(
    tx: Tx, owner: str, claimed: Sequence[ClaimedText], *, due_at: datetime, reason: str, now: datetime
) -> None:
    """Give claimed texts back untried, due at ``due_at``: quiet hours, a stopped login."""
    mine = store_attempts.held(tx, owner, claimed)
    kept = [one for one in claimed if one.id in mine]
    _untried(tx, [(one, reason) for one in kept], now)
    store_texts.move(tx, [(one.id, "pending", reason, due_at, one.attempts - 1) for one in kept], now=now)


def settle_texts(
    tx: Tx, owner: str, outcomes: Sequence[TextOutcome], *, now: datetime, can_ask: bool
) -> dict[DeliveryId, TextState]:
    """Write what came of attempts; returns the state that each text reached.

    Only rows that ``owner`` still holds are touched, with one exception: that a gateway took a text is true
    whoever holds it, so a text that was given up or put back in the meantime is ``accepted`` after all.
    """
    mine = store_attempts.held(tx, owner, [outcome.claimed for outcome in outcomes])
    ours = [outcome for outcome in outcomes if outcome.claimed.id in mine]
    late = [one for one in outcomes if one.claimed.id not in mine and one.verdict == "accepted"]
    moves = [_next(outcome, now, can_ask=can_ask) for outcome in ours]
    reached = {delivery_id: state for delivery_id, state, *_ in moves}
    store_attempts.finish(tx, [_tried(outcome) for outcome in ours], now=now)
    store_texts.move(tx, moves, now=now)
    taken = store_text_receipts.taken_after_all(tx, late, now=now)
    facts = [(one, one.verdict == "unknown" and reached[one.claimed.id] == "pending") for one in ours]
    over = {delivery_id for delivery_id, state in reached.items() if state != "pending"} | taken
    store_texts.note(tx, [*facts, *((one, False) for one in late)], over, now=now)
    store_text_receipts.ask_no_more(tx, [one.claimed.id for one in late if one.price is not None])
    return reached | dict.fromkeys(taken, "accepted")


def rescue_texts(tx: Tx, *, now: datetime, can_ask: Collection[str], limit: int = 500) -> int:
    """Take back what was claimed by someone whose lease is over; returns how many texts.

    Each of them may have left: those of logins in ``can_ask`` are asked for, the others are given up.
    """
    dead = store_texts.lost(tx, now=now, limit=limit)
    outcomes = [TextOutcome(claimed=one, verdict="unknown", reason=_LEASE_EXPIRED) for one in dead]
    moves: list[_Move] = [
        (one.id, "pending", _LEASE_EXPIRED, now, one.attempts)
        if one.login in can_ask and one.attempts < retry.MOST_ATTEMPTS
        else (one.id, "exhausted", UNKNOWN, one.due_at, one.attempts)
        for one in dead
    ]
    store_attempts.finish(tx, [_tried(outcome) for outcome in outcomes], now=now)
    store_texts.move(tx, moves, now=now)
    over = {delivery_id for delivery_id, state, *_ in moves if state != "pending"}
    store_texts.note(tx, [(one, one.claimed.id not in over) for one in outcomes], over, now=now)
    return len(dead)


def texts_of_member(tx: Tx, member_id: MemberId, *, limit: int = 50) -> list[TextRow]:
    """The newest texts to a member, newest first."""
    return store_text_books.of_member(tx, member_id, limit)


def text(tx: Tx, delivery_id: DeliveryId) -> TextRow | None:
    """That text, if there is one."""
    return store_text_books.one(tx, delivery_id)


def brands_that_texted(tx: Tx, login: str, number: str) -> list[BrandId]:
    """Brands whose texts went to this number (E.164) by this login: whom an answer may be meant for."""
    return store_text_books.brands_that_texted(tx, login, number)


def spent(tx: Tx, brand_id: BrandId, *, since: datetime) -> list[Spent]:
    """What a brand's texts since then cost, or will, by kind and currency. Reads every one of them."""
    return store_text_books.spent(tx, brand_id, since)


def spent_on_codes(tx: Tx, brand_id: BrandId, *, since: datetime) -> list[Spent]:
    """The same of codes alone, by currency: reads no more rows than codes were asked for since then."""
    return store_text_books.spent_on_codes(tx, brand_id, since)


def hand_over(tx: Tx, *, out_of: MemberId, into: MemberId) -> None:
    """Texts to a member who lives on as another are that one's: what waits goes by that one's consent."""
    store_text_promises.hand_over(tx, out_of=out_of, into=into)


def queues(tx: Tx, *, now: datetime) -> Sequence[TextQueue]:
    """How deep and how late the texts of each login are."""
    return store_text_books.queues(tx, now)


_Move = tuple[DeliveryId, TextState, str | None, datetime, int]
_ATTEMPT_VERDICTS: Final = {"unknown": "lost"}


def _next(outcome: TextOutcome, now: datetime, *, can_ask: bool) -> _Move:
    one = outcome.claimed
    if outcome.verdict in ("accepted", "refused"):
        return (
            one.id,
            "accepted" if outcome.verdict == "accepted" else "refused",
            outcome.reason,
            one.due_at,
            one.attempts,
        )
    attempts = one.attempts if outcome.counts else one.attempts - 1
    wait = retry.delay(attempts, retry_after=outcome.retry_after, chance=random())  # noqa: S311
    if outcome.verdict == "unknown":
        if wait is None or not can_ask:
            return one.id, "exhausted", UNKNOWN, one.due_at, attempts
        return one.id, "pending", outcome.reason, now + max(wait, ASK_AFTER), attempts
    if wait is None or (one.not_after is not None and now + wait > one.not_after):
        return one.id, "exhausted", outcome.reason, one.due_at, attempts
    return one.id, "pending", outcome.reason, now + wait, attempts


def _tried(outcome: TextOutcome) -> dict[str, Any]:
    return {
        "row": outcome.claimed.id,
        "status": outcome.status,
        "reason": outcome.reason,
        "verdict": _ATTEMPT_VERDICTS.get(outcome.verdict, outcome.verdict),
        "provider_id": outcome.provider_id,
    }


def _untried(tx: Tx, claimed: Sequence[tuple[ClaimedText, str]], now: datetime) -> None:
    """Nothing left: close what was asked before it was found so, and be no longer in doubt."""
    outcomes = [TextOutcome(claimed=one, verdict="retry", reason=reason) for one, reason in claimed]
    store_attempts.finish(tx, [_tried(outcome) for outcome in outcomes], now=now)
    store_texts.note(tx, [(outcome, False) for outcome in outcomes], (), now=now)
