"""SQL of outcomes: how a row ends, what its attempt came to, what the phone is charged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Float, Integer, Update, literal, select, true, update

from app.db import Id, Tx, Types, among, given, insert
from app.db.identifiers import DeliveryId
from app.delivery import budget, store_attempts
from app.delivery.promises import Outcome, State
from app.delivery.store_pending import SENDING, over
from app.delivery.tables import delivery, push_budget

_CHARGED: Types = {"device_id": Id, "score": Float(), "passes": Integer()}


def end(owner: str, ids: Sequence[DeliveryId], state: State, reason: str | None, now: datetime) -> Update:
    """The statement that ends rows of ``owner``."""
    return (
        update(delivery)
        .where(among(delivery.c.id, ids), delivery.c.owner == owner, delivery.c.state == SENDING)
        .values(**over(state, reason, now))
    )


def finish_attempts(tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write the answers beside the open attempts."""
    rows = [
        {
            "row": outcome.claimed.id,
            "status": outcome.status,
            "reason": outcome.reason,
            "verdict": outcome.verdict,
            "provider_id": outcome.provider_id,
        }
        for outcome in outcomes
    ]
    store_attempts.finish(tx, rows, now=now)


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
