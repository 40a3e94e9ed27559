"""The team: who may do what in a brand."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from app.accounts import invitations, users
from app.places import venues
from app.web.console.forms import render
from app.web.console.registry import Console, page
from app.web.console.visit import Visit
from app.web.services import Services


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/people``."""

    @page(console, "/<brand>/people", needs="user.edit")
    def everybody(visit: Visit) -> ResponseReturnValue:
        with services.database.read() as tx:
            people = users.people_of_brand(tx, visit.brand.id)
            waiting = invitations.open_of_brand(tx, visit.brand.id, now=visit.now)
            names = {venue.id: venue.name for venue in venues.all_venues(tx, visit.brand.id)}
        return render(visit, "people_everybody.html", people=people, waiting=waiting, venue_names=names)
