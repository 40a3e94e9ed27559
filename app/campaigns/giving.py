"""A campaign's offer on the cards of those who are told of it, in the very change that tells them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.accounts import brands
from app.campaigns import store_guests
from app.campaigns.store_campaigns import Campaign
from app.campaigns.store_recipients import Due
from app.db import Tx
from app.db.identifiers import BrandId, MemberId, OfferId
from app.loyalty import granting, offers
from app.loyalty.granting import Granted
from app.passes.content import LocalizedText
from app.passes.guest_values import day_of

OVER = "offer_over"
"""Why a campaign is stopped whose offer has ended."""


def give(tx: Tx, campaign: Campaign, told: Sequence[Due], now: datetime) -> dict[MemberId, Granted]:
    """Put the offer on the card of each; who cannot have it (any more) is left out.

    Locks offer and enrolments, before any pass is locked. The campaign has an offer that is not over.
    """
    if campaign.offer_id is None:
        raise ValueError(f"campaign {campaign.id} brings no offer")
    passes = store_guests.enrolments(tx, [one.pass_id for one in told if one.pass_id is not None])
    cardless = [one.member_id for one in told if one.pass_id is None]
    newest = store_guests.newest_enrolments(tx, cardless, campaign.plan.programme_id)
    cards = {
        enrolment_id: one.member_id
        for one in told
        if (enrolment_id := passes.get(one.pass_id) if one.pass_id else newest.get(one.member_id)) is not None
    }
    granted = granting.grant(
        tx, campaign.offer_id, sorted(cards), campaign=campaign.announcement, until=None, now=now
    )
    return {cards[one.enrolment_id]: one for one in granted}


def is_over(tx: Tx, campaign: Campaign, now: datetime) -> bool:
    """Whether what it brings can be had no more."""
    return campaign.offer_id is not None and offers.offer(tx, campaign.offer_id).is_over(now)


def fields(tx: Tx, campaign: Campaign) -> dict[str, LocalizedText]:
    """What texts may name of the offer, if there is one."""
    return fields_of(tx, campaign.brand_id, campaign.offer_id) if campaign.offer_id is not None else {}


def fields_of(tx: Tx, brand_id: BrandId, offer_id: OfferId) -> dict[str, LocalizedText]:
    """Its name, its code, its last day by the brand's clock."""
    draft = offers.offer(tx, offer_id).draft
    until = LocalizedText("", "")
    if draft.until_at is not None:
        zone = ZoneInfo(brands.brand(tx, brand_id).time_zone)
        last = (draft.until_at - timedelta(microseconds=1)).astimezone(zone)
        until = LocalizedText(day_of(last, "ru"), day_of(last, "en"))
    return {"offer": draft.name, "code": LocalizedText(draft.code, draft.code), "until": until}
