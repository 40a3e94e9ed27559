"""A guest's card as it is in Google Wallet, and in words what Google does not have of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask_babel import gettext as _

from app.db import Tx
from app.db.identifiers import WalletPassId
from app.passes.google_addresses import Addresses
from app.passes.google_shown import GoogleShown, google_shown
from app.web.links import Links
from app.web.services import Services

WIDTH: Final = 375.0


def card_at_google(tx: Tx, services: Services, pass_id: WalletPassId) -> GoogleShown | None:
    """The pass's card there, with this installation's addresses; None where Google has none."""
    links = Links(services.secret_key, services.public_url)
    return google_shown(tx, pass_id, Addresses(services.public_url.rstrip("/"), links.stop_url))


def behind_words(shown: GoogleShown) -> str:
    """Whether Google has it as it is drawn."""
    if not shown.behind:
        return str(_("In Google Wallet, as Google took it. Whether a phone shows it, Google does not tell."))
    what = ", ".join(sorted(set(_names(shown.behind))))
    return str(_("In Google Wallet. Google has not taken all of it yet: %(what)s.", what=what))


def _names(fields: Iterable[str]) -> Iterable[str]:
    known = {
        "classId": _("tier"),
        "state": _("whether it is valid"),
        "accountName": _("name"),
        "accountId": _("card’s code"),
        "barcode": _("card’s code"),
        "loyaltyPoints": _("balance"),
        "secondaryLoyaltyPoints": _("balance"),
        "heroImage": _("picture"),
        "linksModuleData": _("links"),
        "merchantLocations": _("venues nearby"),
        "messages": _("messages"),
    }
    return (known.get(field, _("texts")) for field in fields)
