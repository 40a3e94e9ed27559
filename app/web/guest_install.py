"""The install page: a scan, the page, the form, the card.

::

    GET  /i/{code}            a scan: a new visit, then 303 to the page (for robots and HEAD no visit)
    GET  /i/{code}?v=VISIT    the page: reload, back and a second tap change nothing
    GET  /i/{code}/seen/VISIT the browser showed the page (a picture of one pixel, so no prefetch counts)
    POST /i/{code}            the form: enrols, then 303 to the card's page; or first asks for the code that
                              proves the number, see :mod:`app.web.guest_code`
"""

from __future__ import annotations

import math
import secrets
from typing import Any

import structlog
from flask import Blueprint, Response, redirect, request
from flask_babel import gettext as _

from app.db.failures import NO_DATABASE
from app.db.outages import outage_of
from app.errors import TooMany
from app.places import visits
from app.web import card_face, qr
from app.web.device_kind import device_kind, is_prefetch, is_robot
from app.web.guest_code import CodePage
from app.web.guest_enrolling import Enrolling, newcomers_card, seen_in
from app.web.guest_form import FilledForm, form_values, read_form
from app.web.guest_google import GoogleWay
from app.web.guest_limits import GuestLimits
from app.web.guest_pages import (
    HEADERS,
    PHONE_SCRIPT_ADDRESS,
    Designs,
    Look,
    Place,
    address,
    crowded,
    files_at,
    language_switch,
    notice,
    open_place,
    page,
    remote_address,
    unsaved,
)
from app.web.language import current_language
from app.web.links import FormToken, Links, VisitToken
from app.web.services import Services

MAX_FORM = 16 * 1024
_ONE_PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00"
    b"\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)

log = structlog.get_logger()


