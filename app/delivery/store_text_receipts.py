"""SQL of what gateways tell after they took a text: whom a receipt means, and what it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Text, func, literal, select, update

from app.db import Id, Tx, Types, UtcDateTime, among, given
from app.db.identifiers import DeliveryId
from app.delivery.tables import attempt, delivery, text_message
from app.delivery.text_promises import ReceiptTold, TextKind, TextOutcome, TextState, ToAsk

FINAL: Final = ("delivered", "refused", "gone", "superseded")
_JOINED: Final = delivery.join(text_message, text_message.c.delivery_id == delivery.c.id)
_ACCEPTED: Final = literal("accepted", literal_execute=True)  # spelt out, for the partial index
_TO_ASK: Final = (
    delivery.c.id,
    text_message.c.reference,
    text_message.c.number,
    text_message.c.provider_id,
    text_message.c.accepted_at,
)
_HEARD: Final[Types] = {
    "row": Id,
    "state": Text(),
    "reason": Text(),
    "at": UtcDateTime(),
    "provider_id": Text(),
    "ask_at": UtcDateTime(),
}
_PRICED: Final[Types] = {"row": Id, "price": BigInteger(), "currency": Text()}
_ASKED: Final[Types] = {"row": Id, "ask_at": UtcDateTime()}


@dataclass(frozen=True, slots=True)
class Meant:
    """A text that a receipt may mean, locked."""

    id: DeliveryId
    login: str
    kind: TextKind
    state: TextState
    attempts: int
    settled_at: datetime | None
    reference: int
    provider_id: str | None
    price_told: bool

    @property
    def finished(self) -> bool:
        """Whether no receipt changes it any more."""
        return self.state in FINAL


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
            delivery.c.settled_at,
            text_message.c.reference,
            text_message.c.provider_id,
            text_message.c.price_told,
        )
        .select_from(_JOINED)
        .where(among(delivery.c.id, sorted(named)))
        .order_by(delivery.c.id)
        .with_for_update(of=delivery)
    )
    return [Meant(*row) for row in rows]


def hear(tx: Tx, heard: Sequence[tuple[DeliveryId, ReceiptTold, datetime | None]], *, now: datetime) -> None:
    """Write what receipts say of locked texts, and when the gateway is to be asked for their price.

    A text that was on its way, or waited in doubt, was taken.
    """
    if not heard:
        return
    rows = [
        {
            "row": row,
            "state": told.state,
            "reason": told.reason,
            "at": told.at or now,
            "provider_id": told.provider_id,
            "ask_at": ask_at,
        }
        for row, told, ask_at in heard
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
            ask_at=new.c.ask_at,
        )
    )
    tx.execute(
        update(text_message)
        .where(text_message.c.delivery_id == new.c.row)
        .values(
            in_doubt_since=None,
            receipt_at=new.c["at"],
            accepted_at=func.coalesce(text_message.c.accepted_at, at),
            provider_id=func.coalesce(text_message.c.provider_id, new.c.provider_id),
        )
    )


def price(tx: Tx, told: Sequence[tuple[DeliveryId, int, str]]) -> None:
    """Write what gateways say that texts cost, in minor units of a currency: it is theirs to say."""
    if not told:
        return
    new = given(tx, [{"row": row, "price": amount, "currency": of} for row, amount, of in told], _PRICED)
    tx.execute(
        update(text_message)
        .where(text_message.c.delivery_id == new.c.row)
        .values(price=new.c.price, currency=new.c.currency, price_told=True)
    )
    ask_no_more(tx, [row for row, *_ in told])


def ask_no_more(tx: Tx, ids: Sequence[DeliveryId]) -> None:
    """These have their prices."""
    tx.execute(
        update(delivery).where(among(delivery.c.id, ids), delivery.c.ask_at.is_not(None)).values(ask_at=None)
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
        select(*_TO_ASK)
        .select_from(_JOINED)
        .where(
            delivery.c.id > after,
            delivery.c.login == login,
            delivery.c.state == _ACCEPTED,
            text_message.c.receipt_at.is_(None),
            text_message.c.accepted_at >= accepted_after,
            text_message.c.accepted_at <= accepted_before,
        )
        .order_by(delivery.c.id)
        .limit(limit)
    )
    return [ToAsk(**row._mapping) for row in rows]


def unpriced(tx: Tx, login: str, *, now: datetime, limit: int) -> list[ToAsk]:
    """Texts that it is time to ask the price of."""
    rows: Any = tx.execute(
        select(*_TO_ASK)
        .select_from(_JOINED)
        .where(delivery.c.login == login, delivery.c.ask_at <= now)
        .order_by(delivery.c.ask_at)
        .limit(limit)
    )
    return [ToAsk(**row._mapping) for row in rows]


def ask_later(tx: Tx, ask_at: Sequence[tuple[DeliveryId, datetime | None]]) -> None:
    """When each of these is asked for next; None: never."""
    if not ask_at:
        return
    new = given(tx, [{"row": row, "ask_at": at} for row, at in ask_at], _ASKED)
    tx.execute(
        update(delivery)
        .where(delivery.c.id == new.c.row, delivery.c.ask_at.is_not(None))
        .values(ask_at=new.c.ask_at)
    )
