"""The form of an audience, in an address or in a form of its own: read, filled in, and what it offers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from app.campaigns.audience import PRESETS, Audience
from app.db import Tx
from app.loyalty import programmes
from app.loyalty.rules import TieredRules
from app.places import venues
from app.web.console.forms import Form, digits
from app.web.console.visit import Visit

SHOWN = (
    "activity", "check", "wallet", "phone", "languages", "programmes", "tiers", "home_venues", "visited",
    "placements", "recency", "frequency", "monetary",
)  # fmt: skip
"""Filters of several values that the form has; links and people are the command line's."""
NUMBERS = ("regular_from", "regular_most", "activity_days", "asleep_days", "visited_days", "silent_days",
           "birthday_days")  # fmt: skip
_OF_NUMBERS = {"programmes", "home_venues", "visited", "recency", "frequency", "monetary"}
_MOST = 100


@dataclass(frozen=True, slots=True)
class Choices:
    """What the brand has to choose from: value and words."""

    programmes: list[tuple[str, str]]
    tiers: list[tuple[str, str]]
    venues: list[tuple[str, str]]


def typed(values: MultiDict[str, str]) -> dict[str, str]:
    """The numbers that were typed, as they were typed."""
    found = {name: values.get(name, "").strip()[:40] for name in NUMBERS}
    return {name: value for name, value in found.items() if value}


def wanted(values: MultiDict[str, str]) -> Audience:
    """The audience that the form asks for; raises BadInput, naming the field, for what makes no sense."""
    asked: dict[str, Any] = {}
    for name in SHOWN:
        ticked = [value for value in values.getlist(name) if value][:_MOST]
        if ticked:
            asked[name] = [digits(one) for one in ticked] if name in _OF_NUMBERS else ticked
    asked |= {name: digits(value) for name, value in typed(values).items()}
    if values.get("consent"):
        asked["consent"] = True
    return Audience.from_json(asked)


def filled(audience: Audience) -> Form:
    """Filters as the form shows them."""
    form = Form.of(
        **{one.name: getattr(audience, one.name) for one in fields(audience) if one.name != "consent"}
    )
    form.lists["consent"] = ["1"] if audience.consent else []
    return form


def choices(tx: Tx, visit: Visit) -> Choices:
    """Of the visit's brand."""
    kept = programmes.programmes_of_brand(tx, visit.brand.id)
    tiers = {
        tier.key: getattr(tier.name, visit.language)
        for one in kept
        if isinstance(one.rules, TieredRules)
        for tier in one.rules.tiers
    }
    places = venues.all_venues(tx, visit.brand.id)
    return Choices(
        [(str(one.id), one.name) for one in kept],
        list(tiers.items()),
        [(str(one.id), one.name) for one in sorted(places, key=lambda one: one.name.casefold())],
    )


def preset_words() -> dict[str, str]:
    """What presets are called."""
    words = {
        "everybody": _("Everybody"),
        "new": _("New"),
        "regular": _("Regular"),
        "constant": _("Constant"),
        "asleep": _("Asleep"),
        "never": _("Never came"),
        "low-check": _("Low check"),
        "middle-check": _("Middle check"),
        "high-check": _("High check"),
        "birthday": _("Birthday in a week"),
        "best": _("The best"),
        "leaving": _("Good ones who leave"),
        "silent": _("Silent cards"),
        "removed": _("Card removed"),
        "no-card": _("No card"),
    }
    return {name: words[name] for name in PRESETS}