class InstallPage:
    """The views; each opens the transactions it needs."""

    def __init__(
        self, services: Services, links: Links, limits: GuestLimits, designs: Designs, google: GoogleWay
    ) -> None:
        self._services, self._links, self._limits, self._designs = services, links, limits, designs
        self._enrolling = Enrolling(services, links, google)
        self._code = CodePage(services, links, designs, self._enrolling, form_page=self._page)

    def add_to(self, blueprint: Blueprint) -> None:
        """Route the views."""
        blueprint.add_url_rule("/i/<code>", "install", self.show, methods=["GET"])
        blueprint.add_url_rule("/i/<code>", "enrol", self.send, methods=["POST"])
        blueprint.add_url_rule("/i/<code>/seen/<token>", "seen", self.seen, methods=["GET"])

    def show(self, code: str) -> Response:
        """The page of a visit, or the beginning of one."""
        if is_prefetch(request.headers):
            # Refused rather than answered: the browser asks again when its user really comes.
            return Response("", 503, HEADERS)
        now = self._services.clock()
        with self._services.database.read() as tx:
            place = open_place(tx, code)
            visit = self._links.read_visit(place.link.code, request.args.get("v", ""), now=now)
            taken = visit is not None and visits.is_enrolled(tx, visit.visit_id)
        if visit is None:
            asked = "start" in request.args or not is_robot(request.headers)
            nobody = request.method == "HEAD" or not asked
            return self._page(place, None, FilledForm()) if nobody else self._begin(place)
        if taken:
            return self._taken(place)
        return self._page(place, FormToken(visit, secrets.token_hex(8)), FilledForm())

    def _begin(self, place: Place) -> Response:
        """Record a scan under a new visit and send the browser to that visit's page."""
        path = f"/i/{place.link.code}"
        now = self._services.clock()
        visit_id = visits.new_visit_id()
        self._limits.count_visit(remote_address())
        with self._services.database.write() as tx:
            self._enrolling.record(tx, place, visit_id, "scan")
        token = self._links.visit_token(place.link.code, visit_id, now)
        answer = redirect(address(path, v=token), 303)
        answer.headers.update(HEADERS)
        return answer  # type: ignore[return-value]

    def seen(self, code: str, token: str) -> Response:
        """One pixel, and the fact that a browser asked for it."""
        now = self._services.clock()
        if request.method == "GET" and not is_prefetch(request.headers):
            with self._services.database.read() as tx:  # who made the address up waits for no writer
                place = open_place(tx, code)
            visit = self._links.read_visit(place.link.code, token, now=now)
            if visit is not None:
                self._limits.count_seen(remote_address())
                with self._services.database.read() as tx:  # nor who loads the page again
                    taken = visits.steps(tx, visit.visit_id)
                steps = [kind for kind in seen_in(request.headers.get("User-Agent", "")) if kind not in taken]
                if steps:
                    with self._services.database.write() as tx:
                        for kind in steps:
                            visits.record_event(tx, visit_id=visit.visit_id, kind=kind, at=now)
        return Response(_ONE_PIXEL, 200, HEADERS, mimetype="image/gif")

    def send(self, code: str) -> Response:
        """The form: shown again with what is wrong, or a card."""
        request.max_content_length = MAX_FORM
        token = request.form.get("form", "")  # first of all: of too many parts it is told but once
        now = self._services.clock()
        with self._services.database.read() as tx:
            place = open_place(tx, code)
        form = self._links.read_form(place.link.code, token, now=now)
        try:
            self._limits.count_form(remote_address())
        except TooMany as crowd:
            if form is None:
                raise
            return self._again(place, form, math.ceil(crowd.retry_after.total_seconds()))
        if form is None:
            return notice(
                400,
                _("This page is too old"),
                _("Nothing was sent. Please start again, it takes half a minute."),
                place=place,
                look=self._look(place),
                href=address(f"/i/{place.link.code}"),
                action=_("Start again"),
            )
        filled = read_form(place.brand)
        if filled.errors:
            return self._page(place, form, filled, status=422)
        try:
            if place.brand.asks_phone == "proved":
                return self._code.answer(place, form, filled)
            with self._services.database.write() as tx:
                enrolment = self._enrolling.enrol(tx, place, form, filled)
        except NO_DATABASE as fault:
            if outage_of(fault) is None:  # an outage tells itself
                log.error("database_unavailable", path="/i", fault=type(fault).__name__)  # noqa: TRY400
            return self._again(place, form)
        return self._enrolling.to_card(place, enrolment)

    def _again(self, place: Place, form: FormToken, wait: int | None = None) -> Response:
        """The form as the guest filled it in, to be sent again: in a crowd, in so many seconds."""
        filled = read_form(place.brand)
        filled.errors.clear()
        told = unsaved() if wait is None else crowded(wait)
        answer = self._page(place, form, filled, status=503 if wait is None else 429, trouble=told)
        answer.headers["Retry-After"] = str(wait or 60)
        return answer

    def _page(
        self, place: Place, token: FormToken | None, filled: FilledForm, *, status: int = 200, **more: object
    ) -> Response:
        language, code = current_language(), place.link.code
        with self._services.database.read() as tx:
            design = self._designs.newest(tx, place)
            content = newcomers_card(tx, place)
        device = device_kind(request.headers.get("User-Agent", ""))
        values: dict[str, Any] = {
            "face": card_face.draw(design, content, language, files_at=files_at(place, design)),
            "device": device,
            "errors": filled.errors,
        } | more
        if token is None:
            start = address(f"/i/{code}", start="1")
            return page("install", status, brand=place.brand, start=start,
                        switch=language_switch(f"/i/{code}"), **values)  # fmt: skip
        visit = self._visit_token(code, token.visit)
        form = form_values(place.brand, filled)
        own = self._services.public_url + address(f"/i/{code}", v=visit)
        values |= {
            "form": form
            | {"action": f"/i/{code}", "token": self._links.form_token(code, token.visit, token.mark)},
            "phone_script": PHONE_SCRIPT_ADDRESS if form["phone"] else "",
            "seen": f"/i/{code}/seen/{visit}",
            "here": own,
            # A camera goes on with this very visit: nobody is counted twice.
            "hand_over_svg": qr.inline_svg(own) if device in ("desktop", "ipad") else "",
        }
        return page("install", status, brand=place.brand, scripted=True,
                    switch=language_switch(f"/i/{code}", v=visit), **values)  # fmt: skip

    def _visit_token(self, code: str, visit: VisitToken) -> str:
        return self._links.visit_token(code, visit.visit_id, visit.began_at)

    def _taken(self, place: Place) -> Response:
        """Not the card: whoever was sent this page's address would hold it."""
        return notice(
            200,
            _("A card was made on this page"),
            _("If it is yours, go forward in your browser to find it. If not, get one of your own."),
            place=place,
            look=self._look(place),
            href=address(f"/i/{place.link.code}"),
            action=_("Get a new card"),
        )

    def _look(self, place: Place) -> Look | None:
        with self._services.database.read() as tx:
            return self._designs.look(tx, place)
