"""Save links: what a JWT must be so that Google Wallet takes the cards that it names."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from app.simulators.google_admission import admit, read
from app.simulators.google_errors import Refused, denied, invalid
from app.simulators.google_resources import Body, Kind
from app.simulators.google_state import State

LONGEST = 1800  # characters, of links; [G] "maximum safe length"
_ARRAYS: dict[str, Kind] = {"loyaltyClasses": "class", "loyaltyObjects": "object"}
_SKINNY = {"id", "classId"}


@dataclass(slots=True)
class Link:
    """What a JWT names: cards that exist, and bodies that its first use stores."""

    objects: list[str] = field(default_factory=list)
    new: list[tuple[Kind, Body]] = field(default_factory=list)
    previews: bool = False  # it declares a class anew, and so is for test accounts only


class SaveLinks:
    """Judges JWTs and stores what they bring along."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.address = ""  # without the slash before the JWT

    def judge(self, token: str, *, by_rest: bool = False) -> Link:
        """What a signed link names; raises Refused with the fault that a guest never sees.

        ``by_rest``: it comes over the interface, where it may be long.
        """
        if len(token) > LONGEST and not by_rest:
            raise invalid(f"The JWT has {len(token)} characters, more than the {LONGEST} that are safe.")
        try:
            robot, claims = self.state.accounts.read_signed(token)
        except ValueError as fault:
            raise invalid(f"Invalid JWT: {fault}") from None
        if claims.get("aud") != "google" or claims.get("typ") != "savetowallet":
            raise invalid("Invalid JWT: aud must be google, typ must be savetowallet.")
        issued = claims.get("iat")
        if type(issued) is not int or issued > self.state.clock() + 300:
            raise invalid("Invalid JWT: iat must be whole seconds, and not in the future.")
        origins = claims.get("origins", [])
        if not isinstance(origins, list) or (origins and not by_rest):
            raise invalid("Invalid JWT: origins are for the button of Google's script, not for links.")
        link = self._payload(claims.get("payload"))
        for identifier in [*link.objects, *(body["id"] for _, body in link.new)]:
            if not self.state.accounts.may(robot.mail, identifier.partition(".")[0]):
                raise denied()
        return link

    def judge_json(self, text: str) -> Link:
        """The same for the unsigned JSON of a JWT, whole or its payload alone."""
        try:
            document = json.loads(text)
        except ValueError:
            raise invalid("json: not JSON.") from None
        if not isinstance(document, dict):
            raise invalid("json: no object.")
        return self._payload(document.get("payload", document))

    def store(self, link: Link) -> dict[str, list[Body]]:
        """Insert what the link brings and is not there yet; what it named, by array."""
        resources = self.state.resources
        for kind, body in link.new:
            if body["id"] not in (resources.classes if kind == "class" else resources.objects):
                resources.insert(kind, body)
        shown = [resources.shown("object", resources.get("object", each)) for each in link.objects]
        classes = [body["id"] for kind, body in link.new if kind == "class"]
        said = {"loyaltyObjects": shown}
        if classes:
            said["loyaltyClasses"] = [resources.get("class", each) for each in classes]
        return said

    def _payload(self, payload: Any) -> Link:
        if not isinstance(payload, dict) or not payload:
            raise invalid("Invalid JWT: no payload.")
        link = Link()
        brought: set[str] = set()
        for name, kind in _ARRAYS.items():
            bodies = payload.get(name, [])
            if not isinstance(bodies, list) or not all(isinstance(body, dict) for body in bodies):
                raise invalid(f"Invalid JWT: {name} must be an array of objects.")
            for document in bodies:
                self._body(link, kind, document, brought)
        if unknown := payload.keys() - _ARRAYS.keys():
            raise invalid(f"Invalid JWT: {', '.join(sorted(unknown))}: no such passes here.")
        if not link.objects:
            raise invalid("Invalid JWT: no objects.")
        return link

    def _body(self, link: Link, kind: Kind, document: Body, brought: set[str]) -> None:
        resources = self.state.resources
        body = read(self.state, kind, document)
        identifier = body.get("id", "")
        if kind == "class":
            link.previews = True
            brought.add(identifier)
            link.new.append((kind, admit(self.state, kind, body)))
            return
        if body.keys() <= _SKINNY:
            known = resources.get("object", identifier)
            if body.get("classId", known["classId"]) != known["classId"]:
                raise invalid(f"{identifier} belongs to another class.")
        else:
            whole = admit(self.state, kind, body)
            if whole["classId"] not in brought:
                resources.usable_class(whole["classId"])
            link.new.append((kind, whole))
        link.objects.append(identifier)


def may_save(state: State, link: Link, user: str) -> None:
    """Raises Refused where this guest may not: demo mode, a preview, a card of one user only."""
    for identifier in link.objects:
        issuer = state.accounts.issuers[identifier.partition(".")[0]]
        if (issuer.demo or link.previews) and user not in issuer.users and user not in issuer.test_accounts:
            raise Refused(403, f"{user} is no test account of issuer {issuer.identifier}.")
        holders = state.resources.holders.get(identifier, [])
        body = state.resources.objects.get(identifier, {})
        cards = state.resources.classes.get(body.get("classId", ""), {})
        status = cards.get("multipleDevicesAndHoldersAllowedStatus", "")
        if status.startswith("ONE_USER") and holders and user not in holders:
            raise Refused(403, f"{identifier} is held by somebody else.")
