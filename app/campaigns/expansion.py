"""An audience becomes recipients: held back where the limits say so, else assigned by chance.

What holds guests back is looked at before the assignment, in the same way for those who will be held out: so
that arms and holdout differ in nothing but what they are told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.campaigns import audiences, home_zones, store_campaigns, store_guests, store_limits
from app.campaigns import store_recipients as store
from app.campaigns.assignment import arm_of, in_canary
from app.campaigns.audiences import Card, Recipient
from app.campaigns.best_hours import best_moment
from app.campaigns.limits import Limits
from app.campaigns.store_campaigns import Campaign
from app.campaigns.store_recipients import HeldBack, Planned
from app.db import Tx
from app.db.identifiers import MemberId
from app.loyalty import consents

_HABITS_SINCE = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was looked up of the guests of one step."""

    zones: Mapping[MemberId, str]
    consenting: set[MemberId]
    contacts: Mapping[MemberId, Sequence[datetime]]
    moments: Mapping[MemberId, datetime]  # when they would be spoken to, but for quiet hours and the canary


def step(tx: Tx, campaign: Campaign, limits: Limits, *, now: datetime, limit: int) -> int:
    """Assign the next guests of the audience; returns how many, 0 when all are."""
    if campaign.frozen is None or campaign.cursor is None:
        raise ValueError(f"campaign {campaign.id} has not begun")
    guests = audiences.walk(tx, campaign.frozen, campaign.cursor, limit)
    if not guests:
        store_campaigns.change(tx, campaign.id, expanded_at=now, worked_at=now)
        return 0
    known = _look_up(tx, campaign, limits, guests, now)
    store.add(tx, campaign.id, [_plan(campaign, limits, one, known, now) for one in guests], now=now)
    store_campaigns.change(tx, campaign.id, cursor=guests[-1].member_id, worked_at=now)
    return len(guests)


def chosen_card(campaign: Campaign, cards: Sequence[Card]) -> Card | None:
    """Which card of the guest speaks: one that pushes reach before one that Google alone holds."""
    programme = campaign.plan.programme_id
    fitting = [one for one in cards if programme is None or one.programme_id == programme]
    heard = [one for one in fitting if one.apple] or [one for one in fitting if one.google]
    return heard[0] if heard else None


def _look_up(
    tx: Tx, campaign: Campaign, limits: Limits, guests: Sequence[Recipient], now: datetime
) -> _Known:
    ids = [one.member_id for one in guests]
    zones = home_zones.of_members(tx, ids)
    if campaign.kind == "service":
        return _Known(zones, set(ids), {}, _moments(tx, campaign, ids, zones, now))
    return _Known(
        zones,
        consents.allowing(tx, ids, "advertising"),
        store_limits.contacts(tx, ids, since=now - limits.window, besides=campaign.id),
        _moments(tx, campaign, ids, zones, now),
    )


def _moments(
    tx: Tx, campaign: Campaign, ids: Sequence[MemberId], zones: Mapping[MemberId, str], now: datetime
) -> dict[MemberId, datetime]:
    if campaign.plan.timing == "at_once":
        return {}
    visits = store_guests.visits(tx, ids, since=now - _HABITS_SINCE)
    homes = store_guests.home_venues(tx, ids)
    there = store_guests.venue_visits(tx, set(homes.values()))
    return {
        one: best_moment(visits.get(one, ()), there.get(homes[one], ()) if one in homes else (), now, zone)
        for one, zone in zones.items()
    }


def _plan(campaign: Campaign, limits: Limits, guest: Recipient, known: _Known, now: datetime) -> Planned:
    card = chosen_card(campaign, guest.cards)
    by_text = card is None and campaign.plan.texts_to == "unreached_and_cardless" and guest.phone is not None
    canary = campaign.release_at is not None and in_canary(campaign.salt or b"", guest.member_id)
    moment = known.moments.get(guest.member_id, now)
    if campaign.release_at is not None and not canary:
        moment = max(moment, campaign.release_at)
    if campaign.kind == "advertising":
        moment = limits.spoken_at(moment, known.zones[guest.member_id])
    because = _held_back(campaign, limits, guest, known, moment, heard=card is not None or by_text)
    if because:
        return Planned(
            member_id=guest.member_id, arm=None, state="held_back", because=because, settled_at=now
        )
    arm = arm_of(campaign.plan.split, campaign.salt or b"", guest.member_id)
    spoken_to = arm is not None
    return Planned(
        member_id=guest.member_id,
        arm=arm + 1 if arm is not None else 0,
        canary=canary,
        state="waiting" if spoken_to else "held_out",
        pass_id=card.pass_id if card else None,
        google=card is not None and not card.apple,
        contact_at=moment if spoken_to else None,
        settled_at=None if spoken_to else now,
    )


def _held_back(
    campaign: Campaign,
    limits: Limits,
    guest: Recipient,
    known: _Known,
    moment: datetime,
    *,
    heard: bool,
) -> HeldBack | None:
    if guest.member_id not in known.consenting:
        return "no_consent"
    if not heard:
        return "no_way"
    if campaign.ends_at is not None and moment >= campaign.ends_at:
        return "too_late"
    if not limits.allow(known.contacts.get(guest.member_id, ()), moment):
        return "cap"
    return None
