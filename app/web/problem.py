"""Refusals and faults as ``application/problem+json`` (RFC 9457).

``type`` is ``/api/docs#problem-CODE``: stable, and where a person reads what it means. ``detail`` says what
to do. Nothing of our inside is told: no trace, no SQL, no name of another brand's thing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, has_request_context, request

from app.errors import BadInput, Conflict, NotFound, Refused, TooMany, Unauthorised

MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[Refused], int], ...] = (
    (BadInput, 422),
    (Unauthorised, 401),
    (NotFound, 404),
    (Conflict, 409),
    (TooMany, 429),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem that the API names: what programs may rely on, and its title for people."""

    code: str
    status: int
    ru: str
    en: str


KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("malformed-json", 400, "Тело запроса не читается как JSON", "The body is not JSON"),
        Kind("idempotency-key-missing", 400, "Нет ключа повтора", "The Idempotency-Key is missing"),
        Kind("idempotency-key-malformed", 400, "Неверный ключ повтора", "The Idempotency-Key is malformed"),
        Kind("unauthorised", 401, "Нужен ключ кассы", "A point-of-sale key is needed"),
        Kind("no-such-address", 404, "Такого адреса нет", "There is no such address"),
        Kind("no-such-card", 404, "Такой карты нет", "There is no such card"),
        Kind("no-such-receipt", 404, "Такого чека нет", "There is no such receipt"),
        Kind("no-such-offer", 404, "Такого предложения на карте нет", "The card has no such offer"),
        Kind("wrong-method", 405, "Этот метод здесь не действует", "This method does not work here"),
        Kind("receipt-recorded", 409, "Чек уже учтён", "The receipt was recorded before"),
        Kind("receipt-refunded", 409, "Чек уже возвращён", "The receipt was refunded before"),
        Kind("card-blocked", 409, "Карта заблокирована", "The card is blocked"),
        Kind("not-enough-points", 409, "Не хватает баллов", "There are not enough points"),
        Kind("not-enough-stamps", 409, "Не хватает штампов", "There are not enough stamps"),
        Kind("share-exceeded", 409, "Баллами можно оплатить меньше", "Points may pay for less"),
        Kind("more-than-due", 409, "Баллов больше, чем сумма чека", "Points exceed the receipt"),
        Kind("offer-redeemed", 409, "Предложение уже применено", "The offer was redeemed before"),
        Kind("offer-over", 409, "Срок предложения вышел", "The offer is over"),
        Kind("offer-not-yet", 409, "Предложение ещё не началось", "The offer does not hold yet"),
        Kind("offer-elsewhere", 409, "Действует в других заведениях", "The offer is for other venues"),
        Kind("offer-below-minimum", 409, "Чек меньше нужного", "The receipt is too small for the offer"),
        Kind("too-large", 413, "Слишком большой запрос", "The body is too large"),
        Kind("wrong-content-type", 415, "Нужен application/json", "application/json is needed"),
        Kind("invalid-request", 422, "В запросе ошибки", "The request has faults"),
        Kind("idempotency-key-reused", 422, "Ключ повтора уже занят", "The Idempotency-Key is in use"),
        Kind("one-of-two", 422, "Либо баллы, либо награда", "Either points or the reward"),
        Kind("no-points", 422, "В программе нет баллов", "The programme has no points"),
        Kind("no-reward", 422, "В программе нет наград", "The programme has no rewards"),
        Kind("bad-points", 422, "Неверное число баллов", "The points are wrong"),
        Kind("points-not-payable", 422, "Баллы не делятся на деньги", "The points are no whole money"),
        Kind("amount-needed", 422, "Нужна сумма чека", "The receipt's amount is needed"),
        Kind("wrong-currency", 422, "Другая валюта", "Another currency"),
        Kind("bad-amount", 422, "Неверная сумма", "The amount is wrong"),
        Kind("bad-number", 422, "Неверный номер чека", "The receipt's number is wrong"),
        Kind("from-the-future", 422, "Чек из будущего", "The receipt is from the future"),
        Kind("too-old", 422, "Чек слишком старый", "The receipt is too old"),
        Kind("bad-period", 422, "Неверный период", "The period is wrong"),
        Kind("too-many-requests", 429, "Слишком часто", "Too many requests"),
        Kind("fault", 500, "Ошибка на нашей стороне", "A fault on our side"),
        Kind("unavailable", 503, "Сервис сейчас не отвечает", "The service cannot answer now"),
    )
}


def problem(refused: Refused) -> Response:
    """The answer to a refused request."""
    field = refused.field if isinstance(refused, BadInput) else None
    answer = answer_problem(
        refused.code,
        refused.message,
        status=next(status for kind, status in _STATUS if isinstance(refused, kind)),
        fields=[{"field": field, "detail": refused.message}] if field else (),
    )
    if isinstance(refused, Unauthorised):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="perkpass"'
    if isinstance(refused, TooMany):
        seconds = max(1, math.ceil(refused.retry_after.total_seconds()))
        answer.headers["Retry-After"] = str(seconds)
    return answer


def answer_problem(
    code: str, detail: str, *, status: int = 400, fields: Sequence[Mapping[str, str]] = ()
) -> Response:
    """A problem as an answer; the status of a kind that the API names goes before ``status``."""
    kind = KINDS.get(code)
    status = kind.status if kind else status
    document: dict[str, object] = {
        "type": f"/api/docs#problem-{code}" if kind else "about:blank",
        "title": _title(kind) if kind else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if fields:
        document["fields"] = list(fields)
    body = json.dumps(document, ensure_ascii=False)
    return Response(body, status, {"Cache-Control": "no-store"}, content_type=MEDIA_TYPE)


def _title(kind: Kind) -> str:
    """In the language that the caller prefers (RFC 9457 lets titles be translated); English by default."""
    wanted = request.accept_languages.best_match(("en", "ru")) if has_request_context() else None
    return kind.ru if wanted == "ru" else kind.en
