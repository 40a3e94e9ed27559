"""A witness that looks into the database itself: what may never be there, and what the books say.

What is written half is found whenever one looks, also while everybody writes: each question is one statement,
and sees what was committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

from sqlalchemy import select, text

from app.db import Database, connect

for _room in ("accounts", "places", "delivery", "passes", "loyalty"):
    import_module(f"app.{_room}.tables")

from app.delivery.tables import delivery  # noqa: E402  # tables refer to each other by name
from app.loyalty.tables import enrolment, ledger_entry, receipt  # noqa: E402
from app.passes.tables import wallet_pass  # noqa: E402

HALVES: dict[str, str] = {
    "an enrolment without its pass, or with another one's": (
        "SELECT e.id FROM enrolment e LEFT JOIN wallet_pass p ON p.id = e.pass_id WHERE p.id IS NULL"
        " UNION ALL SELECT pass_id FROM enrolment GROUP BY pass_id HAVING count(*) > 1"
    ),
    "a pass without an enrolment": (
        "SELECT p.id FROM wallet_pass p LEFT JOIN enrolment e ON e.pass_id = p.id WHERE e.id IS NULL"
    ),
    "a member without an enrolment": (
        "SELECT m.id FROM member m LEFT JOIN enrolment e ON e.member_id = m.id WHERE e.id IS NULL"
    ),
    "a member without consent to the processing of data, or without an answer about advertising": (
        "SELECT m.id FROM member m WHERE NOT EXISTS (SELECT 1 FROM consent c WHERE c.member_id = m.id"
        " AND c.purpose = 'data' AND c.granted) OR NOT EXISTS (SELECT 1 FROM consent c"
        " WHERE c.member_id = m.id AND c.purpose = 'advertising')"
    ),
    "an enrolment whose visit has no form": (
        "SELECT e.id FROM enrolment e LEFT JOIN visit_event v ON v.visit_id = e.visit_id AND v.kind = 'form'"
        " WHERE e.visit_id IS NOT NULL AND v.visit_id IS NULL"
    ),
    "a balance that is not the sum of its entries": (
        "SELECT e.id FROM enrolment e WHERE e.balance <>"
        " (SELECT coalesce(sum(l.points), 0) FROM ledger_entry l WHERE l.enrolment_id = e.id)"
    ),
    "a balance that is not what remains in its lots": (
        "SELECT e.id FROM enrolment e WHERE e.balance <>"
        " (SELECT coalesce(sum(l.remaining), 0) FROM lot l WHERE l.enrolment_id = e.id)"
    ),
    "a receipt without exactly one accrual": (
        "SELECT r.id FROM receipt r LEFT JOIN ledger_entry l ON l.receipt_id = r.id AND l.kind = 'accrual'"
        " GROUP BY r.id HAVING count(l.id) <> 1"
    ),
    "as many receipts as kept answers, or not": (
        "SELECT 1 WHERE (SELECT count(*) FROM receipt) <> (SELECT count(*) FROM till_call)"
    ),
    "a till's call without its answer": "SELECT idempotency_key FROM till_call WHERE status <> 201",
    "a pass beyond its tag counter": (
        "SELECT p.id FROM wallet_pass p LEFT JOIN tag_counter t"
        " ON t.pass_type_identifier = p.pass_type_identifier WHERE t.value IS NULL OR p.tag > t.value"
    ),
    "a registration without its device or its pass": (
        "SELECT r.pass_id FROM registration r LEFT JOIN device d ON d.id = r.device_id"
        " LEFT JOIN wallet_pass p ON p.id = r.pass_id WHERE d.id IS NULL OR p.id IS NULL"
        " OR d.pass_type_identifier <> p.pass_type_identifier"
    ),
    "an attempt that is open at a promise that nobody carries out": (
        "SELECT a.id FROM attempt a JOIN delivery d ON d.id = a.delivery_id"
        " WHERE a.finished_at IS NULL AND d.state <> 'sending'"
    ),
    "a promise on its way without an open attempt": (
        "SELECT d.id FROM delivery d LEFT JOIN attempt a ON a.delivery_id = d.id AND a.finished_at IS NULL"
        " WHERE d.state = 'sending' AND a.id IS NULL"
    ),
    "a promise that was given up": "SELECT id FROM delivery WHERE state IN ('exhausted', 'refused', 'gone')",
}
"""What may never be found, in words, and the question that finds it."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the database holds when all is quiet."""

    receipts: dict[str, int]  # points by the till's number
    doubled: list[str]  # numbers that are there twice
    points: dict[str, int]  # sum of the ledger by card code
    last_modified: dict[str, datetime]  # of every pass, by serial number


class Witness:
    """Looks, and keeps nothing open in between: it must not stand between the dead and who comes after."""

    def __init__(self, database_url: str) -> None:
        """``database_url`` as in PERKPASS_DATABASE_URL."""
        self._url = database_url

    def halves(self) -> list[str]:
        """What is half-written at this moment, in words."""
        with self._looking() as database:
            found = []
            for words, question in HALVES.items():
                with database.autocommit() as tx:
                    found += [f"{words}: {row[0]}" for row in tx.execute(text(question)).all()]
            return found

    def unsettled(self) -> int:
        """Promises that somebody still has to keep."""
        with self._looking() as database, database.autocommit() as tx:
            rows = tx.execute(select(delivery.c.id).where(delivery.c.state.in_(("pending", "sending"))))
            return len(rows.all())

    def overdue(self, *, now: datetime) -> list[str]:
        """Promises that a dead worker still holds after the end of its lease."""
        with self._looking() as database, database.autocommit() as tx:
            rows = tx.execute(
                select(delivery.c.id).where(delivery.c.state == "sending", delivery.c.lease_until < now)
            )
            return [f"a lease is over and promise {row.id} still on its way" for row in rows]

    def books(self) -> Books:
        """Receipts, ledgers and versions."""
        with self._looking() as database, database.read() as tx:
            numbers: dict[str, int] = {}
            doubled = []
            for row in tx.execute(
                select(receipt.c.number, ledger_entry.c.points).join(
                    ledger_entry, ledger_entry.c.receipt_id == receipt.c.id
                )
            ):
                if row.number in numbers:
                    doubled.append(row.number)
                numbers[row.number] = row.points
            points: dict[str, int] = {}
            for row in tx.execute(
                select(enrolment.c.card_code, ledger_entry.c.points).join(
                    ledger_entry, ledger_entry.c.enrolment_id == enrolment.c.id
                )
            ):
                points[row.card_code] = points.get(row.card_code, 0) + row.points
            versions = tx.execute(select(wallet_pass.c.serial_number, wallet_pass.c.last_modified))
            modified = {row.serial_number: row.last_modified for row in versions}
        return Books(numbers, doubled, points, modified)

    @contextmanager
    def _looking(self) -> Iterator[Database]:
        database = connect(self._url, pool_size=1)
        try:
            yield database
        finally:
            database.close()
