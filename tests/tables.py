"""Every table of a database as it is now, to compare before and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from app.db import Database, metadata

Tables = dict[str, list[tuple[Any, ...]]]

LOGS = frozenset({"device_log", "evidence_watermark"})
"""What phones wrote into the log endpoint, and a process's word that it lives: always allowed to change."""
_MOMENTS = {"point_of_sale_key": {"last_used_at"}}


def every_row(database: Database, without: frozenset[str] = LOGS) -> Tables:
    """Every row of every table, in a fixed order."""
    found: Tables = {}
    with database.read() as tx:
        for table in metadata.sorted_tables:
            if table.name not in without:
                moments = _MOMENTS.get(table.name, set())
                rows = tx.execute(select(*(column for column in table.columns if column.name not in moments)))
                found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


@contextmanager
def nothing_changes(database: Database, without: frozenset[str] = LOGS) -> Iterator[None]:
    """Every table says afterwards what it said before."""
    before = every_row(database, without)
    yield
    after = every_row(database, without)
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, {name: (before[name], after[name]) for name in changed}
