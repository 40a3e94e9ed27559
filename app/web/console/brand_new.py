"""A new brand in one form: what it is called, where it is, what its card is, and Apple's certificate."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts import brands, reserved
from app.accounts.brands import BrandDraft
from app.db import Tx
from app.errors import Conflict
from app.passes import stored_certificates
from app.web.console import time_zones
from app.web.console.currencies import CURRENCIES
from app.web.console.forms import Form, done, render, see
from app.web.console.places_words import slug_for
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.services import Services

_FIELDS = {
    "texts.ru.programme": "programme_ru",
    "texts.ru.promise": "promise_ru",
    "texts.en.programme": "programme_en",
    "texts.en.promise": "promise_en",
    "slug-taken": "slug",
}
_UPLOADS = ("certificate", "key", "intermediate")
_FROM_FILE = ("pass_type_identifier", "team_identifier", "credentials")


def register(console: Console, services: Services) -> None:
    """``/console/-/brand``: for whoever runs the installation."""

    @page(console, "/-/brand", needs="operator")
    def new(visit: Visit) -> ResponseReturnValue:
        form = Form.of(
            language=visit.language,
            time_zone="Europe/Moscow",
            currency="RUB",
            programme_ru="Карта гостя",
            programme_en="Guest card",
            promise_ru="Баллы с каждого чека",
            promise_en="Points from every bill",
        )
        return _page(visit, form)

    @act(console, "/-/brand", needs="operator")
    def create(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        form.values.pop("password", None)  # never comes back
        name = form.text("name", longest=120)
        for field in ("programme_ru", "programme_en", "promise_ru", "promise_en"):
            form.text(field, longest=brands.LONGEST_TEXT)
        form.choice("language", brands.LANGUAGES)
        elsewhere = bool(form["credentials"].strip())
        uploads = {each: _upload(each) for each in _UPLOADS}
        if not elsewhere and not uploads["certificate"]:
            form.errors.setdefault("certificate", _("Choose the certificate’s file."))
        slug = ""
        if form.ok:
            with form.checking(_FIELDS), services.database.write() as tx:
                taken = {b.slug for b in brands.all_brands(tx)} | reserved.SLUGS
                slug = form["slug"].strip() or slug_for(name, taken)
                if slug in taken:
                    raise Conflict("slug-taken", f"{slug!r} is a brand, or a page of the console")
                if elsewhere:
                    brands.create_brand(
                        tx, _draft(form, slug, *(form[each].strip() for each in _FROM_FILE)),
                        now=visit.now, actor=visit.actor,
                    )  # fmt: skip
                else:
                    _with_certificate(tx, visit, form, slug, uploads)
        if not form.ok:
            return _page(visit, form)
        done(_("%(brand)s is there. The list says what comes next.", brand=name))
        return see(url_for("console.launch_list", brand=slug))


def _with_certificate(tx: Tx, visit: Visit, form: Form, slug: str, uploads: dict[str, bytes]) -> None:
    """The brand and its certificate, both or neither: its identifiers are those of the certificate."""
    safe = visit.services.safe
    taken = stored_certificates.take_in(
        tx,
        safe,
        uploads["certificate"],
        request.form.get("password") or None,
        key=uploads["key"] or None,
        intermediate=uploads["intermediate"] or None,
        now=visit.now,
    )
    draft = _draft(form, slug, taken.pass_type_identifier, taken.team_identifier, stored_certificates.STORED)
    brand = brands.create_brand(tx, draft, now=visit.now, actor=visit.actor)
    stored_certificates.store_for(tx, safe, brand, taken, now=visit.now, actor=visit.actor)


def _draft(
    form: Form, slug: str, pass_type_identifier: str, team_identifier: str, credentials: str
) -> BrandDraft:
    texts: dict[str, dict[str, str]] = {
        language: {key: form[f"{key}_{language}"] for key in brands.NEEDED_TEXTS}
        for language in brands.LANGUAGES
    }
    return BrandDraft(
        slug=slug,
        name=form["name"],
        texts=texts,
        time_zone=form["time_zone"],
        currency=form["currency"],
        language=form["language"],
        pass_type_identifier=pass_type_identifier,
        team_identifier=team_identifier,
        credentials=credentials,
    )


def _upload(name: str) -> bytes:
    found = request.files.get(name)
    return found.read() if found else b""


def _page(visit: Visit, form: Form) -> ResponseReturnValue:
    return render(
        visit,
        "brand_new.html",
        form=form,
        zones=time_zones.choices(),
        currencies=CURRENCIES,
    )
