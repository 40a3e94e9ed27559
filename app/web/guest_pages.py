"""What every guest's page shares: whose link it is, which language it speaks, how it is sent."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext

from app.accounts import brands
from app.accounts.brands import Brand
from app.db import Tx
from app.db.identifiers import DesignId
from app.errors import NotFound
from app.passes import designs
from app.passes.layout import Design
from app.places import links as install_links
from app.places.links import InstallLink
from app.web import card_face
from app.web.browsers import browser_window
from app.web.device_kind import says_mac
from app.web.language import LANGUAGES, NAMES, Language, asked_language, choose_language, current_language

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""No script at all, nothing from elsewhere, nothing inline: a brand's words stay words."""

DESIGN_RULE = "/i/<code>/design/<int(max=9223372036854775807):design_id>"
"""Where a design's files are; beyond that number no database can even be asked."""
FOR_EVER = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Headers of what another content would have another address for."""
SCRIPTED_POLICY = f"{POLICY}; script-src 'self'; connect-src 'self'"
"""For pages that do more where scripts run: those of this service, none inline."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",  # addresses carry tokens
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, User-Agent",
}
_STATIC = Path(__file__).parent / "static"


def lean(name: str) -> bytes:
    """A script or style of ours without indentation and lines of comment: guests load every byte."""
    lines = (line.strip() for line in (_STATIC / name).read_bytes().splitlines())
    return b"\n".join(line for line in lines if line and not line.startswith(b"//"))


ICON = (_STATIC / "card.svg").read_bytes()
STYLE, SCRIPT, PHONE_SCRIPT, CODE_SCRIPT = map(lean, ("guest.css", "guest.js", "phone.js", "code.js"))
STYLE_ADDRESS = f"/i/-/{hashlib.sha256(STYLE).hexdigest()[:12]}.css"  # no install code contains a hyphen
ICON_ADDRESS = f"/i/-/{hashlib.sha256(ICON).hexdigest()[:12]}.svg"
SCRIPT_ADDRESS = f"/i/-/{hashlib.sha256(SCRIPT).hexdigest()[:12]}.js"
PHONE_SCRIPT_ADDRESS = f"/i/-/{hashlib.sha256(PHONE_SCRIPT).hexdigest()[:12]}.js"
CODE_SCRIPT_ADDRESS = f"/i/-/{hashlib.sha256(CODE_SCRIPT).hexdigest()[:12]}.js"
_MINUTE = 60
_MOST_DESIGNS = 32


@dataclass(frozen=True, slots=True)
class Place:
    """An install link and whose it is."""

    link: InstallLink
    brand: Brand


@dataclass(frozen=True, slots=True)
class Look:
    """A brand's colours and its icon, for a page that draws no card."""

    stylesheet: str
    icon: str


class Gone(Exception):
    """The page was there once; whose it was is known."""

    def __init__(self, brand: Brand, place: Place | None = None) -> None:
        """``place`` is where the guest came from, as far as that is known."""
        super().__init__(brand.slug)
        self.brand, self.place = brand, place


def find_place(tx: Tx, code: str) -> Place:
    """Whose link ``code`` is, retired or not; settles the language. Raises :class:`NotFound`."""
    link = install_links.link_by_code(tx, code)
    brand = brands.brand(tx, link.brand_id)
    choose_language(brand.language)
    return Place(link, brand)


def open_place(tx: Tx, code: str) -> Place:
    """The same for a link that guests may begin at; raises :class:`Gone` where it is retired."""
    place = find_place(tx, code)
    if place.link.retired_at is not None:
        raise Gone(place.brand, place)
    return place


