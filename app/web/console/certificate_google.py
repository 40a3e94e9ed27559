"""Google's side of the certificate page: the issuer's number, and the service account's key, never shown."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts import users
from app.db import Tx
from app.errors import BadInput, Misconfigured
from app.passes import google_accounts
from app.web.console.forms import Form, done, see
from app.web.console.visit import Visit
from app.web.console.wording import explain

ISSUER, KEY = "issuer", "google_key"
explain(
    {
        "bad-issuer": lambda _fault: _(
            "An issuer's number has digits alone, like 3388000000012345678. The Google Pay & Wallet console"
            " shows it under Google Wallet API."
        ),
        "anothers-issuer": lambda _fault: _(
            "Another brand of this service uses this issuer. Only who owns both brands can share it."
        ),
        "another-issuer": lambda _fault: _(
            "Cards of this brand are at Google under another issuer, and no card moves from one to another."
        ),
    }
)


def store(visit: Visit, data: bytes) -> Form:
    """Take the uploaded key in; the form tells what is wrong with it, and never holds it."""
    form = Form.posted()
    issuer = form.text(ISSUER, longest=30).replace(" ", "")
    if not data:
        form.errors[KEY] = _("Please choose the file.")
    if not form.ok:
        return form
    services = visit.services
    try:
        with form.checking({"another-issuer": ISSUER}), services.database.write() as tx:
            _refuse_anothers(tx, visit, issuer)
            google_accounts.store_for(
                tx, services.safe, visit.brand, issuer_id=issuer, data=data, now=visit.now, actor=visit.actor
            )
    except Misconfigured as unusable:
        form.errors[KEY] = _(
            "This is no key that Google Wallet can use. Take the JSON file as it was downloaded: Google Cloud"
            " console, IAM, Service accounts, Keys, Add key, JSON. (%(faults)s)",
            faults="; ".join(unusable.faults),
        )
    return form


def _refuse_anothers(tx: Tx, visit: Visit, issuer: str) -> None:
    """The issuer of another brand here is given to this one by who owns both alone.

    They share its rate and its callbacks: whoever only knows its number must not slow others down.
    """
    theirs = {row.brand_id for row in google_accounts.every(tx) if row.issuer_id == issuer}
    for brand_id in theirs - {visit.brand.id}:
        access = users.access(tx, visit.user, brand_id)
        if access is None or not access.may("certificate.edit"):
            raise BadInput(
                "anothers-issuer", "Another brand here uses this issuer: its owner must give it", field=ISSUER
            )


def stored(visit: Visit) -> ResponseReturnValue:
    """After it was taken."""
    done(_("Guests with Android get their card into Google Wallet from now on."))
    return see(url_for("console.certificate_present", brand=visit.brand.slug))


def forget(visit: Visit) -> ResponseReturnValue:
    """Make no more cards at Google."""
    with visit.services.database.write() as tx:
        google_accounts.forget(tx, visit.brand, now=visit.now, actor=visit.actor)
    done(_("No more cards are made in Google Wallet; those that guests have stay as they are."))
    return see(url_for("console.certificate_present", brand=visit.brand.slug))
