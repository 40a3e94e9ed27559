"""Recipients whose moment has come are spoken to: by their card, or by a text where they have none.

What was true when they were assigned may have changed since: consent, the card, the hour, what other
campaigns said. Whoever is not spoken to after all stays in the analysis of the arm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from app.campaigns import giving, home_zones, store_guests, store_limits, store_reach, words
from app.campaigns import store_recipients as store
from app.campaigns.audiences import Card
from app.campaigns.expansion import chosen_card
from app.campaigns.limits import Limits
from app.campaigns.looks import FIRST_LOOK
from app.campaigns.store_campaigns import Campaign
from app.campaigns.store_recipients import Due, HeldBack
from app.db import Tx
from app.db.identifiers import MemberId, WalletPassId
from app.loyalty import consents
from app.loyalty.granting import Granted
from app.passes import announcing
from app.passes.announcing import Announcement
from app.passes.issuing import Revision

TextNow = Callable[[Tx, Campaign, Sequence[Due], datetime], None]
"""Promises the texts of recipients without a card, and settles those who get none; see the cascade."""


def step(tx: Tx, campaign: Campaign, limits: Limits, text_now: TextNow, *, now: datetime, limit: int) -> int:
    """Speak to those whose moment has come; returns how many were looked at.

    Belongs at the end of a transaction in which the brand's limits were taken (:func:`limits.take_turn`).
    """
    before = campaign.release_at if campaign.state == "canary" else None
    due = store.due(tx, campaign.id, now=now, before=before, limit=limit)
    if not due:
        return 0
    # Those of this very transaction were looked at a moment ago.
    planned = [one for one in due if one.contact_at < now]
    fresh = [one for one in due if one.contact_at >= now]
    ready = fresh + _still_wanted(tx, campaign, limits, planned, now)
    granted: Mapping[MemberId, Granted] = {}
    if campaign.offer_id is not None:
        granted = giving.give(tx, campaign, ready, now)
        lacking = [one.member_id for one in ready if one.member_id not in granted]
        store.hold_back(tx, campaign.id, dict.fromkeys(lacking, "no_offer"), now=now)
        ready = [one for one in ready if one.member_id in granted]
    silent = [one for one in ready if one.pass_id is None]
    if silent:
        text_now(tx, campaign, silent, now)
    _say(tx, campaign, [one for one in ready if one.pass_id is not None], granted, now)
    return len(due)


def _still_wanted(
    tx: Tx, campaign: Campaign, limits: Limits, planned: Sequence[Due], now: datetime
) -> list[Due]:
    """Those who may be spoken to now, each with the card that they have now."""
    if not planned:
        return []
    ids = [one.member_id for one in planned]
    living = store_guests.living(tx, ids)
    cards = _cards(tx, campaign, ids)
    advertising = campaign.kind == "advertising"
    consenting = consents.allowing(tx, ids, "advertising") if advertising else living
    contacts = (
        store_limits.contacts(tx, ids, since=now - limits.window, besides=campaign.id) if advertising else {}
    )
    zones = home_zones.of_members(tx, ids)
    why: dict[MemberId, HeldBack] = {}
    later: dict[MemberId, datetime] = {}
    ready: list[Due] = []
    for one in planned:
        card = cards.get(one.member_id)
        moment = (
            limits.spoken_at(now, zones[one.member_id]) if one.member_id in zones and advertising else now
        )
        if one.member_id not in living:
            why[one.member_id] = "left"
        elif one.member_id not in consenting:
            why[one.member_id] = "no_consent"
        elif card is None and campaign.plan.texts_to != "unreached_and_cardless":
            why[one.member_id] = "no_way"
        elif campaign.ends_at is not None and moment >= campaign.ends_at:
            why[one.member_id] = "too_late"
        elif not limits.allow(contacts.get(one.member_id, ()), moment):
            why[one.member_id] = "cap"
        elif moment > now:
            later[one.member_id] = moment
        else:
            ready.append(_with_card(one, card))
    store.hold_back(tx, campaign.id, why, now=now)
    store.put_off(tx, campaign.id, later)
    return ready


def _cards(tx: Tx, campaign: Campaign, ids: Sequence[MemberId]) -> dict[MemberId, Card]:
    by_member: dict[MemberId, list[Card]] = {}
    for one in store_reach.cards(tx, ids):
        card = Card(programme_id=one.programme_id, pass_id=one.pass_id, apple=one.apple, google=one.google)
        by_member.setdefault(one.member_id, []).append(card)
    chosen = {member_id: chosen_card(campaign, cards) for member_id, cards in by_member.items()}
    return {member_id: card for member_id, card in chosen.items() if card is not None}


def _with_card(one: Due, card: Card | None) -> Due:
    return Due(
        member_id=one.member_id,
        arm=one.arm,
        pass_id=card.pass_id if card else None,
        google=card is not None and not card.apple,
        contact_at=one.contact_at,
    )


def _say(
    tx: Tx, campaign: Campaign, ready: Sequence[Due], granted: Mapping[MemberId, Granted], now: datetime
) -> None:
    cards = {one.pass_id: one for one in ready if one.pass_id is not None}
    values = words.of_passes(
        tx, sorted(cards), fields=campaign.plan.line_fields, besides=giving.fields(tx, campaign)
    )
    gone = [one for pass_id, one in cards.items() if pass_id not in values]
    store.hold_back(tx, campaign.id, {one.member_id: "left" for one in gone}, now=now)
    speaking: dict[MemberId, tuple[WalletPassId, bool]] = {
        one.member_id: (pass_id, one.google) for pass_id, one in cards.items() if pass_id in values
    }
    store.said(tx, campaign.id, speaking, look_at=now + FIRST_LOOK, now=now)
    announced = [
        Announcement(
            pass_id,
            campaign.announcement,
            words.said(campaign.plan.arms[one.arm - 1].line, values[pass_id]),
            now + campaign.plan.patience,
            *((granted[one.member_id].shown,) if one.member_id in granted else ()),
        )
        for pass_id, one in cards.items()
        if pass_id in values
    ]
    # Guests without a card in a wallet are texted; the offer is on their card page all the same.
    elsewhere = [Revision(one.pass_id, one.shown) for one in granted.values() if one.pass_id not in cards]
    announcing.announce(tx, announced, besides=elsewhere, now=now)
