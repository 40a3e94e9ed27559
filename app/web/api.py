"""The till API, ``/api/v1``: receipts, redemptions, refunds, cards; for point-of-sale keys.

A call is one transaction: it authenticates, claims its idempotency key, acts and keeps its answer, or
leaves nothing behind. Every error is ``application/problem+json``.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypedDict, TypeVar

import structlog
from flask import Blueprint, Response, current_app, jsonify, request
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app.accounts import keys
from app.accounts.keys import PointOfSaleKey
from app.db import Tx
from app.db.identifiers import BrandId, VenueId
from app.errors import Refused, TooMany, Unauthorised
from app.loyalty import till
from app.loyalty.idempotency import Answer, fingerprint
from app.loyalty.till import CardView
from app.web.api_docs import add_docs, describe
from app.web.api_models import CardOut, ReceiptIn, ReceiptOut, RedemptionIn, RedemptionOut, RefundOut
from app.web.problem import answer_problem, problem
from app.web.services import Services

MOST_BYTES = 16 * 1024
PER_KEY: RateLimitItem = RateLimitItemPerSecond(100)
_PREFIX = "/api/v1"
_Body = TypeVar("_Body", bound=BaseModel)
log = structlog.get_logger()


class Where(TypedDict):
    """Whose till acts, and when: what every verb of loyalty's till is told."""

    brand_id: BrandId
    venue_id: VenueId
    now: datetime


class _Unreadable(Exception):
    """A request that is answered with this problem."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def api_blueprint(services: Services, *, per_key: RateLimitItem = PER_KEY) -> Blueprint:
    """``/api/v1/…``, ``/api/openapi.json`` and ``/api/docs``; each key may make ``per_key`` calls."""
    api = Blueprint("api", __name__)
    limiter = _Limiter(services.rate_limit_storage, per_key)

    @api.before_request
    def _guard() -> None:
        request.max_content_length = MOST_BYTES
        if request.path.startswith(_PREFIX):
            limiter.count(_bearer())

    @api.after_request
    def _never_cached(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    _add_calls(api, _Desk(services))
    add_docs(api, services)
    _answer_errors(api)
    return api


class _Desk:
    """Where a till's call is authenticated and carried out, in one transaction."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def act(self, operation: str, verb: Callable[[Tx, Where], Answer], body: object) -> Response:
        """Do it once, however often the till asks."""
        with self._services.database.write() as tx:
            now = self._services.clock()
            key = self._key(tx, now)
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

    def look(self, card_code: str) -> CardView:
        """A card of the key's brand."""
        with self._services.database.write() as tx:  # noting the key's use may write
            now = self._services.clock()
            return till.card(tx, card_code, brand_id=self._key(tx, now).brand_id, now=now)

    def read(self, model: type[_Body]) -> _Body:
        """The body, checked; who brings no valid key learns nothing about bodies."""
        try:
            return _parsed(model)
        except (_Unreadable, HTTPException):
            with self._services.database.write() as tx:
                self._key(tx, self._services.clock())
            raise

    def _key(self, tx: Tx, now: datetime) -> PointOfSaleKey:
        if key := keys.authenticate(tx, _bearer(), now=now):
            return key
        raise _unauthorised()


def _add_calls(api: Blueprint, desk: _Desk) -> None:
    @api.post(f"{_PREFIX}/receipts")
    @describe("record_receipt")
    def record_receipt() -> Response:
        body = desk.read(ReceiptIn)

        def verb(tx: Tx, where: Where) -> Answer:
            recorded = till.record_receipt(tx, body.draft(), **where)
            return Answer(201, ReceiptOut.of(recorded).model_dump(mode="json"))

        return desk.act("receipt", verb, body.model_dump(mode="json"))

    @api.post(f"{_PREFIX}/redemptions")
    @describe("redeem")
    def redeem() -> Response:
        body = desk.read(RedemptionIn)

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
        return jsonify(CardOut.of(desk.look(code)).model_dump(mode="json"))

    @api.route("/api/", defaults={"rest": ""}, methods=_ANY)
    @api.route("/api/<path:rest>", methods=_ANY)
    def nowhere(rest: str) -> Response:  # noqa: ARG001  # the address as such is what is wrong
        return _no_such_address()


_ANY = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class _Limiter:
    """Calls per key; where the store of the counts does not answer, tills go on."""

    def __init__(self, storage: str, per_key: RateLimitItem) -> None:
        waits: dict[str, Any] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
        options = {} if storage.startswith("memory") else {"wrap_exceptions": True, **waits}
        self._limiter = MovingWindowRateLimiter(storage_from_string(storage, **options))
        self._per_key = per_key

    def count(self, secret: str) -> None:
        """One more call; raises :class:`TooMany`. Before any database work, so guesses are limited too."""
        who = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        try:
            if self._limiter.hit(self._per_key, "api", who):
                return
            reset = self._limiter.get_window_stats(self._per_key, "api", who).reset_time
        except StorageError as fault:
            log.warning("rate_limits_unavailable", fault=type(fault.storage_error).__name__)
            return
        wait = timedelta(seconds=max(1.0, reset - time.time()))
        raise TooMany(
            "too-many-requests", "This key calls too often: wait, then call again.", retry_after=wait
        )


def _bearer() -> str:
    """The secret in the Authorization header; raises :class:`Unauthorised`."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise _unauthorised()
    return secret.strip()


def _unauthorised() -> Unauthorised:
    return Unauthorised(
        "unauthorised", "Send the venue's key: Authorization: Bearer ppk_… (perkpass key create)."
    )


def _parsed(model: type[_Body]) -> _Body:
    if request.mimetype != "application/json":
        detail = "Send the body as application/json (UTF-8)."
        raise _Unreadable(answer_problem("wrong-content-type", detail))
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as invalid:
        faults = invalid.errors(include_url=False, include_context=False, include_input=False)
    if faults[0]["type"] == "json_invalid":
        raise _Unreadable(answer_problem("malformed-json", f"The body is not JSON: {faults[0]['msg']}."))
    fields = [
        {"field": ".".join(map(str, fault["loc"])) or "body", "detail": fault["msg"]} for fault in faults
    ]
    detail = "; ".join(f"{fault['field']}: {fault['detail']}" for fault in fields)
    raise _Unreadable(answer_problem("invalid-request", detail, fields=fields))


def _no_such_address() -> Response:
    """404, or 405 where another method would have found something."""
    adapter = current_app.create_url_adapter(request)
    allowed = (
        [m for m in ("GET", "POST") if adapter.match(request.path, method=m)[0] != request.endpoint]
        if adapter
        else []
    )
    if not allowed:
        return answer_problem("no-such-address", "There is nothing here: /api/docs lists what there is.")
    answer = answer_problem("wrong-method", f"Use {' or '.join(allowed)} here.")
    answer.headers["Allow"] = ", ".join(allowed)
    return answer


def _answer_errors(api: Blueprint) -> None:
    """Every error as a problem; what went wrong inside goes to the log alone."""

    @api.errorhandler(_Unreadable)
    def _unreadable(fault: _Unreadable) -> Response:
        return fault.answer

    @api.errorhandler(Refused)
    def _refused(refused: Refused) -> Response:
        return problem(refused)

    @api.errorhandler(OperationalError)
    def _no_database(fault: OperationalError) -> Response:
        log.error("database_unavailable", path=request.path, fault=type(fault.orig).__name__)
        answer = answer_problem(
            "unavailable", "Nothing was changed. Repeat the call with the same Idempotency-Key."
        )
        answer.headers["Retry-After"] = "2"
        return answer

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
