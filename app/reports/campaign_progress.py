"""How far campaigns are: their recipients by what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from app.campaigns.tables import recipient
from app.db import Tx, among
from app.db.identifiers import CampaignId


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Recipients of one state."""

    state: str
    because: str | None
    guests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Of a campaign, for a list."""

    audience: int  # who was met so far
    told: int  # whom a card or a text spoke to
    reached: int  # of whom that is known


_TOLD = (
    "said", "texting", "reached", "google_accepted", "text_accepted", "text_delivered", "text_failed",
    "unreached",
)  # fmt: skip
_REACHED = ("reached", "google_accepted", "text_delivered")


def progress(tx: Tx, campaign_id: CampaignId) -> list[Group]:
    """Everybody who was met, once."""
    rows = tx.execute(
        select(recipient.c.state, recipient.c.because, func.count())
        .where(recipient.c.campaign_id == campaign_id)
        .group_by(recipient.c.state, recipient.c.because)
    )
    return [Group(state=state, because=because, guests=guests) for state, because, guests in rows]


def sums(tx: Tx, campaign_ids: Sequence[CampaignId]) -> dict[CampaignId, Sums]:
    """Of those of these campaigns that have recipients."""
    rows = tx.execute(
        select(recipient.c.campaign_id, recipient.c.state, func.count())
        .where(among(recipient.c.campaign_id, campaign_ids))
        .group_by(recipient.c.campaign_id, recipient.c.state)
    )
    by_campaign: dict[CampaignId, dict[str, int]] = {}
    for campaign_id, state, guests in rows:
        by_campaign.setdefault(campaign_id, {})[state] = guests
    return {
        campaign_id: Sums(
            audience=sum(states.values()),
            told=sum(states.get(one, 0) for one in _TOLD),
            reached=sum(states.get(one, 0) for one in _REACHED),
        )
        for campaign_id, states in by_campaign.items()
    }
