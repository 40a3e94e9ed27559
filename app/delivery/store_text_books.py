"""SQL that looks at texts without moving them: for support, for budgets, for gauges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, literal_column, or_, select

from app.db import Tx
from app.db.identifiers import BrandId, DeliveryId, MemberId
from app.delivery.store_pending import PENDING, SENDING
from app.delivery.tables import delivery, text_message
from app.delivery.text_promises import UNKNOWN, Spent, TextQueue, TextRow

_CLOCKS: Final = timedelta(minutes=5)
"""Clocks of two machines differ by less: ids grow with time but for that."""
_JOINED: Final = delivery.join(text_message, text_message.c.delivery_id == delivery.c.id)
_ROW: Final = (
    delivery.c.id,
    text_message.c.brand_id,
    text_message.c.member_id,
    delivery.c.login,
    delivery.c.kind,
    delivery.c.state,
    delivery.c.reason,
    text_message.c.number,
    text_message.c.text,
    text_message.c.sender,
    text_message.c.reference,
    text_message.c.provider_id,
    text_message.c.encoding,
    text_message.c.parts,
    text_message.c.price,
    text_message.c.currency,
    text_message.c.price_told,
    text_message.c.in_doubt_since.is_not(None).label("in_doubt"),
    delivery.c.attempts,
    delivery.c.created_at,
    delivery.c.due_at,
    text_message.c.not_after,
    text_message.c.accepted_at,
    delivery.c.settled_at,
    text_message.c.receipt_at,
)


def of_member(tx: Tx, member_id: MemberId, limit: int) -> list[TextRow]:
    """The newest texts to a member, newest first."""
    return _rows(
        tx,
        select(*_ROW)
        .select_from(_JOINED)
        .where(text_message.c.member_id == member_id)
        .order_by(text_message.c.delivery_id.desc())
        .limit(limit),
    )


def brands_that_texted(tx: Tx, login: str, number: str) -> list[BrandId]:
    """Whose texts went to this number by this login, in order."""
    return list(
        tx.scalars(
            select(text_message.c.brand_id)
            .distinct()
            .select_from(_JOINED)
            .where(text_message.c.number == number, delivery.c.login == login)
            .order_by(text_message.c.brand_id)
        )
    )


def one(tx: Tx, delivery_id: DeliveryId) -> TextRow | None:
    """That text."""
    rows = _rows(tx, select(*_ROW).select_from(_JOINED).where(delivery.c.id == delivery_id))
    return rows[0] if rows else None


def _rows(tx: Tx, statement: Select[Any]) -> list[TextRow]:
    return [TextRow(**row._mapping) for row in tx.execute(statement)]


def spent(tx: Tx, brand_id: BrandId, since: datetime) -> list[Spent]:
    """What the brand's texts of that time cost, by kind and currency."""
    first = _first_since(tx, since - _CLOCKS)
    return [] if first is None else _spent(tx, brand_id, since, text_message.c.delivery_id >= first)


def spent_on_codes(tx: Tx, brand_id: BrandId, since: datetime) -> list[Spent]:
    """The same of codes alone, found by an index of their own."""
    return _spent(tx, brand_id, since, delivery.c.kind == literal_column("'code'"))


def _spent(tx: Tx, brand_id: BrandId, since: datetime, which: ColumnElement[bool]) -> list[Spent]:
    rows: Any = tx.execute(
        select(
            delivery.c.kind,
            text_message.c.currency,
            func.count().label("texts"),
            func.sum(text_message.c.parts).label("parts"),
            func.coalesce(func.sum(text_message.c.price), 0).label("amount"),
        )
        .select_from(_JOINED)
        .where(text_message.c.brand_id == brand_id, delivery.c.created_at >= since, which, _costs())
        .group_by(delivery.c.kind, text_message.c.currency)
        .order_by(delivery.c.kind, text_message.c.currency)
    )
    return [
        Spent(
            kind=row.kind,
            currency=row.currency,
            texts=int(row.texts),
            parts=int(row.parts),
            amount=int(row.amount),
        )
        for row in rows
    ]


def _costs() -> ColumnElement[bool]:
    """Under way, taken, perhaps taken or taken in part: what was refused or never left costs nothing."""
    return or_(
        delivery.c.state.in_(("pending", "sending", "accepted", "delivered", "undelivered")),
        and_(delivery.c.state == "exhausted", delivery.c.reason == UNKNOWN),
        and_(delivery.c.state == "refused", text_message.c.accepted_at.is_not(None)),
    )


def _first_since(tx: Tx, since: datetime) -> int | None:
    """The first id of that time: found by halves, since ids grow with time and have an index of their own."""
    low, high = tx.execute(select(func.min(delivery.c.id), func.max(delivery.c.id))).one()
    if low is None:
        return None
    while low < high:
        middle = (low + high) // 2
        row = tx.execute(
            select(delivery.c.id, delivery.c.created_at)
            .where(delivery.c.id > middle)
            .order_by(delivery.c.id)
            .limit(1)
        ).one()
        low, high = (row.id, high) if row.created_at < since else (low, middle)
    return int(low)


def queues(tx: Tx, now: datetime) -> Sequence[TextQueue]:
    """How deep and how late the texts of each login are; logins without any are left out.

    Three ranges of three partial indexes: what is settled, and the words of what waits, are not read.
    """
    is_due = delivery.c.due_at <= now
    pending: Any = tx.execute(
        select(
            delivery.c.login,
            func.count().label("all"),
            func.sum(case((is_due, 1), else_=0)).label("due"),
            func.min(case((is_due, delivery.c.due_at)), type_=delivery.c.due_at.type).label("oldest"),
        )
        .where(delivery.c.state == PENDING, delivery.c.login.is_not(None))
        .group_by(delivery.c.login)
    )
    waiting = {row.login: row for row in pending}
    sending = _counted(
        tx,
        select(delivery.c.login, func.count())
        .where(delivery.c.state == SENDING, delivery.c.login.is_not(None))
        .group_by(delivery.c.login),
    )
    doubted = _counted(
        tx,
        select(delivery.c.login, func.count())
        .select_from(_JOINED)
        .where(text_message.c.in_doubt_since.is_not(None), delivery.c.state.in_((PENDING, SENDING)))
        .group_by(delivery.c.login),
    )
    return [
        TextQueue(
            login=login,
            due=int(row.due) if (row := waiting.get(login)) else 0,
            waiting=int(row.all - row.due) if row else 0,
            sending=sending.get(login, 0),
            in_doubt=doubted.get(login, 0),
            oldest_due_seconds=(now - row.oldest).total_seconds() if row and row.oldest else 0.0,
        )
        for login in sorted(waiting.keys() | sending.keys())
    ]


def _counted(tx: Tx, statement: Select[Any]) -> dict[str, int]:
    return {login: int(count) for login, count in tx.execute(statement)}
