"""A claim finds what is due by index, also where the database takes the queue for as empty as usual."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta
from typing import Any

from sqlalchemy import event, text

from app.db import Database
from app.delivery import queue
from app.delivery.promises import Outcome
from tests.delivery.conftest import NOON, Devices
from tests.delivery.test_queue import claim, enqueue

HOUR = timedelta(hours=1)
_DUE = re.compile(r"SELECT delivery\.id.*push_budget", re.DOTALL)


def test_a_claim_sorts_nothing_and_asks_for_each_device_by_itself(
    database: Database, devices: Devices
) -> None:
    phones = devices(2000)
    enqueue(database, phones)
    taken = claim(database, limit=len(phones)).claimed
    with database.write() as tx:
        queue.settle(tx, "me", [Outcome(claimed=one, verdict="accepted") for one in taken], now=NOON)
    with database.write() as tx:
        tx.execute(text("ANALYZE"))  # of an empty queue
    enqueue(database, phones, after=HOUR)
    claim(database, after=HOUR, limit=500)
    enqueue(database, phones, after=HOUR)

    plan = _plan_of_the_next_claim(database)

    assert "ix_delivery_due" in plan
    assert re.search(r"uq_delivery_one_sending.*device_id ?=", plan, re.DOTALL), plan
    assert not re.search(r"Sort|TEMP B-TREE|Join Filter|uq_delivery_one_pending", plan), plan


def _plan_of_the_next_claim(database: Database) -> str:
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    lines: list[str] = []

    def hear(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if _DUE.match(statement):
            with closing(connection.connection.cursor()) as own:
                own.execute(f"{explain} {statement}", parameters)
                lines.extend(str(row[-1]) for row in own.fetchall())

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        claim(database, after=HOUR)
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)
    return "\n".join(lines)
