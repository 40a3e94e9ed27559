"""SQL of campaigns themselves: what was written, where it stands, whose turn it is to be worked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import and_, exists, insert, or_, select, update
from sqlalchemy import delete as sql_delete

from app.campaigns.audiences import Frozen
from app.campaigns.plan import Plan
from app.campaigns.tables import IS_WAITING, campaign, recipient
from app.db import Tx
from app.db.identifiers import BrandId, CampaignId, MemberId, OfferId

State = Literal[
    "draft", "scheduled", "canary", "running", "paused", "stopped", "measuring", "cancelled", "done"
]
Kind = Literal["advertising", "service"]
SPEAKING: Final = ("canary", "running")
"""States in which guests are spoken to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign as it stands."""

    id: CampaignId
    brand_id: BrandId
    offer_id: OfferId | None
    name: str
    kind: Kind
    plan: Plan
    state: State
    revision: int
    created_at: datetime
    created_by: str
    sent_by: str | None
    starts_at: datetime | None
    frozen: Frozen | None  # from its beginning on, as the three that follow
    salt: bytes | None
    cursor: MemberId | None
    ends_at: datetime | None
    next_reading_at: datetime | None
    expanded_at: datetime | None
    release_at: datetime | None
    settled_at: datetime | None
    texts: int
    spent: int
    stopped_because: str | None

    @property
    def announcement(self) -> str:
        """What a card's message of it is called."""
        return f"campaign:{self.id}"


_SHOWN = [column for column in campaign.c if column.name != "worked_at"]


def add(tx: Tx, values: dict[str, Any]) -> CampaignId:
    """A new one; columns as the table's, the plan as JSON."""
    return CampaignId(tx.execute(insert(campaign).values(values).returning(campaign.c.id)).scalar_one())


def by_id(tx: Tx, campaign_id: CampaignId, *, lock: bool = False) -> Campaign | None:
    """This one; ``lock``: nobody else changes it until the transaction ends."""
    asked = select(*_SHOWN).where(campaign.c.id == campaign_id)
    row = tx.execute(asked.with_for_update() if lock else asked).one_or_none()
    return _campaign(row) if row else None


def of_brand(tx: Tx, brand_id: BrandId, *, limit: int, before: CampaignId | None = None) -> list[Campaign]:
    """Newest first, those older than ``before``."""
    asked = select(*_SHOWN).where(campaign.c.brand_id == brand_id)
    if before is not None:
        asked = asked.where(campaign.c.id < before)
    return [_campaign(row) for row in tx.execute(asked.order_by(campaign.c.id.desc()).limit(limit))]


def change(tx: Tx, campaign_id: CampaignId, **values: Any) -> None:
    """Columns as the table's."""
    tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(values))


def named(tx: Tx, brand_id: BrandId, name: str) -> CampaignId | None:
    """Which of the brand's has this name."""
    return tx.scalar(select(campaign.c.id).where(campaign.c.brand_id == brand_id, campaign.c.name == name))


def _has_work(now: datetime) -> Any:
    """Somebody of the audience is to be assigned, or somebody's moment has come."""
    due = exists().where(
        recipient.c.campaign_id == campaign.c.id,
        IS_WAITING,
        recipient.c.contact_at <= now,
        # While the canary is watched the others wait; their moment is its end at the earliest.
        or_(campaign.c.state == "running", recipient.c.contact_at < campaign.c.release_at),
    )
    return and_(campaign.c.state.in_(SPEAKING), or_(campaign.c.expanded_at.is_(None), due))


def next_to_work_at(tx: Tx, now: datetime) -> Campaign | None:
    """The one that has waited longest for a step, locked; None where nobody is to be spoken to."""
    row = tx.execute(
        select(*_SHOWN)
        .where(_has_work(now))
        .order_by(campaign.c.worked_at.asc().nulls_first(), campaign.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=campaign)
    ).one_or_none()
    return _campaign(row) if row else None


def anything_to_work_at(tx: Tx, now: datetime) -> bool:
    """Whether there is one; locks nothing."""
    return tx.scalar(select(campaign.c.id).where(_has_work(now)).limit(1)) is not None


def in_state(tx: Tx, states: tuple[State, ...], *, lock: bool = False, limit: int = 100) -> list[Campaign]:
    """Those in these states, oldest first; ``lock``: those that nobody else has locked."""
    asked = (
        select(*_SHOWN).where(campaign.c.state.in_(states)).order_by(campaign.c.starts_at, campaign.c.id)
    ).limit(limit)
    return [
        _campaign(row)
        for row in tx.execute(asked.with_for_update(skip_locked=True, of=campaign) if lock else asked)
    ]


def to_begin(tx: Tx, now: datetime, *, limit: int = 10) -> list[Campaign]:
    """Scheduled ones whose time has come, locked."""
    asked = (
        select(*_SHOWN)
        .where(campaign.c.state == "scheduled", campaign.c.starts_at <= now)
        .order_by(campaign.c.starts_at, campaign.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_campaign(row) for row in tx.execute(asked)]


def anything_to_begin(tx: Tx, now: datetime) -> bool:
    """Whether there is one; locks nothing."""
    asked = select(campaign.c.id).where(campaign.c.state == "scheduled", campaign.c.starts_at <= now)
    return tx.scalar(asked.limit(1)) is not None


def cancelled_and_open(tx: Tx, now: datetime) -> Campaign | None:
    """One that was cancelled while somebody waits, or is looked at later than now."""
    mine = recipient.c.campaign_id == campaign.c.id
    waits = exists().where(mine, IS_WAITING)
    later = exists().where(mine, recipient.c.state == "said", recipient.c.look_at > now)
    asked = select(*_SHOWN).where(
        campaign.c.state == "cancelled", campaign.c.settled_at.is_(None), or_(waits, later)
    )
    row = tx.execute(asked.limit(1)).one_or_none()
    return _campaign(row) if row else None


def to_read(tx: Tx, now: datetime) -> Campaign | None:
    """The one whose day has been over for longest and was not read yet."""
    asked = select(*_SHOWN).where(campaign.c.next_reading_at <= now).order_by(campaign.c.next_reading_at)
    row = tx.execute(asked.limit(1)).one_or_none()
    return _campaign(row) if row else None


def canary_over(tx: Tx, now: datetime) -> Campaign | None:
    """One whose canary has been watched for as long as it was to be."""
    asked = select(*_SHOWN).where(campaign.c.state == "canary", campaign.c.release_at <= now)
    row = tx.execute(asked.order_by(campaign.c.release_at).limit(1)).one_or_none()
    return _campaign(row) if row else None


def delete(tx: Tx, campaign_id: CampaignId) -> None:
    """One that nobody was assigned to."""
    tx.execute(sql_delete(campaign).where(campaign.c.id == campaign_id))


def _campaign(row: Any) -> Campaign:
    said = dict(row._mapping)
    said["plan"] = Plan.from_json(said["plan"])
    said["frozen"] = Frozen.from_json(said["frozen"]) if said["frozen"] else None
    return Campaign(**said)
