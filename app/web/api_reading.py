"""What a call to the API says, checked: its body, or what its address asks for; all that is wrong at once."""

from __future__ import annotations

from typing import TypeVar

from flask import Response, request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import RequestEntityTooLarge

from app.web.problem import answer_problem

MOST_BYTES = 16 * 1024
_Model = TypeVar("_Model", bound=BaseModel)


class Unreadable(Exception):
    """A request that is answered with this problem."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def parsed(model: type[_Model]) -> _Model:
    """The body as the model has it; raises :class:`Unreadable`, or RequestEntityTooLarge."""
    if request.mimetype != "application/json":
        detail = "Send the body as application/json (UTF-8)."
        raise Unreadable(answer_problem("wrong-content-type", detail))
    body = request.get_data()
    if len(body) > MOST_BYTES:
        raise RequestEntityTooLarge
    try:
        return model.model_validate_json(body)
    except ValidationError as invalid:
        faults = invalid.errors(include_url=False, include_context=False, include_input=False)
    if faults[0]["type"] == "json_invalid":
        raise Unreadable(answer_problem("malformed-json", f"The body is not JSON: {faults[0]['msg']}."))
    raise Unreadable(_faulty(faults))


def asked(model: type[_Model]) -> _Model:
    """What the address asks for behind its question mark; raises :class:`Unreadable`."""
    try:
        return model.model_validate_strings(request.args.to_dict())
    except ValidationError as invalid:
        faults = invalid.errors(include_url=False, include_context=False, include_input=False)
    raise Unreadable(_faulty(faults))


def _faulty(faults: list[ErrorDetails]) -> Response:
    fields = [
        {"field": ".".join(map(str, fault["loc"])) or "body", "detail": fault["msg"]} for fault in faults
    ]
    detail = "; ".join(f"{fault['field']}: {fault['detail']}" for fault in fields)
    return answer_problem("invalid-request", detail, fields=fields)
