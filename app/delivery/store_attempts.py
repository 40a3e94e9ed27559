"""SQL of tries, alike for every channel: who takes a row, who holds it, and what its attempt came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Integer, Text, bindparam, select, update
from sqlalchemy import insert as plain_insert

from app.db import Id, Identifiers, Tx, Types, UtcDateTime, among, given
from app.db.identifiers import DeliveryId
from app.delivery.promises import Tried
from app.delivery.store_pending import SENDING
from app.delivery.tables import attempt, delivery

_TRIED: Final[Types] = {
    "row": Id,
    "status": Integer(),
    "reason": Text(),
    "verdict": Text(),
    "provider_id": Text(),
}


@cache
def taking() -> Any:
    """Takes the rows ``ids`` for the owner ``by``, ``until`` its lease ends."""
    return (
        update(delivery)
        .where(among(delivery.c.id, bindparam("ids", type_=Identifiers())))
        .values(
            state="sending",
            owner=bindparam("by"),
            lease_until=bindparam("until", type_=UtcDateTime()),
            attempts=delivery.c.attempts + 1,
        )
    )


def begin(tx: Tx, claims: Sequence[Tried], *, now: datetime) -> None:
    """Write the attempts before the calls, so that a crash leaves a trace."""
    if claims:
        rows = [{"delivery_id": one.id, "number": one.attempts, "started_at": now} for one in claims]
        tx.execute(plain_insert(attempt), rows)


def held(tx: Tx, owner: str, claims: Sequence[Tried]) -> set[DeliveryId]:
    """Which of these the owner still holds; locked until the transaction ends."""
    rows = tx.scalars(
        select(delivery.c.id)
        .where(
            among(delivery.c.id, [one.id for one in claims]),
            delivery.c.owner == owner,
            delivery.c.state == SENDING,
        )
        .order_by(delivery.c.id)
        .with_for_update()
    )
    return {DeliveryId(one) for one in rows}


def finish(tx: Tx, tried: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """End open attempts; each names ``row``, ``status``, ``reason``, ``verdict`` and ``provider_id``."""
    if not tried:
        return
    answers = given(tx, tried, _TRIED)
    tx.execute(
        update(attempt)
        .where(attempt.c.delivery_id == answers.c.row, attempt.c.finished_at.is_(None))
        .values(finished_at=now, **{name: answers.c[name] for name in _TRIED if name != "row"})
    )
