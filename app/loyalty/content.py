"""What a guest's card says: made at enrolment, changed by every event. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.db.identifiers import CardCode, VenueId
from app.geo.distance import metres
from app.loyalty import wording
from app.loyalty.rules import Rules, TieredRules
from app.passes.content import (
    MOST_LOCATIONS,
    Language,
    LocalizedText,
    Location,
    Message,
    PassContent,
)
from app.passes.speaking import Speech
from app.places.venues import Venue


def new_content(
    *,
    language: Language,
    card_code: CardCode,
    member_name: str | None,
    balance: int,
    tier: LocalizedText | None,
    venues: Iterable[Venue],
    home: VenueId,
) -> PassContent:
    """The card as it is issued."""
    return PassContent(
        language=language,
        card_code=card_code,
        member_name=member_name,
        balance=balance,
        tier=tier,
        stamps=0,
        locations=locations(venues, home=home),
    )


def changed(
    content: PassContent,
    *,
    balance: int,
    tier: LocalizedText | None,
    stamps: int,
) -> PassContent:
    """The card after something happened; what it says of that is a matter of its own."""
    return replace(content, balance=balance, tier=tier, stamps=stamps)


def speech(news: wording.News, announcement: str, now: datetime) -> Speech:
    """What tells it, together with the receipt before it where nobody has seen that one yet."""

    def speak(unseen: Message | None) -> Message | None:
        told = wording.told(news, None if unseen is None else _kept_of(unseen))
        return Message(told.text, now, announcement, told=told.kept) if told else None

    return speak


def plain_speech(text: LocalizedText, announcement: str, now: datetime) -> Speech:
    """What says this, and after it what nobody has seen yet."""

    def speak(unseen: Message | None) -> Message:
        both = text if unseen is None else wording.joined(text, wording.line(_kept_of(unseen)))
        return Message(both, now, announcement, told=wording.kept_line(text))

    return speak


def _kept_of(unseen: Message) -> Mapping[str, Any]:
    return unseen.told if unseen.told is not None else wording.kept_line(unseen.text)


def tier_name(rules: Rules, key: str | None) -> LocalizedText | None:
    """What the card shows as the level; None where the programme has none."""
    return rules.tier(key).name if isinstance(rules, TieredRules) else None


def locations(venues: Iterable[Venue], *, home: VenueId) -> tuple[Location, ...]:
    """Up to ten of the venues: where the guest enrolled first, then those nearest to it.

    Venues without coordinates are left out; where the home venue has none (or is closed), the rest keep
    the order in which they were given.
    """
    placed = [
        (venue, venue.latitude, venue.longitude)
        for venue in venues
        if venue.latitude is not None and venue.longitude is not None
    ]
    origin = next(((lat, lon) for venue, lat, lon in placed if venue.id == home), None)
    if origin:
        placed.sort(key=lambda place: (place[0].id != home, metres(*origin, place[1], place[2])))
    return tuple(Location(lat, lon, _relevant_text(venue)) for venue, lat, lon in placed[:MOST_LOCATIONS])


def _relevant_text(venue: Venue) -> LocalizedText | None:
    ru, en = venue.relevant_text_ru, venue.relevant_text_en
    return LocalizedText(ru or en or "", en or ru or "") if ru or en else None
