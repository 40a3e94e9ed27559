"""The till API, ``/api/v1``: receipts, redemptions, refunds, cards; for point-of-sale keys.

A call is authenticated by a read that waits for nobody; then it is one transaction: it claims its idempotency
key, acts and keeps its answer, or leaves nothing behind. Every error is ``application/problem+json``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import TypedDict

import structlog
from flask import Blueprint, Response, current_app, g, jsonify, request
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import MapAdapter

from app.accounts import keys
from app.accounts.keys import PointOfSaleKey
from app.db import Tx
from app.db.failures import NO_DATABASE
from app.db.identifiers import BrandId, VenueId
from app.db.outages import outage_of
from app.errors import Refused, Unauthorised
from app.loyalty import till
from app.loyalty.idempotency import Answer, fingerprint
from app.web.api_docs import add_docs, describe
from app.web.api_funnel import FunnelDesk, FunnelQuery
from app.web.api_models import CardFoundOut, ReceiptIn, ReceiptOut, RedemptionIn, RedemptionOut, RefundOut
from app.web.api_reading import MOST_BYTES, Unreadable, asked, parsed
from app.web.problem import answer_problem, problem
from app.web.rate_limits import RateLimits, site_of
from app.web.services import Services

PER_KEY: RateLimitItem = RateLimitItemPerSecond(100)
FAILURES: RateLimitItem = RateLimitItemPerMinute(60)
"""Calls without a valid key per address; the tills beside it, which have one, are not held up by it."""
_PREFIX = "/api/v1"
log = structlog.get_logger()


class Where(TypedDict):
    """Whose till acts, and when: what every verb of loyalty's till is told."""

    brand_id: BrandId
    venue_id: VenueId
    now: datetime


