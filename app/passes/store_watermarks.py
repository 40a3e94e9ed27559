"""SQL of what web processes tell of their evidence."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select

from app.db import Tx, insert
from app.passes.tables import evidence_watermark

_columns = evidence_watermark.c


def write(tx: Tx, process: str, recorded_until: datetime, *, now: datetime) -> None:
    """The process's row."""
    said = {"recorded_until": recorded_until, "seen_at": now}
    tx.execute(
        insert(tx, evidence_watermark)
        .values(process=process, **said)
        .on_conflict_do_update(index_elements=["process"], set_=said)
    )


def delete(tx: Tx, process: str) -> None:
    """There is no such process any more."""
    tx.execute(sql_delete(evidence_watermark).where(_columns.process == process))


def forget_silent(tx: Tx, *, before: datetime) -> None:
    """Rows of processes that died long ago."""
    tx.execute(sql_delete(evidence_watermark).where(_columns.seen_at < before))


def oldest(tx: Tx, *, seen_after: datetime) -> datetime | None:
    """Of those that were heard of since then; None where there is none."""
    asked = select(func.min(_columns.recorded_until, type_=_columns.recorded_until.type))
    found: datetime | None = tx.scalar(asked.where(_columns.seen_at > seen_after))
    return found
