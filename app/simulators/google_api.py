"""``/walletobjects/v1``: what each method of Google Wallet does, one call at a time."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.simulators.google_accounts import Issuer, ServiceAccount
from app.simulators.google_admission import admit, read
from app.simulators.google_discovery import Method, discovery
from app.simulators.google_errors import Refused, denied, invalid, malformed, too_fast
from app.simulators.google_links import SaveLinks
from app.simulators.google_masks import masked
from app.simulators.google_resources import Body, Kind
from app.simulators.google_rules import judge
from app.simulators.google_schema import checked, in_legacy_casing
from app.simulators.google_state import SeenCall, State

_KINDS: dict[str, Kind] = {"loyaltyclass": "class", "loyaltyobject": "object"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the interface: a whole HTTP request, or a part of a batch."""

    verb: str
    path: str  # percent-decoded
    query: Mapping[str, str]
    content_type: str
    body: bytes
    batched: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: a status and a JSON document."""

    status: int
    document: Body

    def body(self) -> bytes:
        """The document as bytes."""
        return json.dumps(self.document).encode()


class Api:
    """The methods over what the simulator holds. Used from its event loop only."""

    def __init__(self, state: State, links: SaveLinks) -> None:
        self.state, self.links = state, links
        self._issuers = random.Random()

    def answer(self, robot: ServiceAccount, call: Call) -> Answer:
        """Carry out one call; a refusal is an answer too."""
        state = self.state
        now = state.clock()
        try:
            if not state.bucket.take(robot.project, now, state.faults.requests_per_second):
                raise too_fast(state.faults.quota_style)
            if state.faults.denied:
                raise denied()
            answer = Answer(200, self._carry_out(robot, call))
            if call.verb != "GET":
                state.changed()
        except Refused as refused:
            answer = Answer(refused.status, refused.document())
        state.calls.append(SeenCall(now, call.verb, call.path, answer.status, call.batched))
        return answer

    def _carry_out(self, robot: ServiceAccount, call: Call) -> Body:
        method, identifier = discovery().route(call.verb, call.path)
        for name in call.query:
            if not discovery().knows_query(method, name):
                raise malformed(f'Unknown name "{name}": Cannot bind query parameter.')
        document = _document(call) if method.request else {}
        if method.resource in _KINDS:
            said = self._loyalty(robot, method, identifier, document, call.query)
        elif method.resource == "jwt":
            said = self._jwt(method, document)
        elif method.resource == "issuer":
            said = self._issuer(robot, method, identifier, document)
        else:
            said = self._permissions(robot, method, identifier, document)
        if self.state.faults.wire_casing == "legacy":
            said = in_legacy_casing(said, method.response)
        return masked(said, call.query["fields"]) if call.query.get("fields") else said

    def _loyalty(
        self, robot: ServiceAccount, method: Method, identifier: str, document: Body, query: Mapping[str, str]
    ) -> Body:
        kind = _KINDS[method.resource]
        resources = self.state.resources
        if method.name == "list":
            return self._list(robot, kind, query)
        if method.name == "addmessage":
            self._permitted(robot, identifier)
            return {"resource": self._add_message(kind, identifier, document)}
        if method.name == "get":
            self._permitted(robot, identifier, write=False)
            return resources.shown(kind, resources.get(kind, identifier), with_class=True)
        body = read(self.state, kind, document)
        self._permitted(robot, identifier or str(body.get("id")))
        if kind == "object" and body.get("classId"):
            self._permitted(robot, body["classId"], write=False)
        if method.name == "insert":
            return resources.shown(kind, resources.insert(kind, admit(self.state, kind, body)))
        if body.setdefault("id", identifier) != identifier:
            raise invalid("The id in the body differs from the one in the path.")
        whole = resources.merged(kind, identifier, body) if method.name == "patch" else body
        return resources.shown(kind, self._replace(kind, identifier, whole, body))

    def _replace(self, kind: Kind, identifier: str, whole: Body, sent: Body) -> Body:
        state = self.state
        before = state.resources.get(kind, identifier)
        after = state.resources.replace(kind, identifier, admit(state, kind, whole), sent)
        if any(message.get("messageType") == "TEXT_AND_NOTIFY" for message in sent.get("messages") or ()):
            state.lints.append("messages: only addMessage is told to notify")
        if sent.get("notifyPreference") == "NOTIFY_ON_UPDATE":
            held = state.holders(identifier) if kind == "object" else state.holders_of_class(identifier)
            shared = state.faults.budget == "shared"
            state.notices.changed(kind, before, after, held, state.clock(), shared=shared)
        return after

    def _add_message(self, kind: Kind, identifier: str, document: Body) -> Body:
        state = self.state
        lints: list[str] = []
        request = checked(document, "AddMessageRequest", lints)
        state.lints.extend(lints)
        judge(request, "AddMessageRequest")
        if not request.get("message"):
            raise invalid("message is required.")
        before = state.resources.get(kind, identifier)
        after = state.resources.with_message(kind, identifier, request["message"])
        now, shared = state.clock(), state.faults.budget == "shared"
        if kind == "object":
            held = bool(state.resources.holders.get(identifier))
            state.notices.message_to_object(before, request["message"], now, held=held, shared=shared)
        else:
            holders = state.holders_of_class(identifier)
            state.notices.message_to_class(before, request["message"], holders, now, shared=shared)
        return state.resources.shown(kind, state.resources.keep(kind, after))

    def _list(self, robot: ServiceAccount, kind: Kind, query: Mapping[str, str]) -> Body:
        state = self.state
        name = "issuerId" if kind == "class" else "classId"
        if not (owner := query.get(name, "")):
            raise invalid(f"{name} is required.")
        self._permitted(robot, owner, write=False)
        found = state.resources.classes_of(owner) if kind == "class" else state.resources.objects_of(owner)
        try:
            start = int(query.get("token") or 0)
            page = int(query.get("maxResults") or 0) or max(1, len(found))
        except ValueError:
            raise invalid("Invalid page token.") from None
        shown = [state.resources.shown(kind, body) for body in found[start : start + page]]
        pagination: Body = {"resultsPerPage": len(shown)}
        if start + page < len(found):
            again = state.faults.repeat_page_token and start
            pagination["nextPageToken"] = str(start if again else start + page)
        return {"resources": shown, "pagination": pagination}

    def _jwt(self, method: Method, document: Body) -> Body:
        body = checked(document, method.request or "", [])
        judge(body, method.request or "")
        if method.name == "validate" and "jsonResource" in body:
            self.links.judge_json(body["jsonResource"]["json"])
            return {}
        token = body["jwt"] if method.name == "insert" else body["jwtResource"]["jwt"]
        link = self.links.judge(token, by_rest=True)
        if method.name == "validate":
            return {}
        shown = self.links.store(link)
        return {"saveUri": f"{self.links.address}/{token}", "resources": shown}

    def _issuer(self, robot: ServiceAccount, method: Method, identifier: str, document: Body) -> Body:
        accounts = self.state.accounts
        if method.name == "list":
            mine = [
                each
                for each in accounts.issuers.values()
                if accounts.may(robot.mail, each.identifier, write=False)
            ]
            return {"resources": [each.shown() for each in mine]}
        body = checked(document, "Issuer", [])
        judge(body, "Issuer")
        if method.name == "insert":
            issuer = accounts.issuer(f"3388{self._issuers.randrange(10**15):015d}")
            issuer.users[robot.mail] = "OWNER"
        else:
            issuer = self._known_issuer(robot, identifier, write=method.name != "get")
        if method.name != "get":
            kept = issuer.properties if method.name == "patch" else {}
            issuer.properties = {
                **kept,
                **{name: value for name, value in body.items() if name != "issuerId"},
            }
        return issuer.shown()

    def _permissions(self, robot: ServiceAccount, method: Method, identifier: str, document: Body) -> Body:
        issuer = self._known_issuer(robot, identifier, write=method.name == "update")
        if method.name == "update":  # the whole list
            body = checked(document, "Permissions", [])
            issuer.users = {each["emailAddress"]: each["role"] for each in body.get("permissions", [])}
        users = [{"emailAddress": mail, "role": role} for mail, role in issuer.users.items()]
        return {"issuerId": issuer.identifier, "permissions": users}

    def _known_issuer(self, robot: ServiceAccount, identifier: str, *, write: bool) -> Issuer:
        self._permitted(robot, identifier, write=write)
        return self.state.accounts.issuers[identifier]

    def _permitted(self, robot: ServiceAccount, identifier: str, *, write: bool = True) -> None:
        if not self.state.accounts.may(robot.mail, identifier.partition(".")[0], write=write):
            raise denied()


def _document(call: Call) -> Body:
    if call.content_type.partition(";")[0].strip().lower() != "application/json":
        raise malformed("Expected application/json.")
    try:
        document: Any = json.loads(call.body.decode("utf-8"))
    except ValueError:
        raise malformed("Expected a value.") from None
    if not isinstance(document, dict):
        raise malformed('Unknown name "": Root element must be a message.')
    return document