def api_blueprint(
    services: Services, *, per_key: RateLimitItem = PER_KEY, failures: RateLimitItem = FAILURES
) -> Blueprint:
    """``/api/v1/…``, ``/api/openapi.json`` and ``/api/docs``.

    Each key may make ``per_key`` calls, each address ``failures`` without a valid one.
    """
    api = Blueprint("api", __name__)
    door = _Door(services, per_key, failures)

    @api.before_request
    def _guard() -> None:
        # One byte more than allowed: a chunked body is cut there, and its length tells that it went on.
        request.max_content_length = MOST_BYTES + 1
        if request.path.startswith(_PREFIX):
            g.key = door.opened()

    @api.after_request
    def _never_cached(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        if key := g.get("key"):
            response.call_on_close(lambda: door.note(key))
        return response

    _add_calls(api, _Desk(services), FunnelDesk(services))
    add_docs(api, services)
    _answer_errors(api)
    return api


class _Door:
    """Lets in who brings a key. Takes no lock of the database: whoever makes keys up stops nobody's work."""

    def __init__(self, services: Services, per_key: RateLimitItem, failures: RateLimitItem) -> None:
        self._services, self._limits = services, RateLimits(services.rate_limit_storage)
        self._per_key, self._failures = (per_key,), (failures,)
        self._noting = Lock()

    def opened(self) -> PointOfSaleKey:
        """The key that came with the request; raises :class:`Unauthorised`, or TooMany."""
        key = self._known(request.headers.get("Authorization", ""))
        if key is None:
            site = site_of(request.remote_addr or "")
            sentence = "Too many calls without a valid key came from this address: wait, then call again."
            self._limits.count(self._failures, "api", "failed", site, sentence=sentence)
            raise Unauthorised(
                "unauthorised", "Send the venue's key: Authorization: Bearer ppk_… (perkpass key create)."
            )
        sentence = "This key calls too often: wait, then call again."
        self._limits.count(self._per_key, "api", "key", str(key.id), sentence=sentence)
        return key

    def _known(self, authorization: str) -> PointOfSaleKey | None:
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        with self._services.database.autocommit() as tx:
            return keys.authenticate(tx, secret.strip(), now=self._services.clock())

    def note(self, key: PointOfSaleKey) -> None:
        """Remember the use once the till has its answer; in a busy database one thread waits, not all."""
        now = self._services.clock()
        if not key.use_is_due(now) or not self._noting.acquire(blocking=False):
            return
        try:
            with self._services.database.write() as tx:
                keys.note_use(tx, key, now=now)
        except NO_DATABASE as fault:
            if outage_of(fault) is None:  # an outage tells itself
                log.warning("use_of_key_not_noted", fault=type(fault).__name__)
        finally:
            self._noting.release()


class _Desk:
    """Where an authenticated till's call is carried out, in one transaction."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def act(self, operation: str, verb: Callable[[Tx, Where], Answer], body: object) -> Response:
        """Do it once, however often the till asks."""
        key: PointOfSaleKey = g.key
        with self._services.database.write() as tx:
            now = self._services.clock()
            where: Where = {"brand_id": key.brand_id, "venue_id": key.venue_id, "now": now}
            answer = till.once(
                tx,
                venue_id=key.venue_id,
                key=request.headers.get("Idempotency-Key", ""),
                fingerprint=fingerprint(operation, body),
                now=now,
                act=lambda: verb(tx, where),
            )
        self._services.wakeup.ring()
        response = jsonify(answer.document)
        response.status_code = answer.status
        if answer.repeated:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    def look(self, card_code: str) -> Response:
        """A card of the key's brand with its offers; waits for no writer."""
        key: PointOfSaleKey = g.key
        now = self._services.clock()
        with self._services.database.read() as tx:
            card = till.card(tx, card_code, brand_id=key.brand_id, now=now)
            offers = till.offers(tx, card_code, brand_id=key.brand_id, venue_id=key.venue_id, now=now)
        return jsonify(CardFoundOut.found(card, offers).model_dump(mode="json"))


def _add_calls(api: Blueprint, desk: _Desk, funnels: FunnelDesk) -> None:
    @api.post(f"{_PREFIX}/receipts")
    @describe("record_receipt")
    def record_receipt() -> Response:
        body = parsed(ReceiptIn)

        def verb(tx: Tx, where: Where) -> Answer:
            recorded = till.record_receipt(tx, body.draft(), **where, actor=f"key:{g.key.id}")
            return Answer(201, ReceiptOut.of(recorded).model_dump(mode="json"))

        return desk.act("receipt", verb, body.model_dump(mode="json"))

    @api.post(f"{_PREFIX}/redemptions")
    @describe("redeem")
    def redeem() -> Response:
        body = parsed(RedemptionIn)

        def verb(tx: Tx, where: Where) -> Answer:
            redeemed = till.redeem(tx, body.redemption(), **where)
            return Answer(201, RedemptionOut.of(redeemed).model_dump(mode="json"))

        return desk.act("redemption", verb, body.model_dump(mode="json"))

    @api.post(f"{_PREFIX}/receipts/<number>/refund")
    @describe("refund_receipt")
    def refund_receipt(number: str) -> Response:
        def verb(tx: Tx, where: Where) -> Answer:
            refunded = till.refund_receipt(tx, number, **where)
            return Answer(200, RefundOut.of(refunded).model_dump(mode="json"))

        return desk.act("refund", verb, number)

    @api.get(f"{_PREFIX}/cards/<code>")
    @describe("show_card")
    def show_card(code: str) -> Response:
        return desk.look(code)

    @api.get(f"{_PREFIX}/funnel")
    @describe("show_funnel")
    def show_funnel() -> Response:
        return funnels.answer(asked(FunnelQuery))

    @api.route("/api/", defaults={"rest": ""}, methods=_ANY, strict_slashes=False)
    @api.route("/api/<path:rest>", methods=_ANY)
    def nowhere(rest: str) -> Response:  # noqa: ARG001  # the address as such is what is wrong
        return no_such_address()


_ANY = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def no_such_address() -> Response:
    """404; or 405 where another method would have found something, or where the method is none of ours."""
    adapter = current_app.create_url_adapter(request)
    allowed = [m for m in ("GET", "POST") if adapter and _answers(adapter, m)]
    if not allowed and request.method in (*_ANY, "HEAD"):
        return answer_problem("no-such-address", "There is nothing here: /api/docs lists what there is.")
    detail = f"Use {' or '.join(allowed)} here." if allowed else "This method does nothing here."
    answer = answer_problem("wrong-method", detail)
    answer.headers["Allow"] = ", ".join(allowed)
    return answer


def _answers(adapter: MapAdapter, method: str) -> bool:
    try:
        return bool(adapter.match(request.path, method=method)[0] != "api.nowhere")
    except HTTPException:
        return False


def _answer_errors(api: Blueprint) -> None:
    """Every error as a problem; what went wrong inside goes to the log alone."""

    @api.errorhandler(Unreadable)
    def _unreadable(fault: Unreadable) -> Response:
        return fault.answer

    @api.errorhandler(Refused)
    def _refused(refused: Refused) -> Response:
        return problem(refused)

    def no_database(fault: Exception) -> Response:
        if outage_of(fault) is None:  # an outage tells itself
            log.error("database_unavailable", path=request.path, fault=type(fault).__name__)
        answer = answer_problem(
            "unavailable", "Nothing was changed. Repeat the call with the same Idempotency-Key."
        )
        answer.headers["Retry-After"] = "2"
        return answer

    for kind in NO_DATABASE:
        api.register_error_handler(kind, no_database)

    @api.errorhandler(Exception)
    def _unforeseen(fault: Exception) -> Response:
        if isinstance(fault, RequestEntityTooLarge):
            return answer_problem("too-large", f"A body has at most {MOST_BYTES} bytes.")
        if isinstance(fault, HTTPException):
            return answer_problem("bad-request", fault.description or fault.name, status=fault.code or 400)
        log.exception("unforeseen_error", path=request.path, method=request.method)
        return answer_problem(
            "fault", "It has been written down. Repeat the call with the same Idempotency-Key."
        )
