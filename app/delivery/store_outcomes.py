"""SQL of outcomes: who holds a row, how it ends, what its attempt came to, what the phone is charged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Float, Integer, Text, Update, literal, select, true, update

from app.db import Id, Tx, Types, among, given, insert
from app.db.identifiers import DeliveryId
from app.delivery import budget
from app.delivery.promises import Claimed, Outcome, State
from app.delivery.store_pending import SENDING, over
from app.delivery.tables import attempt, delivery, push_budget

_ANSWER: Types = {"row": Id, "status": Integer(), "reason": Text(), "verdict": Text(), "provider_id": Text()}
_CHARGED: Types = {"device_id": Id, "score": Float(), "passes": Integer()}


def held_by(tx: Tx, owner: str, claimed: Sequence[Claimed]) -> set[int]:
    """Which of these the owner still holds; locked until the transaction ends."""
    return set(
        tx.scalars(
            select(delivery.c.id)
            .where(
                among(delivery.c.id, [one.id for one in claimed]),
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
        .where(among(delivery.c.id, ids), delivery.c.owner == owner, delivery.c.state == SENDING)
        .values(**over(state, reason, now))
    )


def finish_attempts(tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write the answers beside the open attempts."""
    answers = given(
        tx,
        [
            {
                "row": outcome.claimed.id,
                "status": outcome.status,
                "reason": outcome.reason,
                "verdict": outcome.verdict,
                "provider_id": outcome.provider_id,
            }
            for outcome in outcomes
        ],
        _ANSWER,
    )
    tx.execute(
        update(attempt)
        .where(attempt.c.delivery_id == answers.c.row, attempt.c.finished_at.is_(None))
        .values(finished_at=now, **{name: answers.c[name] for name in _ANSWER if name != "row"})
    )


def charge(tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Charge pushes to their phones' budgets. One push of a device is on its way at a time: none races."""
    if not outcomes:
        return
    rows = []
    for outcome in sorted(outcomes, key=lambda outcome: outcome.claimed.device_id):
        after = budget.pushed(outcome.claimed.patience, now, passes=outcome.passes)
        rows.append({"device_id": outcome.claimed.device_id, "score": after.score, "passes": after.passes})
    charged = given(tx, rows, _CHARGED)
    at = literal(now, push_budget.c.last_push_at.type)
    statement = insert(tx, push_budget).from_select(
        [*_CHARGED, "last_push_at"],
        select(*charged.c, at).where(true()),  # SQLite's parser needs a WHERE before ON CONFLICT
    )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["device_id"],
            set_={name: statement.excluded[name] for name in ("score", "last_push_at", "passes")},
        )
    )
