"""Places: the venues of a brand, what is known of each, and which are closed."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.db import Tx
from app.errors import BadInput
from app.places import endings, funnel, links, venues
from app.places.venues import Venue, VenueDraft
from app.web.console import time_zones
from app.web.console.forms import Form, done, render, see
from app.web.console.places_words import slug_for
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.services import Services

DAYS = 30
"""Over which a list says how many scanned and how many took the card."""


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/places``."""
    _list(console, services)
    _making(console, services)
    _changing(console, services)


def _list(console: Console, services: Services) -> None:
    @page(console, "/<brand>/places", needs="places.read")
    def every(visit: Visit) -> ResponseReturnValue:
        with services.database.read() as tx:
            found = [v for v in venues.all_venues(tx, visit.brand.id) if visit.access.reaches(v.id)]
            counts = _counts(tx, visit)
            hung = links.living_by_venue(tx, [v.id for v in found])
        return render(
            visit,
            "places_every.html",
            living=[v for v in found if v.closed_at is None],
            closed=[v for v in found if v.closed_at is not None],
            counts=counts,
            hung=hung,
            days=DAYS,
        )


def _making(console: Console, services: Services) -> None:
    @page(console, "/<brand>/places/-/new", needs="venue.edit")
    def new(visit: Visit) -> ResponseReturnValue:
        form = Form.of(time_zone=visit.brand.time_zone)
        return render(
            visit, "places_form.html", form=form, venue=None, zones=time_zones.choices(visit.brand.time_zone)
        )

    @act(console, "/<brand>/places/-/new", needs="venue.edit")
    def create(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        draft = _draft(visit, form, slug="")
        if draft is not None:
            with form.checking({"slug": "slug"}), services.database.write() as tx:
                taken = {v.slug for v in venues.all_venues(tx, visit.brand.id)}
                draft = _draft(visit, form, slug=form["slug"].strip() or slug_for(draft.name, taken))
                if draft is not None:
                    made = venues.create_venue(tx, draft, now=visit.now, actor=visit.actor)
        if not form.ok or draft is None:
            return render(
                visit,
                "places_form.html",
                form=form,
                venue=None,
                zones=time_zones.choices(visit.brand.time_zone),
            )
        done(_("%(venue)s is there. Now give it codes to hang.", venue=made.name))
        return see(url_for("console.places_venue_venue", venue=made.slug))


def _changing(console: Console, services: Services) -> None:
    @page(console, "/<brand>/places/<venue>/edit", needs="venue.edit")
    def edit(visit: Visit) -> ResponseReturnValue:
        values = {key: getattr(visit.venue, key) for key in VenueDraft.__dataclass_fields__}
        return render(
            visit,
            "places_form.html",
            form=Form.of(**values),
            venue=visit.venue,
            zones=time_zones.choices(visit.venue.time_zone),
        )

    @act(console, "/<brand>/places/<venue>/edit", needs="venue.edit")
    def change(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        draft = _draft(visit, form, slug=visit.venue.slug)
        if draft is not None:
            with form.checking(), services.database.write() as tx:
                venues.update_venue(tx, visit.venue.id, draft, now=visit.now, actor=visit.actor)
        if not form.ok:
            return render(
                visit,
                "places_form.html",
                form=form,
                venue=visit.venue,
                zones=time_zones.choices(visit.venue.time_zone),
            )
        done(_("Saved."))
        return see(url_for("console.places_venue_venue", venue=visit.venue.slug))

    @act(console, "/<brand>/places/<venue>/close", needs="venue.edit")
    def close(visit: Visit) -> ResponseReturnValue:
        with services.database.write() as tx:
            endings.close_venue(tx, visit.venue.id, now=visit.now, actor=visit.actor)
        done(
            _("%(venue)s is closed: its codes and keys have ended.", venue=visit.venue.name),
            undo=(url_for("console.places_reopen", venue=visit.venue.slug), {}),
        )
        return see(url_for("console.places_every"))

    @act(console, "/<brand>/places/<venue>/reopen", needs="venue.edit")
    def reopen(visit: Visit) -> ResponseReturnValue:
        with services.database.write() as tx:
            again: Venue = endings.reopen_venue(tx, visit.venue.id, now=visit.now, actor=visit.actor)
        done(_("%(venue)s is open again.", venue=again.name))
        return see(url_for("console.places_venue_venue", venue=again.slug))


def _counts(tx: Tx, visit: Visit) -> dict[str, funnel.Counts]:
    """By slug, of the last :data:`DAYS` days."""
    period = funnel.last_days(DAYS, time_zone=visit.brand.time_zone, now=visit.now)
    found = funnel.funnel(tx, visit.brand.id, by="venue", period=period, now=visit.now)
    return {entry.name: entry.flow.now for entry in found.entries}


def _draft(visit: Visit, form: Form, *, slug: str) -> VenueDraft | None:
    """What was typed; None where something is wrong, which the form then says."""
    name = form.text("name", longest=120)
    address = form.text("address", longest=venues.LONGEST_ADDRESS)
    latitude, longitude = _degrees(form, "latitude"), _degrees(form, "longitude")
    draft = VenueDraft(
        brand_id=visit.brand.id,
        slug=slug or "new",
        name=name,
        address=address,
        latitude=latitude,
        longitude=longitude,
        time_zone=form["time_zone"] or None,
        relevant_text_ru=form["relevant_text_ru"].strip() or None,
        relevant_text_en=form["relevant_text_en"].strip() or None,
    )
    if not form.ok:
        return None
    with form.checking():
        return venues.checked(draft, brand_time_zone=visit.brand.time_zone)
    return None


def _degrees(form: Form, name: str) -> float | None:
    typed = form[name].strip().replace(",", ".")
    if not typed:
        return None
    with form.checking():
        try:
            return float(typed)
        except ValueError:
            raise BadInput("not-degrees", f"{typed!r} is no number of degrees", field=name) from None
    return None
