"""SQL of recipients from the moment they were spoken to until they are settled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, Text, and_, exists, func, or_, select, text, update

from app.campaigns.store_campaigns import Campaign, by_id
from app.campaigns.tables import IS_WAITING, campaign, recipient
from app.db import Id, Tx, Types, UtcDateTime, among, given
from app.db.identifiers import CampaignId, DeliveryId, MemberId, WalletPassId

BEGUN: Final = ("canary", "running", "paused", "stopped", "cancelled")
"""States in which recipients may be under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A recipient that was spoken to, locked."""

    member_id: MemberId
    arm: int
    state: str
    because: str | None = None
    pass_id: WalletPassId | None = None
    google: bool = False
    contact_at: datetime
    look_at: datetime | None = None
    deadline_at: datetime | None = None
    accepted_at: datetime | None = None
    reached_at: datetime | None = None
    delivery_id: DeliveryId | None = None
    text_parts: int | None = None
    text_price: int | None = None
    text_currency: str | None = None
    settled_at: datetime | None = None


_BY_INDEX: Final = text("SET LOCAL enable_sort TO off")
_AS_USUAL: Final = text("SET LOCAL enable_sort TO on")
"""What PostgreSQL's planner knows of looks is from before the campaign: it would sort all recipients."""
_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before any contact: told so, SQLite goes by the index of who waits, not through the campaign."""
_COLUMNS: Final = tuple(recipient.c[one.name] for one in fields(Recipient))
# Each row names its campaign: told once beside them, SQLite would go through all of its recipients.
_WRITTEN: Final[Types] = {
    "of_campaign_id": Id,
    "of_member_id": Id,
    "state": Text(),
    "because": Text(),
    "contact_at": UtcDateTime(),
    "look_at": UtcDateTime(),
    "deadline_at": UtcDateTime(),
    "accepted_at": UtcDateTime(),
    "reached_at": UtcDateTime(),
    "delivery_id": Id,
    "text_parts": Integer(),
    "text_price": BigInteger(),
    "text_currency": Text(),
    "settled_at": UtcDateTime(),
}
_STANDS: Final = tuple(name for name in _WRITTEN if not name.startswith("of_"))
_HEARD: Final[Types] = {
    "of_delivery_id": Id,
    "state": Text(),
    "because": Text(),
    "text_parts": Integer(),
    "text_price": BigInteger(),
    "text_currency": Text(),
}


def _due(now: datetime) -> Any:
    return exists().where(recipient.c.campaign_id == campaign.c.id, recipient.c.look_at <= now)


def anything_due(tx: Tx, now: datetime) -> bool:
    """Whether anybody is to be looked at; locks nothing."""
    asked = select(campaign.c.id).where(campaign.c.state.in_(BEGUN), campaign.c.settled_at.is_(None))
    return tx.scalar(asked.where(_due(now)).limit(1)) is not None


def next_campaign(tx: Tx, now: datetime) -> Campaign | None:
    """The one whose recipients have waited longest for a look, locked; those of others are passed over."""
    longest = (
        select(func.min(recipient.c.look_at))
        .where(recipient.c.campaign_id == campaign.c.id, recipient.c.look_at.is_not(None))
        .scalar_subquery()
    )
    found = tx.scalar(
        select(campaign.c.id)
        .where(campaign.c.state.in_(BEGUN), campaign.c.settled_at.is_(None), _due(now))
        .order_by(longest, campaign.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=campaign)
    )
    return by_id(tx, CampaignId(found), lock=True) if found is not None else None


def due(tx: Tx, campaign_id: CampaignId, *, now: datetime, limit: int) -> list[Recipient]:
    """Those who are to be looked at, the longest due first, locked."""
    if tx.dialect.name == "postgresql":
        tx.execute(_BY_INDEX)
    rows = tx.execute(
        select(*_COLUMNS)
        .where(recipient.c.campaign_id == campaign_id, recipient.c.look_at <= now)
        .order_by(recipient.c.look_at, recipient.c.member_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if tx.dialect.name == "postgresql":
        tx.execute(_AS_USUAL)
    return [Recipient(**row._mapping) for row in rows]


def write(tx: Tx, campaign_id: CampaignId, rows: Sequence[Recipient]) -> None:
    """They stand so now."""
    if rows:
        values = [
            {name: getattr(row, name) for name in _STANDS}
            | {"of_campaign_id": campaign_id, "of_member_id": row.member_id}
            for row in rows
        ]
        new = given(tx, values, _WRITTEN)
        tx.execute(
            update(recipient)
            .where(
                recipient.c.campaign_id == new.c.of_campaign_id,
                recipient.c.member_id == new.c.of_member_id,
            )
            .values({name: new.c[name] for name in _STANDS})
        )


def promised(tx: Tx, campaign_id: CampaignId) -> tuple[int, int]:
    """How many texts the locked campaign has promised, and what they are expected to cost."""
    row = tx.execute(select(campaign.c.texts, campaign.c.spent).where(campaign.c.id == campaign_id)).one()
    return row.texts, row.spent


def count_texts(tx: Tx, campaign_id: CampaignId, *, texts: int, spent: int) -> None:
    """So many more of both, or fewer, of the locked campaign."""
    if texts or spent:
        tx.execute(
            update(campaign)
            .where(campaign.c.id == campaign_id)
            .values(texts=campaign.c.texts + texts, spent=campaign.c.spent + spent)
        )


def members_with_rows(tx: Tx, campaign_id: CampaignId, member_ids: Collection[MemberId]) -> set[MemberId]:
    """Which of these are recipients of the campaign, or were held back."""
    asked = select(recipient.c.member_id).where(
        recipient.c.campaign_id == campaign_id, among(recipient.c.member_id, sorted(member_ids))
    )
    return set(tx.scalars(asked))


def texted(tx: Tx, delivery_ids: Collection[DeliveryId]) -> dict[DeliveryId, str]:
    """The state of the recipients whose texts these are."""
    if not delivery_ids:
        return {}
    rows = tx.execute(
        select(recipient.c.delivery_id, recipient.c.state).where(
            among(recipient.c.delivery_id, sorted(delivery_ids))
        )
    )
    return {row.delivery_id: row.state for row in rows}


def correct(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """What came of texts after all, of settled recipients; columns as the table's, by ``of_delivery_id``."""
    if rows:
        new = given(tx, rows, _HEARD)
        tx.execute(
            update(recipient)
            .where(
                recipient.c.delivery_id == new.c.of_delivery_id,
                recipient.c.state.in_(("text_accepted", "text_delivered", "text_failed")),
            )
            .values({name: new.c[name] for name in _HEARD if name != "of_delivery_id"})
        )


