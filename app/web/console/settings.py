"""Settings of a brand: its words, zone and currency, and the programmes that its cards live by."""

from __future__ import annotations

from dataclasses import replace

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts import brands
from app.loyalty import programmes
from app.web.console import time_zones
from app.web.console.currencies import CURRENCIES
from app.web.console.forms import Form, done, render, see
from app.web.console.programme_words import kind_words, rules_words
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.services import Services

_KEYS = (*brands.NEEDED_TEXTS, *brands.OTHER_TEXTS)
_FIELDS = {
    f"texts.{language}.{key}": f"{key}_{language}" for language in brands.LANGUAGES for key in _KEYS
} | {"identifier-fixed": ""}


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/settings``."""

    @page(console, "/<brand>/settings", needs="programme.edit")
    def overview(visit: Visit) -> ResponseReturnValue:
        with services.database.read() as tx:
            found = programmes.programmes_of_brand(tx, visit.brand.id)
        return render(
            visit,
            "settings_overview.html",
            programmes=found,
            kind_words=kind_words,
            rules_words=lambda programme: rules_words(programme.rules, visit.brand.currency),
        )

    @page(console, "/<brand>/settings/brand", needs="brand.edit")
    def brand(visit: Visit) -> ResponseReturnValue:
        return _page(visit, _filled(visit.brand))

    @act(console, "/<brand>/settings/brand", needs="brand.edit")
    def change(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        form.text("name", longest=120)
        for language in brands.LANGUAGES:
            for key in _KEYS:
                form.text(f"{key}_{language}", needed=key in brands.NEEDED_TEXTS, longest=brands.LONGEST_TEXT)
        form.choice("language", brands.LANGUAGES)
        form.choice("asks_phone", brands.ASKS_PHONE)
        if form.ok:
            draft = replace(
                visit.brand.draft(),
                name=form["name"],
                texts={
                    language: {key: form[f"{key}_{language}"] for key in _KEYS}
                    for language in brands.LANGUAGES
                },
                time_zone=form["time_zone"],
                currency=form["currency"],
                language=form["language"],
                asks_phone=form["asks_phone"],
            )
            with form.checking(_FIELDS), services.database.write() as tx:
                brands.update_brand(tx, visit.brand.id, draft, now=visit.now, actor=visit.actor)
        if not form.ok:
            return _page(visit, form)
        done(_("Saved."))
        return see(url_for("console.settings_overview"))


def _filled(brand: brands.Brand) -> Form:
    return Form.of(
        name=brand.name,
        time_zone=brand.time_zone,
        currency=brand.currency,
        language=brand.language,
        asks_phone=brand.asks_phone,
        **{f"{key}_{language}": brand.texts[language][key] for language in brands.LANGUAGES for key in _KEYS},
    )


def _page(visit: Visit, form: Form) -> ResponseReturnValue:
    return render(
        visit,
        "settings_brand.html",
        form=form,
        zones=time_zones.choices(visit.brand.time_zone),
        currencies=CURRENCIES,
    )
