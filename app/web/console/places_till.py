"""A venue's till: its keys, shown once each, and whether all that a till must do was seen from there."""

from __future__ import annotations

from datetime import timedelta

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts import keys
from app.accounts.keys import PointOfSaleKey
from app.db import Tx
from app.db.identifiers import PointOfSaleKeyId
from app.errors import NotFound
from app.reports import acceptance
from app.web.console import sums
from app.web.console.forms import Form, done, render, see
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.services import Services

OVERLAP = timedelta(days=7)
"""So long a replaced key works on beside the new one."""


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/places/<venue>/till``."""
    _showing(console, services)
    _ending(console, services)


def _showing(console: Console, services: Services) -> None:
    @page(console, "/<brand>/places/<venue>/till", needs="key.edit")
    def till(visit: Visit) -> ResponseReturnValue:
        return _page(visit, Form.of(name=_("Till")))

    @act(console, "/<brand>/places/<venue>/till", needs="key.edit")
    def new_key(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        name, secret = form.text("name", longest=120), ""
        if form.ok:
            with form.checking(), services.database.write() as tx:
                _made, secret = keys.create_key(
                    tx, brand_id=visit.brand.id, venue_id=visit.venue.id, name=name, now=visit.now,
                    actor=visit.actor,
                )  # fmt: skip
        # Shown in this very answer and nowhere else: a redirect would have to keep it somewhere.
        return _page(visit, form, secret=secret, name=name)

    @act(console, "/<brand>/places/<venue>/till/<int:key>/replace", needs="key.edit")
    def replace(visit: Visit, key: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            old = _key(tx, visit, key)
            made, secret = keys.rotate_key(tx, old.id, overlap=OVERLAP, now=visit.now, actor=visit.actor)
        return _page(visit, Form.of(name=made.name), secret=secret, name=made.name)


def _ending(console: Console, services: Services) -> None:
    @act(console, "/<brand>/places/<venue>/till/<int:key>/end", needs="key.edit")
    def end(visit: Visit, key: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            ended = keys.revoke_key(tx, _key(tx, visit, key).id, now=visit.now, actor=visit.actor)
        done(
            _("The key %(name)s has ended: that till cannot ring any more.", name=ended.name),
            undo=(url_for("console.places_till_restore", venue=visit.venue.slug, key=key), {}),
        )
        return see(url_for("console.places_till_till", venue=visit.venue.slug))

    @act(console, "/<brand>/places/<venue>/till/<int:key>/restore", needs="key.edit")
    def restore(visit: Visit, key: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            back = keys.restore_key(tx, _key(tx, visit, key).id, now=visit.now, actor=visit.actor)
        done(_("The key %(name)s works again.", name=back.name))
        return see(url_for("console.places_till_till", venue=visit.venue.slug))


def _page(visit: Visit, form: Form, *, secret: str = "", name: str = "") -> ResponseReturnValue:
    with visit.services.database.read() as tx:
        found = [k for k in keys.keys_of_brand(tx, visit.brand.id) if k.venue_id == visit.venue.id]
        seen = acceptance.acceptance(tx, visit.venue.id)
    return render(
        visit,
        "places_till.html",
        form=form,
        keys=[k for k in found if k.works(visit.now)],
        secret=secret,
        secret_name=name,
        seen=seen,
        public_url=visit.services.public_url,
        currency=visit.brand.currency,
        money=sums.money,
        points=sums.points,
        stamps=sums.stamps,
    )


def _key(tx: Tx, visit: Visit, number: int) -> PointOfSaleKey:
    key = keys.key(tx, PointOfSaleKeyId(number))
    if key.venue_id != visit.venue.id:
        raise NotFound("no-such-key", "The venue has no such key")
    return key
