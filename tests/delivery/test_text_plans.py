"""What workers and gauges ask of texts all day long reads ranges of indexes, and nobody's past."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from app.db import Database, Tx
from app.delivery import texts
from app.delivery.tables import attempt, delivery, text_message
from app.delivery.text_promises import ReceiptTold
from tests.delivery.texting import HOUR, LEASE, NOON, Texting, came, open_texting

_MANY = 4000
_UNDER_WAY = (
    "ix_delivery_due|ix_delivery_due_text|ix_delivery_lease|uq_delivery_one_sending|ix_text_message_in_doubt"
)
_WHOLE = re.compile(
    rf"SCAN (delivery|text_message|attempt)\b(?! USING (COVERING )?INDEX ({_UNDER_WAY})\b)"
    r"|Seq Scan on (delivery|text_message|attempt)"
)
"""A table read from end to end, or an index of more than what is under way."""


@pytest.fixture
def texting(database: Database) -> Texting:
    """Some texts under way beside thousands that are over, as the planner knows."""
    found = open_texting(database)
    long_ago = NOON - timedelta(days=5)
    settled: dict[str, Any] = {
        "channel": "sms", "login": "main", "kind": "service", "priority": 11, "state": "delivered",
        "due_at": long_ago, "created_at": long_ago, "settled_at": long_ago,
    }  # fmt: skip
    message: dict[str, Any] = {
        "brand_id": found.brand_id, "number": "+79000000000", "text": "x", "encoding": "gsm7", "parts": 1,
        "price": 450, "currency": "RUB", "accepted_at": long_ago, "receipt_at": long_ago,
    }  # fmt: skip
    with database.write() as tx:
        made = insert(delivery).returning(delivery.c.id, sort_by_parameter_order=True)
        ids = tx.scalars(made, [settled] * _MANY).all()
        rows = [{"delivery_id": each, "reference": each, "provider_id": f"p{each}"} | message for each in ids]
        tx.execute(insert(text_message), rows)
        tried = {"number": 1, "started_at": long_ago, "finished_at": long_ago, "verdict": "accepted"}
        tx.execute(insert(attempt), [{"delivery_id": each} | tried for each in ids])
        tx.execute(text("ANALYZE"))
    found.promise([found.draft(n) for n in range(30)])
    taken = found.claim(limit=20)
    found.settle([came(one, "accepted", provider_id=f"new{one.id}") for one in taken[:10]])
    return found


def _hear(tx: Tx) -> Any:
    told = ReceiptTold(login="main", state="delivered", reason="0", reference=77, provider_id="p1")
    return texts.hear_receipts(tx, [told], now=NOON)


def _claim(tx: Tx) -> Any:
    return texts.claim_texts(tx, owner="x", login="main", rate=1000, burst=9, now=NOON, lease=LEASE)


ASKED: dict[str, Callable[[Tx], Any]] = {
    "claim": _claim,
    "due": lambda tx: texts.logins_due(tx, ["main", "other"], now=NOON),
    "rescue": lambda tx: texts.rescue_texts(tx, now=NOON + HOUR, can_ask=()),
    "receipts": _hear,
    "to ask": lambda tx: texts.to_ask(tx, "main", accepted_before=NOON),
    "to price": lambda tx: texts.to_price(tx, "main", now=NOON + HOUR),
    "depths": lambda tx: texts.queues(tx, now=NOON),
}


@pytest.mark.parametrize("question", ASKED)
def test_no_question_reads_what_is_settled(texting: Texting, question: str) -> None:
    plans = _plans(texting.database, ASKED[question])
    assert plans
    for statement, plan in plans:
        assert not _WHOLE.search(plan), f"{statement}\n{plan}"


def _plans(database: Database, ask: Callable[[Tx], Any]) -> list[tuple[str, str]]:
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    found: list[tuple[str, str]] = []

    def hear(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):  # what is written goes by the ids that were asked
            with closing(connection.connection.cursor()) as own:
                own.execute(f"{explain} {statement}", parameters)
                found.append((statement, "\n".join(str(row[-1]) for row in own.fetchall())))

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        with database.write() as tx:
            ask(tx)
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)
    return found