class Designs:
    """Published designs, kept in memory: a version never changes."""

    def __init__(self) -> None:
        self._kept: dict[DesignId, Design] = {}

    def newest(self, tx: Tx, place: Place) -> Design:
        """What a newcomer's card would look like; raises :class:`NotFound` before the first is published."""
        return self.design(tx, designs.newest_id(tx, place.link.programme_id))

    def design(self, tx: Tx, design_id: DesignId) -> Design:
        """This version; raises :class:`NotFound`."""
        found = self._kept.get(design_id)
        if found is None:
            found = designs.design(tx, design_id)
            if len(self._kept) >= _MOST_DESIGNS:
                self._kept.clear()
            self._kept[design_id] = found
        return found

    def look(self, tx: Tx, place: Place) -> Look | None:
        """What a newcomer's card would look like, by its colours; None before a design is published."""
        try:
            design = self.newest(tx, place)
        except NotFound:
            return None
        at = files_at(place, design)
        icon = f"{at}/icon.png" if "icon.png" in design.files else ""
        return Look(card_face.stylesheet_address(design, files_at=at), icon)

    def of_place(self, tx: Tx, place: Place, design_id: DesignId) -> Design:
        """This version, if it is one of the link's programme; raises :class:`NotFound`."""
        found = self.design(tx, design_id)
        if found.programme_id != place.link.programme_id:
            raise NotFound("no-such-design", "This programme has no such design.")
        return found


def files_at(place: Place, design: Design) -> str:
    """Where the design's pictures and its stylesheet lie."""
    return f"/i/{place.link.code}/design/{design.id}"


def address(path: str, **arguments: str | None) -> str:
    """``path`` with the arguments that are given, and the language where the guest chose one."""
    given = {name: value for name, value in arguments.items() if value}
    if asked := asked_language():
        given.setdefault("lang", asked)
    return f"{path}?{urlencode(given)}" if given else path


def page(
    template: str, status: int = 200, *, brand: Brand | None = None, scripted: bool = False, **values: Any
) -> Response:
    """A page in the language that was settled, with the headers that all guests' pages have.

    ``scripted`` gives it the script that all of them share.
    """
    language = current_language()
    user_agent = request.headers.get("User-Agent", "")
    body = render_template(
        f"guest/{template}.html",
        language=language,
        stylesheet=STYLE_ADDRESS,
        neutral_icon=ICON_ADDRESS,
        brand_name=brand.name if brand else "",
        texts=dict(brand.texts[language]) if brand else {},
        script=SCRIPT_ADDRESS if scripted else "",
        window=browser_window(user_agent),
        mac=says_mac(user_agent),
        **values,
    )
    policy = {"Content-Security-Policy": SCRIPTED_POLICY} if scripted else {}
    return make_response(body, status, HEADERS | policy | {"Content-Language": language})


def notice(
    status: int,
    heading: str,
    words: str,
    *,
    brand: Brand | None = None,
    place: Place | None = None,
    look: Look | None = None,
    href: str = "",
    action: str = "",
) -> Response:
    """A page that says one thing, and where to go from there: in the brand's ``look`` where it is known."""
    visit = {name: request.args[name] for name in ("v",) if name in request.args}
    return page(
        "notice",
        status,
        brand=place.brand if place else brand,
        switch=language_switch(quote(request.path), **visit) if place else [],
        face=look,
        heading=heading,
        words=words,
        href=href,
        action=action,
    )


def unsaved() -> tuple[str, str]:
    """What is said where the database takes nothing in: a heading, and what to do."""
    return _("We could not save that"), _(
        "It is our fault, and nothing was lost. Please try again in a few minutes."
    )


def crowded(seconds: int) -> tuple[str, str]:
    """What is said among too many, or to who asks too often: a heading, and when to come back."""
    words = ngettext(
        "Many people are here at once. Please try again in %(num)s minute.",
        "Many people are here at once. Please try again in %(num)s minutes.",
        math.ceil(seconds / _MINUTE),
    )
    return _("One moment, please"), words


def gone(brand: Brand, place: Place | None, look: Look | None) -> Response:
    """For a link or a card that has ended."""
    return notice(
        410,
        _("This link has ended"),
        _("To get a card, scan the code in the venue again or ask the staff."),
        brand=brand,
        place=place,
        look=look,
    )


def language_switch(path: str, **arguments: str) -> list[dict[str, object]]:
    """The languages with the address of this page in each."""
    current = current_language()

    def one(language: Language) -> dict[str, object]:
        href = f"{path}?{urlencode(arguments | {'lang': language})}"
        return {"language": language, "name": NAMES[language], "href": href, "current": language == current}

    return [one(language) for language in LANGUAGES]


def remote_address() -> str:
    """Who asks, by address; the trusted proxies were taken out before."""
    return request.remote_addr or ""
