"""A campaign's recipients as rows for a spreadsheet, as they are read: one for each guest of the audience."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import func, select

from app.campaigns.store_campaigns import Campaign
from app.campaigns.tables import recipient
from app.db import Tx
from app.errors import BadInput
from app.loyalty.tables import member
from app.reports.sheets import MOST_SHEET_ROWS, Cell

COLUMNS: Final = (
    "member", "name", "phone", "arm", "state", "because", "contacted_at", "accepted_at", "reached_at",
    "settled_at", "text_parts", "text_price", "text_currency",
)  # fmt: skip
_TIMES: Final = ("contact_at", "accepted_at", "reached_at", "settled_at")
_AT_ONCE: Final = 1_000


def fits_a_sheet(tx: Tx, campaign: Campaign, *, most: int = MOST_SHEET_ROWS) -> None:
    """Raises BadInput ("too-many-rows") where a sheet would end before the rows do."""
    asked = select(func.count()).where(recipient.c.campaign_id == campaign.id)
    if (tx.scalar(asked) or 0) > most:
        raise BadInput("too-many-rows", "This is more than a spreadsheet holds: take the CSV file instead.")


def rows(tx: Tx, campaign: Campaign) -> Iterator[tuple[Cell, ...]]:
    """In order of member; an arm by its name, moments in ISO 8601 (UTC), prices in minor units."""
    names = {0: "holdout", **{number: arm.name for number, arm in enumerate(campaign.plan.arms, 1)}}
    columns = recipient.c
    after = 0
    while True:
        found = tx.execute(
            select(
                columns.member_id,
                member.c.name,
                member.c.phone,
                columns.arm,
                columns.state,
                columns.because,
                *(columns[name] for name in _TIMES),
                columns.text_parts,
                columns.text_price,
                columns.text_currency,
            )
            .join(member, member.c.id == columns.member_id)
            .where(columns.campaign_id == campaign.id, columns.member_id > after)
            .order_by(columns.member_id)
            .limit(_AT_ONCE)
        ).all()
        for row in found:
            said = row._mapping
            yield (
                row.member_id,
                row.name or "",
                row.phone or "",
                names.get(row.arm, ""),
                row.state,
                row.because or "",
                *(said[name].isoformat(timespec="seconds") if said[name] else "" for name in _TIMES),
                *(said[name] if said[name] is not None else "" for name in ("text_parts", "text_price")),
                row.text_currency or "",
            )
        if len(found) < _AT_ONCE:
            return
        after = found[-1].member_id
