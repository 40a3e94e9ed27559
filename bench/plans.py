"""How a database goes about the statements of an operation, and whether it reads a whole table for one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, func, select

from app.db import Database, Tx, metadata

MANY = 5_000
"""Rows of a table that nobody may read all of."""
_VERB = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
_INSERTS_VALUES = re.compile(r"\s*INSERT INTO [^)]*\) VALUES", re.IGNORECASE)
_SCAN = re.compile(r"(?:SCAN|Seq Scan on) ([(\w][)\w-]*)")

Statements = dict[str, Any]
"""Text → parameters of one use."""


@contextmanager
def statements_of(database: Database) -> Iterator[Statements]:
    """Collects what is executed in the block."""
    found: Statements = {}

    def hear(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if _VERB.match(statement):
            found.setdefault(statement, parameters)

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)


def plan(tx: Tx, statement: str, parameters: Any) -> list[str]:
    """The plan's lines, as the database words them."""
    if tx.dialect.name == "sqlite":
        return [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    rows = tx.exec_driver_sql(f"EXPLAIN (COSTS OFF) {statement}", parameters)
    return [
        line.strip()
        for (line,) in rows
        if re.search(r"Scan|Insert on|Update on|Delete on|Cond:|Conflict", line)
    ]


def scanned(statement: str, plan: Sequence[str], rows: Mapping[str, int]) -> list[str]:
    """Tables with many rows that the statement reads wholly.

    Not counted is what SQLite names for the foreign keys that lead to a row it inserts: it looks there only
    while a violation is outstanding, which immediate constraints never leave.
    """
    if "SCAN" in "".join(plan) and _INSERTS_VALUES.match(statement):
        return []
    made = {line.split()[1] for line in plan if line.startswith(("CO-ROUTINE", "MATERIALIZE"))}  # of few rows
    found = [match[1] for line in plan if "VIRTUAL TABLE" not in line and (match := _SCAN.search(line))]
    return [name for name in found if name not in made and rows.get(name, MANY) >= MANY]


def rows_of(tx: Tx) -> dict[str, int]:
    """How many rows each table has; what is walked and is no table (a list of values) has none."""
    counted = {
        table.name: int(tx.scalar(select(func.count()).select_from(table)) or 0)
        for table in metadata.sorted_tables
    }
    return counted | {"CONSTANT": 0}
