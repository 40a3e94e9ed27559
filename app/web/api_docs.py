"""The API's contract: the OpenAPI document that spectree makes of the models, and a page to read it.

The page is plain HTML in Russian or English, made here from that document: it works offline and loads
nothing from anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, jsonify, render_template
from pydantic import BaseModel
from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.model_adapter.protocol import SchemaMode
from spectree.model_adapter.pydantic_adapter import PydanticModelAdapter
from spectree.models import SecureType, SecuritySchemeData

from app.web.api_funnel import FunnelOut, FunnelQuery
from app.web.api_models import (
    CallHeaders,
    CardFoundOut,
    ProblemOut,
    ReceiptIn,
    ReceiptOut,
    RedemptionIn,
    RedemptionOut,
    RefundOut,
)
from app.web.language import current_language
from app.web.problem import KINDS, MEDIA_TYPE
from app.web.services import Services

_View = TypeVar("_View", bound=Callable[..., Response])
_KEY = "point_of_sale_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    """What the contract says of a call beyond its models."""

    summary: tuple[str, str]  # en, ru
    description: tuple[str, str]
    body: type[BaseModel] | None = None
    answer: tuple[int, type[BaseModel]]
    refusals: tuple[int, ...]
    parameter: tuple[str, str, str] | None = None  # its name, en, ru
    query: type[BaseModel] | None = None
    changes: bool = True  # and so needs an Idempotency-Key


_CHANGING = (400, 401, 404, 409, 413, 415, 422, 429, 500, 503)
_OPERATIONS: dict[str, _Operation] = {
    "record_receipt": _Operation(
        summary=("Record a receipt", "Учесть чек"),
        description=(
            "Points or stamps are earned by the tier held before; the guest's card changes within a second."
            " An offer is redeemed once: take off the answer's discount; only what is paid earns points.",
            "Баллы и штампы начисляются по уровню до чека; карта гостя меняется за секунду. Предложение"
            " применяется один раз: вычтите скидку из ответа; баллы даёт только оплаченное.",
        ),
        body=ReceiptIn,
        answer=(201, ReceiptOut),
        refusals=_CHANGING,
    ),
    "redeem": _Operation(
        summary=("Redeem points or a reward", "Списать баллы или выдать награду"),
        description=(
            "Points that expire first are taken first. A balance never becomes negative.",
            "Первыми списываются баллы, которые раньше сгорят. Баланс не бывает отрицательным.",
        ),
        body=RedemptionIn,
        answer=(201, RedemptionOut),
        refusals=_CHANGING,
    ),
    "refund_receipt": _Operation(
        summary=("Refund a receipt", "Вернуть чек"),
        description=(
            "As a whole and once. What the receipt earned is taken back, as far as it is there; the offer"
            " that it redeemed is the guest's again while its time lasts. No body.",
            "Целиком и один раз. Начисленное забирается назад, насколько оно ещё есть; предложение чека снова"
            " доступно гостю, если его срок не вышел. Без тела запроса.",
        ),
        answer=(200, RefundOut),
        refusals=(400, 401, 404, 409, 422, 429, 500, 503),
        parameter=("number", "The receipt's number, as recorded in this venue", "Номер чека этого заведения"),
    ),
    "show_card": _Operation(
        summary=("Look at a card", "Посмотреть карту"),
        description=(
            "Its balance, and the offers that its guest may redeem here. Changes nothing.",
            "Баланс и предложения, которые гость может применить здесь. Ничего не меняет.",
        ),
        answer=(200, CardFoundOut),
        refusals=(401, 404, 409, 429, 500, 503),
        parameter=("code", "The card's code", "Код карты"),
        changes=False,
    ),
    "show_funnel": _Operation(
        summary=("Look at the venue's funnel", "Посмотреть воронку заведения"),
        description=(
            "How far guests of this venue came, from the scanned code to the added card; shares carry"
            " intervals, robots are not counted. A visit counts in the day in which it began.",
            "Как далеко дошли гости этого заведения, от кода до карты в телефоне; доли с интервалами, роботы"
            " не считаются. Визит относится к дню, в который начался.",
        ),
        answer=(200, FunnelOut),
        refusals=(401, 422, 429, 500, 503),
        query=FunnelQuery,
        changes=False,
    ),
}


class _OnceEach(PydanticModelAdapter):
    """Makes each model's schema once: it takes milliseconds, and every call names the same faults."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[tuple[type[Any], str, str], dict[str, Any]] = {}

    def json_schema(
        self, model: type[Any], *, ref_template: str, mode: SchemaMode = "validation"
    ) -> dict[str, Any]:
        """The schema; spectree changes copies of it."""
        key = model, ref_template, mode
        if key not in self._made:
            self._made[key] = super().json_schema(model, ref_template=ref_template, mode=mode)
        return self._made[key]


_contract = SpecTree(
    "flask",
    model_adapter=cast("Any", _OnceEach()),  # spectree's own adapter does not fit its own protocol either
    title="Perkpass: till API",
    description="Money is in minor units, points are in hundredths. A refused call changes nothing.",
    version="1",
    mode="strict",
    annotations=False,
    security_schemes=[
        SecurityScheme(
            name=_KEY,
            data=SecuritySchemeData(
                type=SecureType.HTTP, scheme="bearer", description="A venue's point-of-sale key, ppk_…"
            ),
        )
    ],
    security={_KEY: []},
    naming_strategy=lambda model: str(model.__name__),
    nested_naming_strategy=lambda _parent, child: child,
)


