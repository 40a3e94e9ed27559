"""SQL of campaigns' texts at their claim."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Text, and_, select

from app.campaigns.tables import campaign, recipient
from app.db import Id, Tx, Types, among, given
from app.db.identifiers import CampaignId, DeliveryId, WalletPassId
from app.passes.announcement_tables import announcement

_NAMED: Final[Types] = {"of_delivery_id": Id, "of_pass_id": Id, "of_name": Text()}


@dataclass(frozen=True, slots=True)
class TextRow:
    """Whose text it is."""

    delivery_id: DeliveryId
    campaign_id: CampaignId
    campaign_state: str
    recipient_state: str
    pass_id: WalletPassId | None
    deadline_at: datetime | None


def of_texts(tx: Tx, ids: Collection[DeliveryId]) -> list[TextRow]:
    """The recipients of these texts; texts of no campaign are left out."""
    rows = tx.execute(
        select(
            recipient.c.delivery_id,
            recipient.c.campaign_id,
            campaign.c.state,
            recipient.c.state,
            recipient.c.pass_id,
            recipient.c.deadline_at,
        )
        .join(campaign, campaign.c.id == recipient.c.campaign_id)
        .where(among(recipient.c.delivery_id, sorted(ids)))
    )
    return [TextRow(*row) for row in rows]


def messages(tx: Tx, rows: Sequence[TextRow]) -> tuple[set[DeliveryId], set[DeliveryId]]:
    """Whose card was fetched, and whose nobody fetches just now: who does so later waits for us.

    Cards that say nothing of the campaign (any more) are free.
    """
    by_card = [row for row in rows if row.pass_id is not None]
    free = {row.delivery_id for row in rows}
    if not by_card:
        return set(), free
    named = [
        {
            "of_delivery_id": row.delivery_id,
            "of_pass_id": row.pass_id,
            "of_name": f"campaign:{row.campaign_id}",
        }
        for row in by_card
    ]
    asked = given(tx, named, _NAMED)
    wanted = and_(announcement.c.pass_id == asked.c.of_pass_id, announcement.c.name == asked.c.of_name)
    columns = select(asked.c.of_delivery_id, announcement.c.ending).join(announcement, wanted)
    locked = columns.with_for_update(read=True, skip_locked=True, of=announcement)
    sure = {row[0]: row[1] for row in tx.execute(locked)}
    there = {row[0] for row in tx.execute(columns)}
    fetched = {DeliveryId(key) for key, ending in sure.items() if ending == "fetched"}
    return fetched, free - {DeliveryId(key) for key in there - sure.keys()}
