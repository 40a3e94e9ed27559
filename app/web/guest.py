"""The guests' side, ``/i/{code}`` and below, as one Flask blueprint."""

from __future__ import annotations

import math

import structlog
from flask import Blueprint, Response, request
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge

from app.db.failures import NO_DATABASE
from app.db.outages import outage_of
from app.errors import BadInput, Conflict, Misconfigured, NotFound, TooMany, Unavailable
from app.web.badges import WALLETS, Badges
from app.web.card_app import CardApp
from app.web.guest_card import CardPage
from app.web.guest_files import GuestFiles
from app.web.guest_google import GoogleWay
from app.web.guest_install import InstallPage
from app.web.guest_limits import GuestLimits
from app.web.guest_next import NextPage
from app.web.guest_number import NumberPage
from app.web.guest_pages import Designs, Gone, crowded, gone, notice, unsaved
from app.web.guest_stop import StopPage
from app.web.language import current_language
from app.web.links import Links
from app.web.posters import Posters
from app.web.services import Services

_MINUTE = 60
log = structlog.get_logger()


def guest_blueprint(services: Services, *, limits: GuestLimits | None = None) -> Blueprint:
    """Install page, form, card page, download, pictures and QR codes; their faults as pages for people."""
    blueprint = Blueprint("guest", __name__, template_folder="templates")
    links, designs = Links(services.secret_key, services.public_url), Designs()
    limits = limits or GuestLimits(services.rate_limit_storage)
    badges = Badges(services.badges_dir)
    blueprint.context_processor(
        lambda: {f"{wallet}_badge": badges.badge(wallet, current_language()) for wallet in WALLETS}
    )
    google = GoogleWay(services, links, designs)
    google.add_to(blueprint)
    InstallPage(services, links, limits, designs, google).add_to(blueprint)
    CardPage(services, links, designs, google).add_to(blueprint)
    NextPage(services, links, limits, designs, google).add_to(blueprint)
    NumberPage(services, links, limits, designs).add_to(blueprint)
    StopPage(services, links, limits).add_to(blueprint)
    GuestFiles(services, links, designs, badges).add_to(blueprint)
    Posters(services, links, designs).add_to(blueprint)
    CardApp(services, designs).add_to(blueprint)

    def ended(fault: Gone) -> Response:
        look = None
        if fault.place is not None:
            with services.database.read() as tx:
                look = designs.look(tx, fault.place)
        return gone(fault.brand, fault.place, look)

    blueprint.register_error_handler(Gone, ended)
    blueprint.register_error_handler(NotFound, _not_found)
    blueprint.register_error_handler(TooMany, _too_many)
    blueprint.register_error_handler(BadInput, _bad_input)
    blueprint.register_error_handler(RequestEntityTooLarge, _too_large)
    for fault in (Conflict, Misconfigured, Unavailable):
        blueprint.register_error_handler(fault, _not_ready)
    for kind in NO_DATABASE:
        blueprint.register_error_handler(kind, _no_database)
    return blueprint


def _not_found(fault: NotFound) -> Response:
    if fault.code == "no-design":
        return _not_ready(fault)
    return notice(404, _("Nothing here"), _("Please check the address, or scan the code again."))


def _too_many(fault: TooMany) -> Response:
    return crowded_page(math.ceil(fault.retry_after.total_seconds()))


def crowded_page(seconds: int) -> Response:
    """Who asks too often, or among too many, is told to come back in so many seconds."""
    heading, words = crowded(seconds)
    if request.method == "POST":  # refused before it was read
        words += " " + _("Then go back and send the form once more.")
    answer = notice(429, heading, words)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _bad_input(fault: BadInput) -> Response:
    log.info("guest_bad_input", code=fault.code)
    return notice(400, _("That did not work"), _("Please check the address, or scan the code again."))


def _too_large(_fault: RequestEntityTooLarge) -> Response:
    return notice(
        413, _("That was too much"), _("The form was larger than a name can be. Please start again.")
    )


def _no_database(fault: Exception) -> Response:
    if outage_of(fault) is None:  # an outage tells itself
        log.error("database_unavailable", fault=type(fault).__name__)
    heading, words = unsaved()
    answer = notice(503, heading, words)
    answer.headers["Retry-After"] = str(_MINUTE)
    return answer


def _not_ready(fault: Exception) -> Response:
    """Ours to mend, not the guest's: told plainly here, in full in the log."""
    log.error("guest_page_not_ready", fault=str(fault))
    answer = notice(
        503,
        _("The card is not ready yet"),
        _("It is not your fault, and we have written it down. Please try again in a few minutes."),
    )
    answer.headers["Retry-After"] = "120"
    return answer
