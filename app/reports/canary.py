"""How the canary of a campaign did, beside the guests who were held out."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select

from app.campaigns.canary import CanaryNumbers
from app.campaigns.tables import recipient
from app.db import Tx
from app.db.identifiers import CampaignId
from app.delivery.tables import delivery
from app.passes.google_tables import google_object
from app.passes.tables import registration
from app.reports.campaign_sums import in_a_wallet

_HELD_OUT = recipient.c.state == "held_out"
_TOLD = and_(
    recipient.c.canary.is_(True), recipient.c.contact_at.is_not(None), recipient.c.state != "waiting"
)
_FAILED = ("refused", "exhausted")


def canary_numbers(tx: Tx, campaign_id: CampaignId) -> CanaryNumbers:
    """As they are now."""
    return CanaryNumbers(
        told=_count(tx, _of(campaign_id, _TOLD)),
        removed=_count(tx, _of(campaign_id, _TOLD, ~in_a_wallet())),
        failed=_count(tx, _of(campaign_id, _TOLD, _refused())),
        held_out=_count(tx, _of(campaign_id, _HELD_OUT)),
        held_out_removed=_count(tx, _of(campaign_id, _HELD_OUT, ~in_a_wallet())),
    )


def _of(campaign_id: CampaignId, *conditions: Any) -> Select[Any]:
    return select(recipient.c.member_id).where(
        recipient.c.campaign_id == campaign_id, recipient.c.pass_id.is_not(None), *conditions
    )


def _refused() -> Any:
    """A push or a change of the object since the guest was spoken to, that was not taken in the end."""
    since = delivery.c.settled_at >= recipient.c.contact_at
    push = exists().where(
        registration.c.pass_id == recipient.c.pass_id,
        delivery.c.device_id == registration.c.device_id,
        delivery.c.state.in_(_FAILED),
        since,
    )
    change = exists().where(
        google_object.c.pass_id == recipient.c.pass_id,
        delivery.c.google_object_id == google_object.c.id,
        delivery.c.state.in_(_FAILED),
        since,
    )
    return or_(push, change)


def _count(tx: Tx, chosen: Select[Any]) -> int:
    return tx.scalar(select(func.count()).select_from(chosen.subquery())) or 0
