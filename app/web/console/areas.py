"""The console's areas in the order people meet them, and which of them a visitor can go to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import request, url_for
from flask_babel import gettext as _

from app.web.console.registry import Console
from app.web.console.visit import Visit


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the console; shown once somebody declared the page ``/<brand>/<key>``."""

    key: str
    icon: str
    label: Callable[[], str]
    often: bool = False  # in the bar at the bottom of a phone


AREAS: tuple[Area, ...] = (
    Area("launch", "launch", lambda: _("Launch")),
    Area("funnel", "funnel", lambda: _("Funnel"), often=True),
    Area("places", "places", lambda: _("Places"), often=True),
    Area("designs", "designs", lambda: _("Cards")),
    Area("members", "members", lambda: _("Guests"), often=True),
    Area("offers", "gift", lambda: _("Offers")),
    Area("campaigns", "campaigns", lambda: _("Campaigns"), often=True),
    Area("people", "people", lambda: _("Team")),
    Area("certificate", "certificate", lambda: _("Certificate")),
    Area("health", "health", lambda: _("Health")),
    Area("audit", "audit", lambda: _("Log")),
    Area("settings", "settings", lambda: _("Settings")),
)


@dataclass(frozen=True, slots=True)
class Way:
    """An area as this visitor sees it."""

    key: str
    icon: str
    label: str
    address: str
    here: bool
    often: bool


def ways(console: Console, visit: Visit) -> list[Way]:
    """Where they can go within the brand."""
    if visit.found is None:
        return []
    pages = {route.rule: route for route in console.routes if route.method == "GET"}
    slug = visit.brand.slug
    found = []
    for area in AREAS:
        route = pages.get(f"/<brand>/{area.key}")
        if route is not None and visit.may(route.needs):
            address = url_for(route.endpoint, brand=slug)
            here = request.path == address or request.path.startswith(address + "/")
            found.append(Way(area.key, area.icon, area.label(), address, here, area.often))
    return found
