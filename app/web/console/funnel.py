"""The guests' way: one venue on one screen, the chain as a table with filters, and its days as files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.db import Tx
from app.places import venues
from app.places.funnel_counts import way
from app.places.venues import Venue
from app.reports import funnel_export, funnel_table, funnel_today, sheets
from app.reports.funnel_venue import venue_funnel
from app.web.console import funnel_words as words
from app.web.console.files import sent
from app.web.console.forms import render, see
from app.web.console.funnel_filters import Asked, asked, options, part
from app.web.console.registry import Console, page
from app.web.console.visit import Visit
from app.web.services import Services

_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/funnel`` and below."""
    _pages(console, services)
    _files(console, services)


def _pages(console: Console, services: Services) -> None:
    @page(console, "/<brand>/funnel", needs="funnel.read")
    def chain(visit: Visit) -> ResponseReturnValue:
        with services.database.read() as tx:
            seen = _seen(tx, visit)
            if len(seen) == 1 and not _asks():
                return see(url_for("console.funnel_venue", venue=seen[0].slug))
            wanted = asked(visit, seen)
            found = funnel_table.table(
                tx, visit.brand, wanted.filters, today=wanted.today, order=wanted.order
            )
            scope = wanted.filters.scope(visit.brand)
            today = funnel_today.so_far(tx, scope, seen, now=visit.now)
            choices = options(tx, visit, seen)
        return _render(
            visit,
            "funnel_chain.html",
            wanted=wanted,
            found=found,
            shown=part(found.rows),
            today=today,
            choices=choices,
            venues=seen,
            steps=way(codes=found.codes),
        )

    @page(console, "/<brand>/funnel/<venue>", needs="funnel.read")
    def venue(visit: Visit) -> ResponseReturnValue:
        with services.database.read() as tx:
            found = venue_funnel(tx, visit.brand, visit.venue, now=visit.now, seen=visit.access.venues)
            seen = _seen(tx, visit)
        return _render(visit, "funnel_venue.html", found=found, others=len(seen) > 1)


def _files(console: Console, services: Services) -> None:
    @page(console, "/<brand>/funnel/file/days.csv", needs="funnel.export")
    def csv(visit: Visit) -> ResponseReturnValue:
        target = tempfile.TemporaryFile()  # noqa: SIM115  # closed when it was sent
        with services.database.read() as tx:
            wanted = asked(visit, _seen(tx, visit))
            rows = funnel_export.rows(tx, visit.brand, wanted.filters)
            sheets.write_csv(target, funnel_export.columns(), rows)
        return _download(target, wanted, visit, "csv", "text/csv; charset=utf-8")

    @page(console, "/<brand>/funnel/file/days.xlsx", needs="funnel.export")
    def xlsx(visit: Visit) -> ResponseReturnValue:
        with tempfile.TemporaryDirectory() as name, services.database.read() as tx:
            path = Path(name) / "days.xlsx"
            wanted = asked(visit, _seen(tx, visit))
            funnel_export.fits_a_sheet(tx, visit.brand, wanted.filters)
            rows = funnel_export.rows(tx, visit.brand, wanted.filters)
            sheets.write_xlsx(path, _("Funnel"), words.headings(), rows)
            target = path.open("rb")  # outlives its name
        return _download(target, wanted, visit, "xlsx", _SHEET)


def _download(target: IO[bytes], wanted: Asked, visit: Visit, ending: str, kind: str) -> Response:
    period = wanted.filters.period
    return sent(target, name=f"{visit.brand.slug}-funnel-{period.first}-{period.last}.{ending}", kind=kind)


def _render(visit: Visit, template: str, **values: Any) -> ResponseReturnValue:
    return render(visit, template, words=words, **values)


def _asks() -> bool:
    """Whether the address says what it wants, beside the language."""
    return any(name != "lang" for name in request.args)


def _seen(tx: Tx, visit: Visit) -> list[Venue]:
    """The venues whose numbers the visitor may see."""
    return [one for one in venues.all_venues(tx, visit.brand.id) if visit.access.reaches(one.id)]
