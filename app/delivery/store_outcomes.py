"""SQL of outcomes: who holds a row, how it ends, what its attempt came to, what the phone is charged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Update, bindparam, select, update

from app.db import Tx, insert
from app.db.identifiers import DeliveryId
from app.delivery import budget
from app.delivery.promises import Claimed, Outcome, State
from app.delivery.store_pending import SENDING, over
from app.delivery.tables import attempt, delivery, push_budget


def held_by(tx: Tx, owner: str, claimed: Sequence[Claimed]) -> set[int]:
    """Which of these the owner still holds; locked until the transaction ends."""
    return set(
        tx.scalars(
            select(delivery.c.id)
            .where(
                delivery.c.id.in_([one.id for one in claimed]),
                delivery.c.owner == owner,
                delivery.c.state == SENDING,
            )
            .order_by(delivery.c.id)
            .with_for_update()
        )
    )


def end(owner: str, ids: Sequence[DeliveryId], state: State, reason: str | None, now: datetime) -> Update:
    """The statement that ends rows of ``owner``."""
    return (
        update(delivery)
        .where(delivery.c.id.in_(ids), delivery.c.owner == owner, delivery.c.state == SENDING)
        .values(**over(state, reason, now))
    )


def finish_attempts(tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write the answers beside the open attempts."""
    tx.execute(
        update(attempt)
        .where(attempt.c.delivery_id == bindparam("row"), attempt.c.finished_at.is_(None))
        .values(
            finished_at=now,
            status=bindparam("answer"),
            reason=bindparam("why"),
            verdict=bindparam("word"),
            provider_id=bindparam("provider"),
        ),
        [
            {
                "row": outcome.claimed.id,
                "answer": outcome.status,
                "why": outcome.reason,
                "word": outcome.verdict,
                "provider": outcome.provider_id,
            }
            for outcome in outcomes
        ],
    )


def charge(tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Charge pushes to their phones' budgets. One push of a device is on its way at a time: none races."""
    if not outcomes:
        return
    statement = insert(tx, push_budget)
    rows = []
    for outcome in sorted(outcomes, key=lambda outcome: outcome.claimed.device_id):
        after = budget.pushed(outcome.claimed.patience, now, passes=outcome.passes)
        rows.append(
            {
                "device_id": outcome.claimed.device_id,
                "score": after.score,
                "last_push_at": after.last_push_at,
                "passes": after.passes,
            }
        )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["device_id"],
            set_={name: statement.excluded[name] for name in ("score", "last_push_at", "passes")},
        ),
        rows,
    )
