"""Prints for managers: posters of one code or of many at once, and the sheet for the people at the till."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from flask import Response, request
from flask.typing import ResponseReturnValue

from app.db import Tx
from app.errors import BadInput, NotFound
from app.loyalty import programmes
from app.loyalty.rules import StampRules
from app.passes import designs, prints
from app.places import hangings, links
from app.places.hangings import PURPOSES, Hanging
from app.posters import training
from app.posters.drawing import draw_pdf, draw_svg
from app.posters.poster import Poster
from app.posters.press import Form, apart
from app.posters.sizes import SIZES, Size
from app.web.console.places_venue import hanging_of
from app.web.console.places_words import MOST_PAGES
from app.web.console.registry import Console, page
from app.web.console.turns import Turns
from app.web.console.visit import Visit
from app.web.services import Services

_SVG_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
_LANGUAGES = ("ru", "en", "both")


def register(console: Console, services: Services) -> None:
    """``poster.pdf`` and ``sheet.pdf`` of a venue, ``poster.svg`` of a code."""
    turns = Turns("press-busy", "Others are printing: wait a little.")

    @page(console, "/<brand>/places/<venue>/poster.pdf", needs="places.read")
    def poster(visit: Visit) -> ResponseReturnValue:
        """``?size=&language=``, of one ``code`` or of those ``for`` a purpose: ``table``, or ``table.2``
        where there are more than :data:`MOST_PAGES`: the second part of them.
        """
        return _print(visit, turns, "pdf", request.args.get("code", ""))

    @page(console, "/<brand>/places/<venue>/code/<code>/poster.svg", needs="places.read")
    def drawing(visit: Visit, code: str) -> ResponseReturnValue:
        """The same of one code, to go on drawing with."""
        return _print(visit, turns, "svg", code)

    @page(console, "/<brand>/places/<venue>/sheet.pdf", needs="sheet.read")
    def sheet(visit: Visit) -> ResponseReturnValue:
        """The training sheet in ``?language=``, with the code of the venue's first link."""
        language = _choice("language", ("ru", "en"))
        with services.database.read() as tx:
            found = hangings.hangings(tx, visit.venue)
            if not found:
                raise NotFound("no-link", "The venue has no code yet: give it one first")
            (drawn,) = _posters(tx, visit, found[:1], language)
            programme = programmes.programme(tx, found[0].link.programme_id)
        page_ = training.TrainingSheet(
            drawn,
            earns="stamps" if isinstance(programme.rules, StampRules) else "points",
            numbers_are_proved=visit.brand.asks_phone == "proved",
            support=visit.brand.text("support", language),
        )
        with turns.mine():
            body = training.draw(page_, press=apart)
        return _file(body, f"{visit.venue.slug}-till-{language}.pdf", "pdf")


def _print(visit: Visit, turns: Turns, form: Form, code: str) -> Response:
    size, language = _choice("size", SIZES), _choice("language", _LANGUAGES)
    with visit.services.database.read() as tx:
        found = _asked(tx, visit, code)
        drawn = _posters(tx, visit, found, language)
    with turns.mine():
        body = _draw(drawn, size, form)
    with visit.services.database.write() as tx:
        links.note_printed(tx, [each.link for each in found], now=visit.now)
    name = found[0].link.code if len(found) == 1 else visit.venue.slug
    return _file(body, f"{name}-{size}.{form}", form)


def _asked(tx: Tx, visit: Visit, code: str) -> list[Hanging]:
    if code:
        found = [hanging_of(tx, visit, code)]
    else:
        purpose, _dot, part = request.args.get("for", "all").partition(".")
        if purpose not in ("all", *PURPOSES) or (part and not (part.isdecimal() and len(part) < 4)):
            raise BadInput("bad-choice", f"for is one of all, {', '.join(PURPOSES)}", field="for")
        chosen = [each for each in PURPOSES if purpose in ("all", each)]
        first = (max(1, int(part or 1)) - 1) * MOST_PAGES
        found = hangings.hangings(tx, visit.venue, purposes=chosen)[first : first + MOST_PAGES]
    if not found:
        raise NotFound("no-link", "The venue has no such code")
    return found


def _posters(tx: Tx, visit: Visit, found: Sequence[Hanging], language: str) -> list[Poster]:
    return prints.posters(
        tx,
        [each.link for each in found],
        design=lambda programme_id: designs.newest(tx, programme_id),
        url=lambda link: f"{visit.services.public_url}/i/{link.code}",
        language=language,
        now=visit.now,
    )


def _draw(posters: Sequence[Poster], size: Size, form: Form) -> bytes:
    if form == "svg":
        return draw_svg(posters[0], size, press=apart)
    return draw_pdf(posters, size, press=apart)


def _file(body: bytes, name: str, form: Form) -> Response:
    answer = Response(body, mimetype="application/pdf" if form == "pdf" else "image/svg+xml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if form == "svg":
        answer.headers["Content-Security-Policy"] = _SVG_POLICY
    return answer


_Known = TypeVar("_Known", bound=str)


def _choice(name: str, known: tuple[_Known, ...]) -> _Known:
    asked = request.args.get(name, known[0])
    found = next((each for each in known if each == asked), None)
    if found is None:
        raise BadInput("bad-choice", f"{name} is one of {', '.join(known)}", field=name)
    return found
