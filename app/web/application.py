"""The web as one WSGI callable: Apple's endpoints bare for speed, everything else on Flask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import structlog
from flask import Flask, Response, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from app.db.failures import NO_DATABASE
from app.db.outages import outage_of
from app.errors import Refused
from app.web.api import api_blueprint, no_such_address
from app.web.bodies import RETRY_AFTER, SENTENCE, BodiesFirst
from app.web.body_limits import MOST_BODY
from app.web.card_poll import CardPoll
from app.web.console import add_console
from app.web.console.cookies import Cookies
from app.web.console.frame import nothing_here, our_fault
from app.web.google_wallet import google_blueprint
from app.web.guest import crowded_page, guest_blueprint
from app.web.guest_pages import notice
from app.web.language import init_languages
from app.web.links import Links
from app.web.passkit_answers import refusal
from app.web.passkit_reader import Reader
from app.web.probes import probes_blueprint
from app.web.problem import answer_problem, problem
from app.web.row_numbers import RowNumber
from app.web.services import Services
from app.web.sms_receipts import sms_blueprint
from app.web.test_cards import test_cards_blueprint

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PASSKIT, _API, _GUESTS = "/passkit", "/api", "/i/"
_OF_QUERIES = "%!$&'()*+,;=:@/?[]"
_CROWDED = refusal(429, "too-many-requests", SENTENCE, ("Retry-After", str(RETRY_AFTER)))
log = structlog.get_logger()


def make_application(
    services: Services, passkit: WSGIApplication, reader: Reader | None = None
) -> WSGIApplication:
    """Flask for people and tills; ``/passkit`` goes to ``passkit`` without touching it.

    ``reader``, the process's own, serves the card pages that are open and to which nothing happened: Flask is
    not touched for these either.
    """
    flask = make_flask(services)
    links = Links(services.secret_key, services.public_url)
    reader = reader or Reader(services.database, most_kept=services.threads)
    card_poll = CardPoll(reader, links, clock=services.clock)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path == _PASSKIT or path.startswith(_PASSKIT + "/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + _PASSKIT
            environ["PATH_INFO"] = path[len(_PASSKIT) :]
            return passkit(environ, start_response)
        if path.startswith(_GUESTS) and (unchanged := card_poll.answer(environ, start_response)) is not None:
            return unchanged
        query: str = environ.get("QUERY_STRING", "")
        if not query.isascii():  # werkzeug fails at bytes that should have been escaped
            environ["QUERY_STRING"] = quote(query, safe=_OF_QUERIES, encoding="latin-1", errors="replace")
        return flask(environ, start_response)

    def crowded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Too many bodies are unfinished: each kind of asker is told in the words that it understands."""
        path: str = environ["PATH_INFO"]
        if path.startswith(_PASSKIT + "/"):
            return _CROWDED.send(start_response, head=False)
        with flask.request_context(environ):
            api = path.startswith(_API + "/")
            answer = answer_problem("too-many-requests", SENTENCE) if api else crowded_page(RETRY_AFTER)
            answer.headers["Retry-After"] = str(RETRY_AFTER)
            return answer(environ, start_response)

    most = Cookies(services).most_body
    in_turn = BodiesFirst(application, at_work=services.threads, crowded=crowded, most=most)
    if services.trusted_proxies:
        hops = services.trusted_proxies
        return ProxyFix(in_turn, x_for=hops, x_proto=hops, x_host=hops)
    return in_turn


def make_flask(services: Services) -> Flask:
    """What people and tills use, without what stands around it."""
    app = Flask(__name__, static_folder="static", template_folder="templates")
    # Werkzeug builds redirects to another spelling of an address from Host, which anybody may make up.
    app.url_map.strict_slashes = app.url_map.merge_slashes = app.url_map.redirect_defaults = False
    app.url_map.converters["int"] = RowNumber
    app.config.update(MAX_CONTENT_LENGTH=MOST_BODY, MAX_FORM_MEMORY_SIZE=MOST_BODY, MAX_FORM_PARTS=50)
    app.secret_key = services.secret_key
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    init_languages(app)
    app.register_blueprint(probes_blueprint(services))
    app.register_blueprint(api_blueprint(services))
    app.register_blueprint(guest_blueprint(services))
    app.register_blueprint(test_cards_blueprint(services))
    app.register_blueprint(sms_blueprint(services))
    app.register_blueprint(google_blueprint(services))
    add_console(app, services)

    @app.errorhandler(Refused)
    def _refused(refused: Refused) -> Response:
        return problem(refused)

    def no_database(fault: Exception) -> Response:
        if outage_of(fault) is None:  # an outage tells itself
            log.error("database_unavailable", path=request.path, fault=type(fault).__name__)
        return Response(
            "The service cannot reach its database for a moment. Please try again.\n",
            503,
            {"Retry-After": "5", "Cache-Control": "no-store"},
            mimetype="text/plain",
        )

    for kind in NO_DATABASE:
        app.register_error_handler(kind, no_database)

    @app.errorhandler(Exception)
    def _unforeseen(fault: Exception) -> Any:
        if isinstance(fault, HTTPException):
            return _refusal(fault)
        # The trace goes to the log, never to the asker.
        log.exception("unforeseen_error", path=request.path, method=request.method)
        if request.path.startswith("/console/"):
            return our_fault()
        return Response(
            "Something went wrong on our side; it has been written down. Please try again.\n",
            500,
            {"Cache-Control": "no-store"},
            mimetype="text/plain",
        )

    @app.after_request
    def _harden(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response

    return app


def _refusal(fault: HTTPException) -> Response:
    """An address or method that nothing answers to: for programs under ``/api``, else for people."""
    if request.path == _API or request.path.startswith(_API + "/"):
        return (
            no_such_address()
            if isinstance(fault, (NotFound, MethodNotAllowed))
            else answer_problem("bad-request", fault.description or fault.name, status=fault.code or 400)
        )
    if isinstance(fault, NotFound) and request.path.startswith("/console/"):
        return nothing_here()
    words = gettext("Please check the address, or scan the code again.")
    status = fault.code or 400
    answer = notice(status, gettext("Nothing here") if status == 404 else gettext("That did not work"), words)
    if isinstance(fault, MethodNotAllowed) and fault.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(fault.valid_methods))
    return answer
