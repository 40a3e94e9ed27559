"""Guests as a marketer means them: presets and filters in the address, and how many that are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.campaigns import audiences
from app.campaigns.audience import PRESETS, Audience
from app.campaigns.audiences import Counts
from app.db import Tx
from app.errors import BadInput
from app.loyalty import programmes
from app.loyalty.rules import TieredRules
from app.places import venues
from app.web.console.forms import Form, digits, render
from app.web.console.registry import Console, page
from app.web.console.visit import Visit
from app.web.services import Services

_OPEN = "filters"
"""In the address once somebody sent the form: the filters stay open."""
_SHOWN = (
    "activity", "check", "wallet", "phone", "languages", "programmes", "tiers", "home_venues", "visited",
    "placements", "recency", "frequency", "monetary",
)  # fmt: skip
"""Filters of several values that the form has; links and people are the command line's."""
_NUMBERS = ("regular_from", "regular_most", "activity_days", "asleep_days", "visited_days", "silent_days",
            "birthday_days")  # fmt: skip
_OF_NUMBERS = {"programmes", "home_venues", "visited", "recency", "frequency", "monetary"}


@dataclass(frozen=True, slots=True)
class Choices:
    """What the brand has to choose from: value and words."""

    programmes: list[tuple[str, str]]
    tiers: list[tuple[str, str]]
    venues: list[tuple[str, str]]


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/members/audience``."""

    @page(console, "/<brand>/members/audience", needs="audience.read")
    def audience(visit: Visit) -> ResponseReturnValue:
        chosen = request.args.get("preset", "")
        form, wanted = _asked(chosen if chosen in PRESETS else "")
        counts: Counts | None = None
        with services.database.read() as tx:
            if wanted is not None:
                counts = audiences.count(tx, visit.brand.id, wanted, visit.now)
            choices = _choices(tx, visit)
        return render(
            visit,
            "members_audience.html",
            form=form,
            counts=counts,
            choices=choices,
            presets=_presets(),
            chosen=chosen,
            opened=_OPEN in request.args or not form.ok,
        )


def _asked(preset: str) -> tuple[Form, Audience | None]:
    """What the address asks for, and as a form; no audience where something of it makes no sense."""
    if preset:
        return _form(PRESETS[preset]), PRESETS[preset]
    asked: dict[str, Any] = {}
    for name in _SHOWN:
        values = [value for value in request.args.getlist(name) if value][:100]
        if values:
            asked[name] = [digits(one) for one in values] if name in _OF_NUMBERS else values
    typed = {name: request.args.get(name, "").strip()[:40] for name in _NUMBERS}
    asked |= {name: digits(value) for name, value in typed.items() if value}
    if request.args.get("consent"):
        asked["consent"] = True
    try:
        wanted = Audience.from_json(asked)
    except BadInput as fault:
        form = _form(Audience())
        form.lists |= {name: request.args.getlist(name) for name in _SHOWN}
        form.values |= {name: value for name, value in typed.items() if value}
        form.errors[fault.field or ""] = _("This makes no sense here: choose another value.")
        return form, None
    return _form(wanted), wanted


def _form(wanted: Audience) -> Form:
    """Filters as the form shows them."""
    form = Form.of(**{one.name: getattr(wanted, one.name) for one in fields(wanted) if one.name != "consent"})
    form.lists["consent"] = ["1"] if wanted.consent else []
    return form


def _choices(tx: Tx, visit: Visit) -> Choices:
    kept = programmes.programmes_of_brand(tx, visit.brand.id)
    language = visit.language
    tiers = {
        tier.key: getattr(tier.name, language)
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


def _presets() -> list[tuple[str, str, str]]:
    """Name, words, and the address's question."""
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
    return [(name, words[name], urlencode({"preset": name})) for name in PRESETS]