def describe(name: str) -> Callable[[_View], _View]:
    """Put a view into the contract under this name; what it does at run time stays its own."""
    operation = _OPERATIONS[name]
    status, model = operation.answer
    answers: dict[str, Any] = {f"HTTP_{status}": model}
    answers |= {f"HTTP_{refusal}": ProblemOut for refusal in operation.refusals}
    parameter = {operation.parameter[0]: operation.parameter[1]} if operation.parameter else None

    def decorate(view: _View) -> _View:
        view.__doc__ = f"{operation.summary[0]}\n\n{operation.description[0]}"
        return cast(
            "_View",
            _contract.validate(
                json=operation.body,
                query=operation.query,
                headers=CallHeaders if operation.changes else None,
                resp=Answers(**answers),
                path_parameter_descriptions=parameter,
                operation_id=name,
                skip_validation=True,
                # spectree adds an answer of its own for faults it finds, but here it looks for none:
                # under a status that every call names already it adds nothing.
                validation_error_status=500,
            )(view),
        )

    return decorate


def add_docs(api: Blueprint, services: Services) -> None:
    """``/api/openapi.json`` and ``/api/docs``."""

    @api.get("/api/openapi.json")
    def openapi() -> Response:
        document = jsonify(contract(services.public_url))
        document.headers["Cache-Control"] = "public, max-age=300"
        return document

    @api.get("/api/docs")
    def docs() -> Response:
        language = current_language()
        page = Response(
            render_template(
                "api/docs.html",
                language=language,
                say=(lambda en, ru: ru) if language == "ru" else (lambda en, ru: en),  # noqa: ARG005
                calls=_calls(contract(services.public_url)),
                problems=KINDS.values(),
                public_url=services.public_url,
            ),
            mimetype="text/html",
        )
        page.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self';"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        page.headers["Vary"] = "Accept-Language"
        return page


@cache
def contract(public_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document; needs an application context the first time."""
    document: dict[str, Any] = deepcopy(_contract.spec)
    document["servers"] = [{"url": public_url}]
    for path in document["paths"].values():
        for call in path.values():
            operation = _OPERATIONS[call["operationId"]]
            call["x-summary-ru"], call["x-description-ru"] = operation.summary[1], operation.description[1]
            if operation.parameter:
                for parameter in call["parameters"]:
                    if parameter["name"] == operation.parameter[0]:
                        parameter["x-description-ru"] = operation.parameter[2]
            for status, answer in call["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {MEDIA_TYPE: answer["content"]["application/json"]}
    return document


def _calls(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The contract as the page shows it: a list of calls with flat tables of fields."""
    schemas = document["components"]["schemas"]
    calls = []
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            body = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            good = next(answer for status, answer in call["responses"].items() if int(status) < 400)
            calls.append(
                {
                    "id": call["operationId"],
                    "method": method.upper(),
                    "path": path,
                    "summary": (call["summary"], call["x-summary-ru"]),
                    "description": (call["description"], call["x-description-ru"]),
                    "parameters": [
                        {"name": p["name"], "in": p["in"], **_text(p | p.get("schema", {}))}
                        for p in call["parameters"]
                    ],
                    "body": _fields(body, schemas) if body else [],
                    "status": next(status for status in call["responses"] if int(status) < 400),
                    "answer": _fields(good["content"]["application/json"]["schema"], schemas),
                    "refusals": [status for status in call["responses"] if int(status) >= 400],
                }
            )
    order = list(_OPERATIONS)
    return sorted(calls, key=lambda call: order.index(call["id"]))


def _fields(schema: dict[str, Any], schemas: dict[str, Any], prefix: str = "") -> list[dict[str, Any]]:
    """A schema's fields, those of objects within it named with a dot."""
    schema = _resolved(schema, schemas)
    rows: list[dict[str, Any]] = []
    for name, given in schema.get("properties", {}).items():
        options = [given, *(option for option in given.get("anyOf", []) if option.get("type") != "null")]
        inner = [_resolved(option, schemas) for option in options]
        kind = next((one["type"] for one in inner if "type" in one), "")
        rows.append(
            {
                "name": prefix + name,
                "type": kind,
                "nullable": any(option.get("type") == "null" for option in given.get("anyOf", [])),
                "required": name in schema.get("required", []),
                **_text({**inner[-1], **given}),
            }
        )
        if kind == "object":
            rows += _fields(options[-1], schemas, f"{prefix}{name}.")
        elif kind == "array":
            rows += _fields(inner[-1]["items"], schemas, f"{prefix}{name}[].")
    return rows


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return cast("dict[str, Any]", schemas[reference.rsplit("/", 1)[1]]) if reference else schema


def _text(schema: dict[str, Any]) -> dict[str, tuple[str, str]]:
    english = schema.get("description", "")
    return {"text": (english, schema.get("x-description-ru", english))}
