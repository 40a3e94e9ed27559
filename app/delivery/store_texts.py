"""SQL of texts on their way: claimed, ended, put back, answered for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    Text,
    bindparam,
    case,
    func,
    literal,
    null,
    select,
    text,
    true,
    update,
)

from app.db import Id, Tx, Types, UtcDateTime, among, given
from app.db.identifiers import DeliveryId
from app.delivery.store_attempts import taking
from app.delivery.store_pending import PENDING, SENDING
from app.delivery.tables import delivery, text_message
from app.delivery.text_promises import TEXT_PRIORITIES, ClaimedText, TextOutcome, TextState

_BY_INDEX: Final = text("SET LOCAL enable_sort TO off")
"""What the planner knows of a queue is from when it was empty: it would read and sort all that is pending."""

_CLAIMED: Final = (
    delivery.c.id,
    delivery.c.login,
    delivery.c.kind,
    delivery.c.attempts,
    delivery.c.due_at,
    text_message.c.brand_id,
    text_message.c.member_id,
    text_message.c.reference,
    text_message.c.number,
    text_message.c.text,
    text_message.c.sender,
    text_message.c.not_after,
    text_message.c.in_doubt_since,
    text_message.c.provider_id,
)
_JOINED: Final = delivery.join(text_message, text_message.c.delivery_id == delivery.c.id)
_ENDED: Final[Types] = {
    "row": Id,
    "state": Text(),
    "reason": Text(),
    "due_at": UtcDateTime(),
    "settled_at": UtcDateTime(),
    "attempts": Integer(),
}
_FACTS: Final[Types] = {
    "row": Id,
    "in_doubt": Boolean(),
    "asked_only": Boolean(),
    "provider_id": Text(),
    "parts": Integer(),
    "price": BigInteger(),
    "currency": Text(),
    "accepted_at": UtcDateTime(),
    "partly": Boolean(),
    "over": Boolean(),
}


def logins_due(tx: Tx, logins: Collection[str], *, now: datetime) -> list[str]:
    """Which of these have a text that is due; asks the index once for each urgency of each."""
    asked = {"now": now}
    return [
        login
        for login in sorted(logins)
        if any(
            tx.execute(_any_due(priority), asked | {"login": login}).first() is not None
            for priority in TEXT_PRIORITIES.values()
        )
    ]


@cache
def _any_due(priority: int) -> Any:
    return (
        select(literal(1))
        .where(
            delivery.c.state == PENDING,
            delivery.c.login == bindparam("login"),
            delivery.c.priority == literal(priority, literal_execute=True),
            delivery.c.due_at <= bindparam("now", type_=UtcDateTime()),
        )
        .limit(1)
    )


def claim(
    tx: Tx, *, owner: str, login: str, now: datetime, lease: timedelta, limit: int
) -> list[ClaimedText]:
    """Take up to ``limit`` due texts of a login, the most urgent first; rows of others are passed over."""
    if tx.dialect.name == "postgresql":
        tx.execute(_BY_INDEX)
    rows: list[Any] = []
    for priority in sorted(TEXT_PRIORITIES.values()):
        if len(rows) < limit:
            asked = {"login": login, "now": now, "limit": limit - len(rows)}
            rows += tx.execute(_due(priority), asked).all()
    if rows:
        theirs = {"ids": [row.id for row in rows], "by": owner, "until": now + lease}
        tx.execute(taking(), theirs)
    return [claimed(row, row.attempts + 1) for row in rows]


@cache
def _due(priority: int) -> Any:
    """Due rows of one urgency: one range of ``ix_delivery_due_text``, however many rows wait for later."""
    return (
        select(*_CLAIMED)
        .select_from(_JOINED)
        .where(
            delivery.c.state == PENDING,
            delivery.c.login == bindparam("login"),
            delivery.c.priority == literal(priority, literal_execute=True),
            delivery.c.due_at <= bindparam("now", type_=UtcDateTime()),
        )
        .order_by(delivery.c.due_at)
        .limit(bindparam("limit"))
        .with_for_update(of=delivery, skip_locked=True)
    )


def claimed(row: Any, attempts: int) -> ClaimedText:
    """A row of the columns of a claim."""
    return ClaimedText(**(dict(row._mapping) | {"attempts": attempts, "text": row.text or ""}))


def lost(tx: Tx, *, now: datetime, limit: int) -> list[ClaimedText]:
    """Texts that somebody holds whose lease is over, locked."""
    rows = tx.execute(
        select(*_CLAIMED)
        .select_from(_JOINED)
        .where(delivery.c.state == SENDING, delivery.c.lease_until < now)
        .order_by(delivery.c.lease_until)
        .limit(limit)
        .with_for_update(of=delivery, skip_locked=True)
    ).all()
    return [claimed(row, row.attempts) for row in rows]


def move(
    tx: Tx,
    moved: Sequence[tuple[DeliveryId, TextState, str | None, datetime, int]],
    *,
    now: datetime,
) -> None:
    """Put locked rows into their next state: (id, state, reason, due time, attempts that count)."""
    rows = [
        {
            "row": row,
            "state": state,
            "reason": reason,
            "due_at": due_at,
            "settled_at": None if state == "pending" else now,
            "attempts": attempts,
        }
        for row, state, reason, due_at, attempts in moved
    ]
    if not rows:
        return
    new = given(tx, rows, _ENDED)
    columns = {name: new.c[name] for name in _ENDED if name != "row"}
    tx.execute(
        update(delivery).where(delivery.c.id == new.c.row).values(owner=None, lease_until=None, **columns)
    )


def note(
    tx: Tx, outcomes: Sequence[tuple[TextOutcome, bool]], over: Collection[DeliveryId], *, now: datetime
) -> None:
    """What answers say of texts, each with whether it is in doubt; a code that is ``over`` is forgotten.

    Of a text that is refused after some of its parts were taken these are charged, as we expected them to be.
    """
    if not outcomes:
        return
    rows = [
        {
            "row": outcome.claimed.id,
            "in_doubt": in_doubt,
            "asked_only": outcome.asked_only,
            "provider_id": outcome.provider_id,
            "parts": outcome.parts,
            "price": outcome.price if outcome.currency else None,
            "currency": outcome.currency if outcome.price is not None else None,
            "accepted_at": now if outcome.verdict == "accepted" or _partly(outcome) else None,
            "partly": _partly(outcome),
            "over": outcome.claimed.kind == "code" and outcome.claimed.id in over,
        }
        for outcome, in_doubt in outcomes
    ]
    new = given(tx, rows, _FACTS)
    told = new.c.price.is_not(None)
    tx.execute(
        update(text_message)
        .where(text_message.c.delivery_id == new.c.row)
        .values(
            in_doubt_since=case(
                (new.c.in_doubt & new.c.asked_only, text_message.c.in_doubt_since),
                (new.c.in_doubt, literal(now, UtcDateTime())),
            ),
            provider_id=func.coalesce(new.c.provider_id, text_message.c.provider_id),
            parts=func.coalesce(new.c.parts, text_message.c.parts),
            price=case(
                (told, new.c.price),
                (new.c.partly, text_message.c.price * new.c.parts // text_message.c.parts),
                else_=text_message.c.price,
            ),
            price_told=case((told, true()), else_=text_message.c.price_told),
            currency=case((told, new.c.currency), else_=text_message.c.currency),
            accepted_at=func.coalesce(text_message.c.accepted_at, new.c.accepted_at),
            text=case((new.c.over, null()), else_=text_message.c.text),
        )
    )


def _partly(outcome: TextOutcome) -> bool:
    return outcome.verdict == "refused" and bool(outcome.parts)


def forget_codes(tx: Tx, ids: Collection[DeliveryId]) -> None:
    """Drop the words of codes that are over."""
    codes = select(delivery.c.id).where(among(delivery.c.id, sorted(ids)), delivery.c.kind == "code")
    tx.execute(update(text_message).where(text_message.c.delivery_id.in_(codes)).values(text=None))
