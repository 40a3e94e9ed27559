"""The console: what owners, marketers and managers work with, under ``/console``.

Each area is a module with ``register(blueprint, services)``; :mod:`registry` declares its addresses and what
they need, :mod:`door` admits visitors. Pages are in ``templates/console/``, their words in catalogues called
``console_*``.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from app.web.console import (
    account,
    audit,
    brand_new,
    campaigns,
    campaigns_limits,
    campaigns_report,
    campaigns_review,
    campaigns_write,
    certificate,
    designs,
    entrance,
    frame,
    funnel,
    health,
    invited,
    launch,
    members,
    members_audience,
    offers,
    people,
    places,
    places_prints,
    places_till,
    places_venue,
    settings,
    settings_programme,
    staff,
)
from app.web.console.registry import Console
from app.web.services import Services

AREAS: tuple[Callable[[Console, Services], None], ...] = (
    entrance.register,
    invited.register,
    account.register,
    brand_new.register,
    launch.register,
    funnel.register,
    places.register,
    places_venue.register,
    places_prints.register,
    places_till.register,
    staff.register,
    settings.register,
    settings_programme.register,
    designs.register,
    members.register,
    members_audience.register,
    campaigns_report.register,
    offers.register,
    campaigns.register,
    campaigns_write.register,
    campaigns_review.register,
    campaigns_limits.register,
    people.register,
    audit.register,
    certificate.register,
    health.register,
)


def add_console(app: Flask, services: Services) -> Console:
    """Give ``app`` the console; returns it with the list of its routes."""
    console = Console(services)
    for register in AREAS:
        register(console, services)
    frame.dress(app, console)
    app.register_blueprint(console)
    return console