def look_at_once(tx: Tx, delivery_ids: Collection[DeliveryId], now: datetime) -> None:
    """The recipients of these texts are to be looked at, where they are not settled."""
    tx.execute(
        update(recipient)
        .where(
            among(recipient.c.delivery_id, sorted(delivery_ids)),
            recipient.c.state == "texting",
            recipient.c.look_at > now,
        )
        .values(look_at=now)
    )


def _over() -> Any:
    """Nobody is under way any more, and it was not settled yet."""
    mine = recipient.c.campaign_id == campaign.c.id
    return and_(
        campaign.c.state.in_(BEGUN),
        campaign.c.settled_at.is_(None),
        or_(campaign.c.state == "cancelled", campaign.c.expanded_at.is_not(None)),
        ~exists().where(mine, IS_WAITING, recipient.c.contact_at > _EVER),
        ~exists().where(mine, recipient.c.look_at.is_not(None)),
    )


def anything_over(tx: Tx) -> bool:
    """Whether a campaign has nobody under way any more; locks nothing."""
    return tx.scalar(select(campaign.c.id).where(_over()).limit(1)) is not None


def over(tx: Tx) -> list[CampaignId]:
    """Those, locked, but for those that somebody else has locked."""
    asked = select(campaign.c.id).where(_over()).order_by(campaign.c.id)
    return list(tx.scalars(asked.with_for_update(skip_locked=True, of=campaign)))


def settle(tx: Tx, campaign_ids: Collection[CampaignId], now: datetime) -> None:
    """Everybody is in an end state: from now on it is measured, or stays cancelled."""
    mine = among(campaign.c.id, sorted(campaign_ids))
    tx.execute(update(campaign).where(mine).values(settled_at=now))
    tx.execute(
        update(campaign)
        .where(mine, campaign.c.state != "cancelled")
        .values(state="measuring", stopped_because=None)
    )
