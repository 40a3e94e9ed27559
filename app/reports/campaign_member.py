"""Why a guest got a campaign or did not: one line for each that met them, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.campaigns.tables import campaign, recipient
from app.db import Tx
from app.db.identifiers import CampaignId, MemberId

MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of a campaign for one guest."""

    campaign_id: CampaignId
    name: str
    arm: int | None
    state: str
    because: str | None
    assigned_at: datetime
    contact_at: datetime | None  # planned while waiting, then when it was
    reached_at: datetime | None
    settled_at: datetime | None


def lines(tx: Tx, member_id: MemberId, *, limit: int = MOST) -> list[Line]:
    """Of a member whom the caller may see."""
    columns = recipient.c
    rows = tx.execute(
        select(
            campaign.c.id.label("campaign_id"),
            campaign.c.name,
            columns.arm,
            columns.state,
            columns.because,
            columns.assigned_at,
            columns.contact_at,
            columns.reached_at,
            columns.settled_at,
        )
        .join(campaign, campaign.c.id == columns.campaign_id)
        .where(columns.member_id == member_id)
        .order_by(columns.assigned_at.desc(), campaign.c.id.desc())
        .limit(limit)
    )
    return [Line(**row._mapping) for row in rows]
