"""Guests as a marketer means them: presets and filters in the address, and how many that are."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.campaigns import audiences
from app.campaigns.audience import PRESETS, Audience
from app.campaigns.audiences import Counts
from app.errors import BadInput
from app.web.console import members_filters as filters
from app.web.console.forms import Form, render
from app.web.console.registry import Console, page
from app.web.console.visit import Visit
from app.web.services import Services

_OPEN = "filters"
"""In the address once somebody sent the form: the filters stay open."""


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
            choices = filters.choices(tx, visit)
        return render(
            visit,
            "members_audience.html",
            form=form,
            counts=counts,
            choices=choices,
            presets=[
                (name, words, urlencode({"preset": name})) for name, words in filters.preset_words().items()
            ],
            chosen=chosen,
            opened=_OPEN in request.args or not form.ok,
        )


def _asked(preset: str) -> tuple[Form, Audience | None]:
    """What the address asks for, and as a form; no audience where something of it makes no sense."""
    if preset:
        return filters.filled(PRESETS[preset]), PRESETS[preset]
    try:
        wanted = filters.wanted(request.args)
    except BadInput as fault:
        form = filters.filled(Audience())
        form.lists |= {name: request.args.getlist(name) for name in filters.SHOWN}
        form.values |= filters.typed(request.args)
        form.errors[fault.field or ""] = _("This makes no sense here: choose another value.")
        return form, None
    return filters.filled(wanted), wanted
