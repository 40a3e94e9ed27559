"""Admits a request of the console, or does not: session, CSRF, brand, role, venue, in this order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from flask import current_app, g, request, session
from flask_babel import refresh
from flask_wtf.csrf import CSRFProtect

from app.accounts import brands, sessions, users
from app.accounts.roles import PERMISSIONS
from app.accounts.sessions import Session
from app.accounts.users import User
from app.db import Tx
from app.db.failures import FAILURES
from app.db.outages import outage_of
from app.errors import NotFound, Refused
from app.places import venues
from app.web.body_limits import MOST_UPLOAD
from app.web.console.cookies import Cookies
from app.web.console.visit import Found, Need, NotAllowed, SignInFirst, Visit
from app.web.language import current_language
from app.web.services import Services

_WHOSE = "of"
"""In the cookie of forms: whose session it goes with, so that nobody can be given another's."""
_MOST_TEXT = 512 * 1024
_MOST_PARTS = 400
"""Of a form with files: a design's folder with every picture in three sizes and two languages."""
SAME_SITE = ("", "same-origin", "none")
"""What a browser may say of where a form came from; an old one, or one without https, says nothing."""
log = structlog.get_logger()


class StaleForm(Refused):
    """A form without the token that it was given, or from elsewhere."""

    def __init__(self) -> None:
        super().__init__("stale-form", "The form has lost its way: load its page again")


class Door:
    """Makes a :class:`Visit` of a request."""

    def __init__(self, services: Services) -> None:
        self.cookies = Cookies(services)
        self._services = services

    def admit(self, needs: Need, found: dict[str, Any]) -> Visit:
        """Who it is, where, and that they may; takes ``brand`` and ``venue`` out of ``found``.

        Raises :class:`SignInFirst`, :class:`NotAllowed`, :class:`NotFound` (no such brand or venue, or none
        of theirs: the answer is the same) and, for forms, :class:`StaleForm`.
        """
        if "\0" in request.path or any("\0" in value for _name, value in request.args.items(multi=True)):
            raise NotFound("no-such-page", "No address holds a NUL")
        now = self._services.clock()
        token = self.cookies.token()
        if token is not None:  # as BodiesFirst has let it in
            request.max_content_length = MOST_UPLOAD
            request.max_form_memory_size = _MOST_TEXT
            request.max_form_parts = _MOST_PARTS
        with self._services.database.read() as tx:
            signed_in = sessions.of_token(tx, token, now=now) if token else None
            language = signed_in[1].language if signed_in else current_language()
            g.language = language
            refresh()
            visit = Visit(
                services=self._services, now=now, language=language, signed_in=signed_in, found=None
            )
            g.visit = visit
            if signed_in is None and needs != "anyone":
                raise SignInFirst
            if request.method == "POST":
                _check_form(signed_in)
            elif not is_bound(signed_in):
                bind_forms(signed_in[0] if signed_in else None)
            if signed_in is not None and "brand" in found:
                visit = g.visit = replace(visit, found=_place(tx, signed_in[1], found))
        if (needs in PERMISSIONS or needs == "operator") and not visit.may(needs):
            raise NotAllowed
        if signed_in is not None and signed_in[0].seen_is_due(now):
            self._note_seen(signed_in[0], now)
        return visit

    def _note_seen(self, whose: Session, now: datetime) -> None:
        """Where that cannot be written the page is shown all the same: it may be the one that says why."""
        try:
            with self._services.database.write() as tx:
                sessions.note_seen(tx, whose, now=now)
        except FAILURES as fault:
            if outage_of(fault) is None:  # an outage tells itself
                log.warning("session_not_noted", fault=type(fault).__name__)


def bind_forms(whose: Session | None) -> None:
    """Begin anew what forms pass on: for this session, or for nobody's."""
    session.clear()
    if whose is not None:
        session[_WHOSE] = whose.id


def is_bound(signed_in: tuple[Session, User] | None) -> bool:
    """Whether what forms pass on was begun for this session; somebody may have planted another cookie."""
    return bool(session.get(_WHOSE) == (signed_in[0].id if signed_in else None))


def _check_form(signed_in: tuple[Session, User] | None) -> None:
    if request.headers.get("Sec-Fetch-Site", "") not in SAME_SITE:
        raise StaleForm
    if not is_bound(signed_in):
        raise StaleForm
    guard: CSRFProtect = current_app.extensions["csrf"]
    guard.protect()


def _place(tx: Tx, user: User, found: dict[str, Any]) -> Found:
    nothing = NotFound("no-such-brand", "There is no such brand, or you have no role in it")
    try:
        brand = brands.brand_by_slug(tx, found.pop("brand"))
    except NotFound:
        raise nothing from None
    access = users.access(tx, user, brand.id)
    if access is None:
        raise nothing
    venue = None
    if "venue" in found:
        venue = venues.venue_by_slug(tx, brand.id, found.pop("venue"))
        if not access.reaches(venue.id):
            raise NotFound("no-such-venue", "There is no such venue, or it is not one of yours")
    return Found(brand, access, venue)
