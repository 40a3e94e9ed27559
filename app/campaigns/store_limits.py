"""SQL of limits: a brand's settings, and when guests were spoken to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select, update

from app.campaigns.tables import campaign, marketing_limits, recipient
from app.db import Tx, among, insert
from app.db.identifiers import BrandId, CampaignId, MemberId


@dataclass(frozen=True, slots=True)
class LimitsRow:
    """As the table has them."""

    most: int
    days: int
    quiet_since: str
    quiet_until: str


def find(tx: Tx, brand_id: BrandId, *, lock: bool = False) -> LimitsRow | None:
    """The brand's own; ``lock``: nobody else takes them until the transaction ends."""
    columns = marketing_limits.c
    asked = select(columns.most, columns.days, columns.quiet_since, columns.quiet_until).where(
        columns.brand_id == brand_id
    )
    row = tx.execute(asked.with_for_update() if lock else asked).one_or_none()
    return LimitsRow(*row) if row else None


def add(tx: Tx, brand_id: BrandId, row: LimitsRow) -> None:
    """Where the brand has none of its own."""
    tx.execute(insert(tx, marketing_limits).values(brand_id=brand_id, **asdict(row)).on_conflict_do_nothing())


def change(tx: Tx, brand_id: BrandId, row: LimitsRow) -> None:
    """Other ones."""
    tx.execute(update(marketing_limits).where(marketing_limits.c.brand_id == brand_id).values(**asdict(row)))


def contacts(
    tx: Tx, member_ids: Sequence[MemberId], *, since: datetime, besides: CampaignId
) -> dict[MemberId, list[datetime]]:
    """When advertising spoke to these since then, or is about to, other than by the campaign ``besides``."""
    rows = tx.execute(
        select(recipient.c.member_id, recipient.c.contact_at)
        .join(campaign, campaign.c.id == recipient.c.campaign_id)
        .where(
            among(recipient.c.member_id, member_ids),
            recipient.c.contact_at > since,
            recipient.c.campaign_id != besides,
            campaign.c.kind == "advertising",
        )
    )
    found: dict[MemberId, list[datetime]] = {}
    for member_id, at in rows:
        found.setdefault(member_id, []).append(at)
    return found
