"""``/walletobjects/v1``: what each method of Google Wallet does, one call at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.simulators.google_accounts import Accounts, ServiceAccount
from app.simulators.google_discovery import Method, discovery
from app.simulators.google_errors import Refused, denied, invalid, malformed
from app.simulators.google_resources import Body, Kind, Resources


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the interface: a whole HTTP request, or a part of a batch."""

    verb: str
    path: str  # percent-decoded
    query: Mapping[str, str]
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: a status and a JSON document."""

    status: int
    document: Body

    def body(self) -> bytes:
        """The document as bytes."""
        return json.dumps(self.document, indent=2).encode()


class Api:
    """The methods over what the simulator holds. Used from its event loop only."""

    def __init__(self, accounts: Accounts, resources: Resources) -> None:
        self.accounts, self.resources = accounts, resources

    def answer(self, robot: ServiceAccount, call: Call) -> Answer:
        """Carry out one call; a refusal is an answer too."""
        try:
            return Answer(200, self._carry_out(robot, call))
        except Refused as refused:
            return Answer(refused.status, refused.document())

    def _carry_out(self, robot: ServiceAccount, call: Call) -> Body:
        method, identifier = discovery().route(call.verb, call.path)
        for name in call.query:
            if not discovery().knows_query(method, name):
                raise malformed(f'Unknown name "{name}": Cannot bind query parameter.')
        body = _body(call) if method.request else {}
        if method.resource in {"loyaltyclass", "loyaltyobject"}:
            kind: Kind = "class" if method.resource == "loyaltyclass" else "object"
            return self._loyalty(robot, method, kind, identifier, body, call.query)
        raise Refused(404, "Method not found.", "notFound", shape="front")

    def _loyalty(
        self,
        robot: ServiceAccount,
        method: Method,
        kind: Kind,
        identifier: str,
        body: Body,
        query: Mapping[str, str],
    ) -> Body:
        resources = self.resources
        if method.name == "list":
            return self._list(robot, kind, query)
        self._permitted(robot, identifier or str(body.get("id", "")), write=method.name != "get")
        match method.name:
            case "get":
                return resources.shown(kind, resources.get(kind, identifier), with_class=True)
            case "insert":
                return resources.shown(kind, resources.insert(kind, body))
            case "addmessage":
                message = body.get("message") or {}
                return {"resource": resources.shown(kind, resources.add_message(kind, identifier, message))}
        if body.setdefault("id", identifier) != identifier:
            raise invalid("The id in the body differs from the one in the path.")
        after = resources.merged(kind, identifier, body) if method.name == "patch" else body
        return resources.shown(kind, resources.replace(kind, identifier, after, body))

    def _list(self, robot: ServiceAccount, kind: Kind, query: Mapping[str, str]) -> Body:
        if kind == "class":
            issuer = query.get("issuerId", "")
            if not self.accounts.may(robot.mail, issuer, write=False):
                raise denied()
            found = self.resources.classes_of(issuer)
        else:
            self._permitted(robot, query.get("classId", ""), write=False)
            found = self.resources.objects_of(query["classId"])
        start, page = int(query.get("token", "0")), int(query.get("maxResults", len(found)) or len(found))
        shown = [self.resources.shown(kind, body) for body in found[start : start + page]]
        pagination: Body = {"resultsPerPage": len(shown)}
        if start + page < len(found):
            pagination["nextPageToken"] = str(start + page)
        return {"resources": shown, "pagination": pagination}

    def _permitted(self, robot: ServiceAccount, identifier: str, *, write: bool) -> None:
        if not self.accounts.may(robot.mail, identifier.partition(".")[0], write=write):
            raise denied()


def _body(call: Call) -> Body:
    if call.content_type.partition(";")[0].strip().lower() != "application/json":
        raise malformed("Expected application/json.")
    try:
        document: Any = json.loads(call.body)
    except ValueError:
        raise malformed("Expected a value.") from None
    if not isinstance(document, dict):
        raise malformed('Unknown name "": Root element must be a message.')
    return document
