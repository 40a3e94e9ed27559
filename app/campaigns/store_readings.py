"""SQL of readings: what was told of each day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.campaigns.tables import campaign_reading
from app.db import Tx, insert
from app.db.identifiers import CampaignId


def add(tx: Tx, campaign_id: CampaignId, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Keep these; what was told of a day already stays."""
    if rows:
        values = [{"campaign_id": campaign_id, "read_at": now, **row} for row in rows]
        tx.execute(insert(tx, campaign_reading).values(values).on_conflict_do_nothing())


def of_campaign(tx: Tx, campaign_id: CampaignId) -> Sequence[Any]:
    """By day and arm."""
    columns = campaign_reading.c
    asked = select(columns.day, columns.arm, columns.sums, columns.removed, columns.told, columns.read_at)
    return tx.execute(
        asked.where(columns.campaign_id == campaign_id).order_by(columns.day, columns.arm)
    ).all()
