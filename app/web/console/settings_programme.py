"""A programme: made from its kind's usual rules, and changed."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.db import Tx
from app.db.identifiers import ProgrammeId
from app.errors import NotFound
from app.loyalty import programmes
from app.loyalty.presets import PRESETS
from app.loyalty.programmes import Programme, ProgrammeDraft
from app.loyalty.rules import Kind
from app.web.console.forms import Form, done, render, see
from app.web.console.places_words import slug_for
from app.web.console.programme_form import MOST_TIERS, filled, understood
from app.web.console.programme_words import kind_words
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.services import Services

_KINDS: tuple[Kind, ...] = ("bonus", "stamp", "tiered")


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/settings/programme``."""
    _making(console, services)
    _changing(console, services)


def _making(console: Console, services: Services) -> None:
    @page(console, "/<brand>/settings/programme", needs="programme.edit")
    def new(visit: Visit) -> ResponseReturnValue:
        kind = next((each for each in _KINDS if each == request.args.get("kind")), None)
        if kind is None:
            return render(visit, "settings_kinds.html", kinds=[(each, *kind_words(each)) for each in _KINDS])
        form = filled(PRESETS[kind], visit.brand.currency, name=kind_words(kind)[0])
        return _page(visit, form, kind, None)

    @act(console, "/<brand>/settings/programme", needs="programme.edit")
    def create(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        kind: Kind = next((each for each in _KINDS if each == form["kind"]), "bonus")
        name = form.text("name", longest=120)
        rules = understood(form, kind, visit.brand.currency)
        if form.ok and rules is not None:
            with form.checking({"rules": ""}), services.database.write() as tx:
                there = programmes.programmes_of_brand(tx, visit.brand.id)
                # A form sent twice, after the back button say: a programme never goes away again.
                if any(p.name.casefold() == name.casefold() for p in there):
                    form.errors["name"] = _("A programme has this name already: choose another for this one.")
                else:
                    draft = ProgrammeDraft(
                        brand_id=visit.brand.id,
                        slug=slug_for(name, {p.slug for p in there}),
                        name=name,
                        rules=rules,
                    )
                    programmes.create_programme(tx, draft, now=visit.now, actor=visit.actor)
        if not form.ok:
            return _page(visit, form, kind, None)
        done(_("The programme %(name)s is there.", name=name))
        return see(url_for("console.launch_list"))


def _changing(console: Console, services: Services) -> None:
    @page(console, "/<brand>/settings/programme/<int:programme_id>", needs="programme.edit")
    def edit(visit: Visit, programme_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            found = of_brand(tx, visit, programme_id)
        return _page(visit, filled(found.rules, visit.brand.currency, name=found.name), found.kind, found)

    @act(console, "/<brand>/settings/programme/<int:programme_id>", needs="programme.edit")
    def change(visit: Visit, programme_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            found = of_brand(tx, visit, programme_id)
        form = Form.posted()
        name = form.text("name", longest=120)
        rules = understood(form, found.kind, visit.brand.currency, before=found.rules)
        if form.ok and rules is not None:
            with form.checking({"rules": ""}), services.database.write() as tx:
                programmes.update_programme(
                    tx, found.id, name=name, rules=rules, now=visit.now, actor=visit.actor
                )
        if not form.ok:
            return _page(visit, form, found.kind, found)
        done(_("Saved. The rules hold from the next receipt on."))
        return see(url_for("console.settings_overview"))


def of_brand(tx: Tx, visit: Visit, number: int) -> Programme:
    """The brand's programme; raises NotFound for any other's."""
    found = programmes.programme(tx, ProgrammeId(number))
    if found.brand_id != visit.brand.id:
        raise NotFound("no-such-programme", "The brand has no such programme")
    return found


def _page(visit: Visit, form: Form, kind: Kind, programme: Programme | None) -> ResponseReturnValue:
    named = [n for n in range(1, MOST_TIERS + 1) if form[f"tier_name_ru_{n}"] or form[f"tier_from_{n}"]]
    shown = min(MOST_TIERS, max(named, default=0) + 1)  # one more than there are
    return render(
        visit,
        "settings_programme.html",
        form=form,
        kind=kind,
        kind_words=kind_words(kind),
        programme=programme,
        tiers=range(1, shown + 1),
        currency=visit.brand.currency,
    )
