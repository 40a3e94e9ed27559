"""Prints for managers: ``/i/{code}/poster.pdf`` and ``.svg``, in every size and language.

Anybody who has a code may ask, so drawing is rationed: a print that was drawn is kept, each address may have
so many drawn and all together three times as many, one is drawn at a time, by a process of its own, and half
of the threads never wait for one.
"""

from __future__ import annotations

import hashlib
import math
from datetime import timedelta
from threading import BoundedSemaphore, Lock
from typing import cast

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute

from app.errors import BadInput, TooMany
from app.passes import prints
from app.posters.drawing import draw_pdf, draw_svg
from app.posters.poster import Poster
from app.posters.press import Form, Press, apart
from app.posters.sizes import SIZES, Size
from app.web.guest_pages import Designs, notice, open_place, remote_address
from app.web.kept_prints import KeptPrints
from app.web.links import Links
from app.web.rate_limits import RateLimits, site_of
from app.web.services import Services

DRAWINGS: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(20), RateLimitItemPerHour(200))
ALL_DRAWINGS: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(60),)
LANGUAGES = ("ru", "en", "both")
_MINUTE = 60
_MIMETYPES: dict[Form, str] = {"pdf": "application/pdf", "svg": "image/svg+xml"}
_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_SVG_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
"""An SVG opened by itself is a document; this one needs nothing but the logo inside it."""


class NotDrawn(TooMany):
    """A print that has to wait for others."""


class Posters:
    """The views; neither writes."""

    def __init__(
        self,
        services: Services,
        links: Links,
        designs: Designs,
        *,
        drawings: tuple[RateLimitItem, ...] = DRAWINGS,
        all_drawings: tuple[RateLimitItem, ...] = ALL_DRAWINGS,
        press: Press = apart,
    ) -> None:
        """Each address may have ``drawings`` drawn by ``press``, and all together ``all_drawings``."""
        self._services, self._links, self._designs = services, links, designs
        self._limits, self._drawings = RateLimits(services.rate_limit_storage), drawings
        self._all_drawings, self._press = all_drawings, press
        self._kept = KeptPrints()
        self._drawing, self._waiting = Lock(), BoundedSemaphore(max(1, services.threads // 2))

    def add_to(self, blueprint: Blueprint) -> None:
        """Route the views."""
        blueprint.add_url_rule("/i/<code>/poster.pdf", "poster_pdf", self.pdf, methods=["GET"])
        blueprint.add_url_rule("/i/<code>/poster.svg", "poster_svg", self.svg, methods=["GET"])
        blueprint.register_error_handler(NotDrawn, later)

    def pdf(self, code: str) -> Response:
        """A page to print or to send to a print shop."""
        return self._answer(code, "pdf")

    def svg(self, code: str) -> Response:
        """The same page for whoever goes on drawing."""
        return self._answer(code, "svg")

    def _answer(self, code: str, form: Form) -> Response:
        size = cast("Size", _choice("size", SIZES, SIZES[0]))
        language = _choice("language", LANGUAGES, "")
        with self._services.database.read() as tx:
            place = open_place(tx, code)
            design = self._designs.newest(tx, place)
            (poster,) = prints.posters(
                tx,
                [place.link],
                design=lambda _: design,
                url=lambda link: self._links.install_url(link.code),
                language=language,
                now=self._services.clock(),
            )
        body = self._drawn(poster, size, form)
        answer = Response(body, 200, _HEADERS, mimetype=_MIMETYPES[form])
        answer.headers["Content-Disposition"] = f'inline; filename="{place.link.code}-{size}.{form}"'
        if form == "svg":
            answer.headers["Content-Security-Policy"] = _SVG_POLICY
        answer.set_etag(hashlib.sha256(body).hexdigest()[:32])
        return cast("Response", answer.make_conditional(request))

    def _drawn(self, poster: Poster, size: Size, form: Form) -> bytes:
        wanted = (poster, size, form)
        if (found := self._kept.get(wanted)) is not None:
            return found
        self._count()
        if not self._waiting.acquire(blocking=False):
            raise NotDrawn(
                "press-busy", "Others are printing: wait a little.", retry_after=timedelta(seconds=5)
            )
        try:
            with self._drawing:
                if (found := self._kept.get(wanted)) is None:
                    found = self._draw(poster, size, form)
                    self._kept.keep(wanted, found)
                return found
        finally:
            self._waiting.release()

    def _count(self) -> None:
        try:
            self._limits.count(self._drawings, "guest", "poster", site_of(remote_address()))
            self._limits.count(self._all_drawings, "guest", "posters")
        except TooMany as fault:
            raise NotDrawn(fault.code, fault.message, retry_after=fault.retry_after) from fault

    def _draw(self, poster: Poster, size: Size, form: Form) -> bytes:
        if form == "svg":
            return draw_svg(poster, size, press=self._press)
        return draw_pdf([poster], size, press=self._press)


def later(fault: NotDrawn) -> Response:
    """A page that says when to come back."""
    seconds = math.ceil(fault.retry_after.total_seconds())
    if seconds < _MINUTE:
        words = ngettext(
            "Many prints are being drawn. Please try again in %(num)s second.",
            "Many prints are being drawn. Please try again in %(num)s seconds.",
            seconds,
        )
    else:
        words = ngettext(
            "Many prints were drawn. Please try again in %(num)s minute.",
            "Many prints were drawn. Please try again in %(num)s minutes.",
            math.ceil(seconds / _MINUTE),
        )
    answer = notice(429, _("One moment, please"), words)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _choice(name: str, known: tuple[str, ...], otherwise: str) -> str:
    asked = request.args.get(name, otherwise)
    if asked not in (*known, otherwise):
        raise BadInput("bad-choice", f"{name} is one of {', '.join(known)}", field=name)
    return asked
