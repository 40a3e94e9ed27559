"""SQL of what gateways tell after they took a text: whom a receipt means, and what it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Text, case, func, literal, select, update

from app.db import Id, Tx, Types, UtcDateTime, among, given
from app.db.identifiers import DeliveryId
from app.delivery.tables import attempt, delivery, text_message
from app.delivery.text_promises import ReceiptTold, TextKind, TextOutcome, TextState, ToAsk

_JOINED: Final = delivery.join(text_message, text_message.c.delivery_id == delivery.c.id)
_HEARD: Final[Types] = {
    "row": Id,
    "state": Text(),
    "reason": Text(),
    "at": UtcDateTime(),
    "provider_id": Text(),
    "price": BigInteger(),
    "currency": Text(),
}


@dataclass(frozen=True, slots=True)
class Meant:
    """A text that a receipt may mean, locked."""

    id: DeliveryId
    login: str
    kind: TextKind
    state: TextState
    attempts: int
    reference: int
    provider_id: str | None


def meant(tx: Tx, told: Sequence[ReceiptTold]) -> list[Meant]:
    """Texts with these references or gateways' identifiers, of whatever login, in the order of their ids."""
    references = sorted({one.reference for one in told if one.reference is not None})
    provider_ids = sorted({one.provider_id for one in told if one.provider_id})
    by_reference = select(text_message.c.delivery_id).where(among(text_message.c.reference, references))
    by_provider = select(text_message.c.delivery_id).where(text_message.c.provider_id.in_(provider_ids))
    named = set(tx.scalars(by_reference)) | (set(tx.scalars(by_provider)) if provider_ids else set())
    if not named:
        return []
    rows = tx.execute(
        select(
            delivery.c.id,
            delivery.c.login,
            delivery.c.kind,
            delivery.c.state,
            delivery.c.attempts,
            text_message.c.reference,
            text_message.c.provider_id,
        )
        .select_from(_JOINED)
        .where(among(delivery.c.id, sorted(named)))
        .order_by(delivery.c.id)
        .with_for_update(of=delivery)
    )
    return [Meant(*row) for row in rows]


def hear(tx: Tx, heard: Sequence[tuple[DeliveryId, ReceiptTold]], *, now: datetime) -> None:
    """Write what receipts say of locked texts; a text that was on its way, or waited in doubt, was taken."""
    if not heard:
        return
    rows = [
        {
            "row": row,
            "state": told.state,
            "reason": told.reason,
            "at": told.at or now,
            "provider_id": told.provider_id,
            "price": told.price if told.currency else None,
            "currency": told.currency if told.price is not None else None,
        }
        for row, told in heard
    ]
    new = given(tx, rows, _HEARD)
    at = literal(now, UtcDateTime())
    tx.execute(
        update(attempt)
        .where(attempt.c.delivery_id == new.c.row, attempt.c.finished_at.is_(None))
        .values(finished_at=now, verdict="accepted", reason=new.c.reason, provider_id=new.c.provider_id)
    )
    tx.execute(
        update(delivery)
        .where(delivery.c.id == new.c.row)
        .values(
            state=new.c.state,
            reason=new.c.reason,
            settled_at=func.coalesce(delivery.c.settled_at, at),
            owner=None,
            lease_until=None,
        )
    )
    priced = new.c.price.is_not(None)
    tx.execute(
        update(text_message)
        .where(text_message.c.delivery_id == new.c.row)
        .values(
            in_doubt=False,
            receipt_at=new.c["at"],
            accepted_at=func.coalesce(text_message.c.accepted_at, at),
            provider_id=func.coalesce(text_message.c.provider_id, new.c.provider_id),
            price=case((priced, new.c.price), else_=text_message.c.price),
            currency=case((priced, new.c.currency), else_=text_message.c.currency),
        )
    )


def taken_after_all(tx: Tx, outcomes: Sequence[TextOutcome], *, now: datetime) -> set[DeliveryId]:
    """Texts that were given up or put back, and whose gateway turns out to have them."""
    if not outcomes:
        return set()
    rows = tx.scalars(
        select(delivery.c.id)
        .where(
            among(delivery.c.id, [outcome.claimed.id for outcome in outcomes]),
            delivery.c.state.in_(("pending", "exhausted")),
        )
        .order_by(delivery.c.id)
        .with_for_update()
    )
    found = {DeliveryId(one) for one in rows}
    if found:
        tx.execute(
            update(delivery)
            .where(among(delivery.c.id, sorted(found)))
            .values(state="accepted", reason=None, settled_at=now)
        )
    return found


def unanswered(
    tx: Tx, login: str, *, accepted_after: datetime, accepted_before: datetime, after: int, limit: int
) -> list[ToAsk]:
    """Texts that a gateway took in that time and told nothing about, by id, those above ``after``."""
    rows: Any = tx.execute(
        select(
            delivery.c.id,
            text_message.c.reference,
            text_message.c.number,
            text_message.c.provider_id,
            text_message.c.accepted_at,
        )
        .select_from(_JOINED)
        .where(
            text_message.c.delivery_id > after,
            text_message.c.receipt_at.is_(None),
            text_message.c.accepted_at >= accepted_after,
            text_message.c.accepted_at <= accepted_before,
            delivery.c.login == login,
            delivery.c.state == "accepted",
        )
        .order_by(text_message.c.delivery_id)
        .limit(limit)
    )
    return [ToAsk(**row._mapping) for row in rows]
