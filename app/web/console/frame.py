"""What every page of the console has around it: headers, navigation, notices, and faults as pages."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from babel.dates import format_date, format_datetime, format_timedelta, get_timezone
from babel.numbers import format_decimal
from flask import Flask, Response, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import RequestEntityTooLarge

from app.accounts import users
from app.accounts.brands import Brand
from app.db.failures import NO_DATABASE
from app.errors import BadInput, Conflict, Misconfigured, NotFound, TooMany, Unavailable
from app.web.body_limits import MOST_FILE
from app.web.console import assets, devices, kept
from app.web.console.areas import ways
from app.web.console.door import StaleForm
from app.web.console.entrance import safe_next
from app.web.console.forms import take_notice
from app.web.console.outage_words import outage_words
from app.web.console.registry import Console
from app.web.console.role_words import role_deeds, role_words
from app.web.console.visit import NotAllowed, SignInFirst, Visit
from app.web.console.wording import later, sentence
from app.web.language import LANGUAGES, NAMES, current_language

POLICY = (
    "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; object-src 'none';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_JUST_NOW = timedelta(minutes=1)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def dress(app: Flask, console: Console) -> None:
    """Cookies, CSRF, headers, what templates may use, and the pages for whatever goes wrong."""
    console.door.cookies.configure(app)
    CSRFProtect(app)

    # Guests come by links under /i/: whoever opens the bare address works here.
    app.add_url_rule("/", "front", lambda: redirect(url_for("console.entrance_start")))

    @console.app_url_value_preprocessor
    def _nothing(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        """Keep the visit of another request out of this one."""
        g.pop("visit", None)

    @app.url_defaults
    def _same_brand(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint.startswith("console.") and "brand" not in values:
            visit: Visit | None = g.get("visit")
            if visit is not None and visit.found and app.url_map.is_endpoint_expecting(endpoint, "brand"):
                values["brand"] = visit.brand.slug

    @console.app_context_processor  # an address that leads nowhere belongs to no blueprint
    def _around() -> dict[str, Any]:
        if not request.path.startswith("/console"):
            return {}
        visit: Visit | None = g.get("visit")
        return {
            "visit": visit,
            "language": current_language(),
            "languages": [(each, NAMES[each]) for each in LANGUAGES],
            "ways": ways(console, visit) if visit is not None else [],
            "notice": take_notice() if request.method == "GET" else None,
            "asset": assets.address,
            "moment": moment,
            "ago": lambda when: ago(when, console.services.clock()),
            "day": day,
            "number": number,
            "device_words": devices.device_words,
            "is_handheld": devices.is_handheld,
            "role_words": role_words,
            "role_deeds": role_deeds,
            "most_file": MOST_FILE,
            "most_file_mb": MOST_FILE // 1024 // 1024,
            "has": lambda endpoint: endpoint in app.view_functions,
            "brands_of_visit": lambda: _brands_of(visit),
            "other_language": lambda code: urlencode({**request.args.to_dict(), "lang": code}),
        }

    @console.after_request
    @console.after_app_request  # an address that leads nowhere belongs to no blueprint
    def _headers(response: Response) -> Response:
        if not f"{request.path}/".startswith("/console/"):
            return response
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Language", current_language())
        return response

    _faults(console)


def _brands_of(visit: Visit | None) -> list[Brand]:
    if visit is None or visit.signed_in is None:
        return []
    with visit.services.database.read() as tx:
        found = users.brands_of(tx, visit.user)
    return sorted(found, key=lambda brand: brand.name.casefold())


def moment(when: datetime, zone: str | None = None) -> str:
    """A date and time in ``zone``, or where the visit is: the venue's zone, else the brand's."""
    return format_datetime(when, "d MMM y, HH:mm", tzinfo=_zone(zone), locale=current_language())


def day(when: datetime, zone: str | None = None) -> str:
    """The date alone, likewise."""
    return format_date(when.astimezone(_zone(zone)), "d MMM y", locale=current_language())


def ago(when: datetime, now: datetime) -> str:
    """How long ago, where no time zone is anybody's: "5 minutes ago"."""
    if abs(when - now) < _JUST_NOW:
        return str(_("just now"))
    return format_timedelta(when - now, granularity="minute", add_direction=True, locale=current_language())


