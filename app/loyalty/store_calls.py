"""SQL about the tills' calls and their first answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_, update

from app.db import Tx
from app.db.upsert import insert_in
from app.loyalty.tables import till_call


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call that was answered."""

    fingerprint: str
    status: int
    answer: dict[str, Any]


@cache
def _claim(dialect: str) -> Any:
    return insert_in(dialect, till_call).on_conflict_do_nothing().returning(till_call.c.venue_id)


_ANSWER = (
    update(till_call)
    .where(till_call.c.venue_id == bindparam("venue"), till_call.c.idempotency_key == bindparam("key"))
    .values(status=bindparam("to_status"), answer=bindparam("to_answer", type_=till_call.c.answer.type))
)


def begin(tx: Tx, *, venue_id: int, key: str, fingerprint: str, now: datetime) -> bool:
    """Claim the key; waits for a transaction that holds it. False where it was used before."""
    call_row = {"venue_id": venue_id, "idempotency_key": key, "fingerprint": fingerprint, "at": now}
    claimed = tx.execute(_claim(tx.dialect.name), {**call_row, "status": 0, "answer": {}})
    return claimed.first() is not None


def answer(tx: Tx, *, venue_id: int, key: str, status: int, document: dict[str, Any]) -> None:
    """Keep the answer to the call that :func:`begin` claimed."""
    tx.execute(_ANSWER, {"venue": venue_id, "key": key, "to_status": status, "to_answer": document})


def call(tx: Tx, *, venue_id: int, key: str) -> CallRow | None:
    """The call that used this key."""
    row = tx.execute(
        select(till_call.c.fingerprint, till_call.c.status, till_call.c.answer).where(
            till_call.c.venue_id == venue_id, till_call.c.idempotency_key == key
        )
    ).first()
    return CallRow(*row) if row else None


def purge(tx: Tx, *, before: datetime, limit: int) -> int:
    """Forget the oldest calls; returns how many."""
    identity = (till_call.c.venue_id, till_call.c.idempotency_key)
    old = select(*identity).where(till_call.c.at < before).order_by(till_call.c.at).limit(limit)
    return tx.execute(delete(till_call).where(tuple_(*identity).in_(old))).rowcount
