"""SQL of the lines that phones sent to the log endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select

from app.db import Tx, insert
from app.db.identifiers import PassTypeIdentifier
from app.passes.tables import device_log


def add(tx: Tx, lines: Sequence[tuple[datetime, PassTypeIdentifier | None, str]]) -> None:
    """Append (moment, pass type identifier, line)."""
    if lines:
        tx.execute(
            insert(tx, device_log),
            [{"at": at, "pass_type_identifier": pass_type, "line": line} for at, pass_type, line in lines],
        )


def keep_newest(tx: Tx, most: int) -> None:
    """Delete all but about the newest ``most``, by their numbers: a gap only means that fewer are left."""
    newest = tx.scalar(select(func.max(device_log.c.id))) or 0
    tx.execute(delete(device_log).where(device_log.c.id <= newest - most))


def newest(tx: Tx, most: int) -> list[tuple[datetime, PassTypeIdentifier | None, str]]:
    """The last ``most`` lines, newest first."""
    rows = tx.execute(
        select(device_log.c.at, device_log.c.pass_type_identifier, device_log.c.line)
        .order_by(device_log.c.id.desc())
        .limit(most)
    )
    return [(row[0], row[1], row[2]) for row in rows]