def number(value: float) -> str:
    """With the language's separators."""
    return format_decimal(value, locale=current_language())


def _zone(zone: str | None) -> Any:
    visit: Visit | None = g.get("visit")
    return get_timezone(zone or (visit.zone if visit else "UTC"))


def fault_page(
    status: int, heading: str, words: str, *, retry_after: int = 0, back: tuple[str, str] | None = None
) -> Response:
    """A page that says what went wrong and leads on: to ``back`` (address, words), else to the start."""
    answer = make_response(
        render_template("console/fault.html", heading=heading, words=words, back=back, visit=g.get("visit")),
        status,
    )
    if retry_after:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def nothing_here() -> Response:
    """For an address that nothing answers to."""
    return fault_page(
        404, _("Nothing here"), _("The address leads nowhere, or to a brand that is not yours.")
    )


def our_fault() -> Response:
    """For what nobody foresaw; drawn without the visit, whose brand or database may be what is wrong."""
    g.pop("visit", None)
    return fault_page(
        500,
        _("That is our fault"),
        _("Something went wrong on our side; it has been written down. Please try again."),
    )


def _faults(console: Console) -> None:
    console.register_error_handler(SignInFirst, lambda _fault: _sign_in_first(console))
    console.register_error_handler(NotFound, lambda _fault: nothing_here())
    console.register_error_handler(NotAllowed, _not_allowed)
    for stale in (StaleForm, CSRFError):
        console.register_error_handler(stale, lambda _fault: _stale(console))
    console.register_error_handler(
        BadInput, lambda fault: fault_page(422, _("That did not work"), sentence(fault))
    )
    console.register_error_handler(
        Conflict, lambda fault: fault_page(409, _("That did not work"), sentence(fault))
    )
    console.register_error_handler(TooMany, _too_many)
    console.register_error_handler(RequestEntityTooLarge, _too_large)
    for kind in (Misconfigured, Unavailable):
        console.register_error_handler(kind, lambda fault: fault_page(503, _("Not ready yet"), str(fault)))
    for database_fault in NO_DATABASE:
        console.register_error_handler(database_fault, _no_database)


def _sign_in_first(console: Console) -> ResponseReturnValue:
    found = kept.of_request(console)
    if found is not None:
        return kept.ended_page(console, g.visit, found)
    address = url_for("console.entrance_sign_in")
    if request.method == "GET" and request.path != url_for("console.entrance_start"):
        address = url_for("console.entrance_sign_in", next=request.full_path.rstrip("?"))
    return redirect(address, 303)


def _not_allowed(_fault: NotAllowed) -> Response:
    return fault_page(
        403,
        _("Not for your role"),
        _("Your role in this brand does not open this page. Its owner can change that."),
    )


def _stale(console: Console) -> Response:
    visit: Visit = g.visit
    found = kept.of_request(console, surely=True)
    if found is not None and visit.signed_in is not None:
        return kept.again_page(console, visit, found, stale=True)
    if found is not None and request.endpoint == "console.entrance_signing_in":
        return kept.ended_page(console, visit, found)
    words = _("Nothing was changed. Go back, load the page again and send the form once more.")
    if not session:
        words += " " + _("If it happens again, allow cookies and open the console at its own https address.")
    return fault_page(400, _("The form was too old"), words)


def _too_many(fault: TooMany) -> Response:
    seconds = math.ceil(fault.retry_after.total_seconds())
    return fault_page(429, _("Too many tries"), later(fault), retry_after=seconds)


def _too_large(_fault: RequestEntityTooLarge) -> Response:
    words = _(
        "One file has at most %(most)s MB here, and this was more. Nothing was changed.",
        most=MOST_FILE // 1024 // 1024,
    )
    return fault_page(413, _("That was too much"), words, back=_where_from())


def _where_from() -> tuple[str, str] | None:
    """The page of the console that the form stood on, where the browser names it."""
    came = urlsplit(request.referrer or "")
    address = came.path + (f"?{came.query}" if came.query else "")
    if came.netloc != request.host or safe_next(address) != address:
        return None
    return address, _("Back to the form")


def _no_database(fault: Exception) -> Response:
    # Drawn without the visit: whatever the page would ask for is not to be had.
    g.pop("visit", None)
    return fault_page(
        503, _("One moment"), outage_words(fault),
        retry_after=60,
    )  # fmt: skip
