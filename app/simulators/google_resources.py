"""The loyalty classes and objects that the Google Wallet simulator holds, and how they may change.

Nothing can be deleted, PATCH merges and replaces arrays whole, PUT replaces, and a class that was put up for
review is approved at once.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.simulators.google_errors import Refused, invalid

Kind = Literal["class", "object"]
Body = dict[str, Any]
_WORDS: dict[Kind, str] = {"class": "Wallet Object Class", "object": "Wallet Object"}
SET_BY_GOOGLE = ("hasUsers", "hasLinkedDevice", "classReference", "kind", "version")
_MESSAGES = 10
# As implementers saw it; Google's pages only say that approved classes go on being sent as under review.
_REVIEW = "Invalid review status '{}'. Use 'UNDER_REVIEW' instead."


@dataclass(slots=True)
class Resources:
    """Everything that was inserted. Bodies are normalised: enumerations in upper case."""

    classes: dict[str, Body] = field(default_factory=dict)
    objects: dict[str, Body] = field(default_factory=dict)
    holders: dict[str, list[str]] = field(default_factory=dict)  # object → the guests that saved it
    _objects_of: dict[str, dict[str, None]] = field(default_factory=dict)  # in order of insertion

    def insert(self, kind: Kind, body: Body) -> Body:
        """A new one; raises Refused: 409 where it exists, 404 where its class does not."""
        known = self._of(kind)
        identifier = body["id"]
        if identifier in known:
            raise Refused(409, f"{_WORDS[kind]} {identifier} already exists.")
        if kind == "class":
            _review(None, body)
        else:
            self.usable_class(body["classId"])
        known[identifier] = _kept(body)
        if kind == "object":
            self._objects_of.setdefault(body["classId"], {})[identifier] = None
        return known[identifier]

    def get(self, kind: Kind, identifier: str) -> Body:
        """As it stands; raises Refused (404)."""
        found = self._of(kind).get(identifier)
        if found is None:
            raise Refused(404, f"{_WORDS[kind]} {identifier} not found.")
        return found

    def merged(self, kind: Kind, identifier: str, changes: Body) -> Body:
        """What a PATCH would make of it; nothing changes yet. Raises Refused (404)."""
        return merge(self.get(kind, identifier), changes)

    def replace(self, kind: Kind, identifier: str, body: Body, sent: Body) -> Body:
        """``body`` takes the place of what is known; ``sent`` is what the caller really said."""
        before = self.get(kind, identifier)
        if kind == "class":
            _review(before, body, sent)
        elif body["classId"] != before["classId"]:
            self.usable_class(body["classId"])
            del self._objects_of[before["classId"]][identifier]
            self._objects_of.setdefault(body["classId"], {})[identifier] = None
        self._of(kind)[identifier] = after = _kept(body)
        return after

    def with_message(self, kind: Kind, identifier: str, message: Body) -> Body:
        """What it would be; an equal id is no reason to refuse. Raises Refused beyond ten (strict)."""
        body = self.get(kind, identifier)
        messages = [*body.get("messages", []), message]
        if len(messages) > _MESSAGES:
            raise invalid(f"messages: at most {_MESSAGES} are allowed.")
        return body | {"messages": messages}

    def keep(self, kind: Kind, body: Body) -> Body:
        """Store it as it is."""
        self._of(kind)[body["id"]] = body
        return body

    def usable_class(self, identifier: str) -> Body:
        """A class that objects may belong to; raises Refused."""
        found = self.get("class", identifier)
        if found["reviewStatus"] == "DRAFT":
            raise invalid(f"Wallet Object Class {identifier} is a draft.")
        return found

    def objects_of(self, class_identifier: str) -> list[Body]:
        """In order of insertion; raises Refused (404) for an unknown class."""
        self.get("class", class_identifier)
        return [self.objects[identifier] for identifier in self._objects_of.get(class_identifier, {})]

    def classes_of(self, issuer: str) -> list[Body]:
        """In order of insertion."""
        return [body for body in self.classes.values() if body["id"].startswith(f"{issuer}.")]

    def shown(self, kind: Kind, body: Body, *, with_class: bool = False) -> Body:
        """As an answer holds it: what Google adds is added."""
        said = copy.deepcopy(body)
        if kind == "object":
            said["hasUsers"] = bool(self.holders.get(body["id"]))
            if with_class:
                said["classReference"] = copy.deepcopy(self.classes[body["classId"]])
        return said

    def _of(self, kind: Kind) -> dict[str, Body]:
        return self.classes if kind == "class" else self.objects


def merge(known: Mapping[str, Any], changes: Mapping[str, Any]) -> Body:
    """PATCH: objects merge, null clears, arrays are replaced whole."""
    after = dict(known)
    for name, value in changes.items():
        if value is None:
            after.pop(name, None)
        elif isinstance(value, dict):
            below = after.get(name)
            after[name] = merge(below if isinstance(below, dict) else {}, value)
        else:
            after[name] = value
    return after


def _kept(body: Body) -> Body:
    left = {name: value for name, value in body.items() if name not in (*SET_BY_GOOGLE, "notifyPreference")}
    return copy.deepcopy(left)


def _review(before: Body | None, body: Body, sent: Body | None = None) -> None:
    """DRAFT, then UNDER_REVIEW, which is approved at once; never back, and APPROVED cannot be said."""
    known = before["reviewStatus"] if before else ""
    said = (body if sent is None else sent).get("reviewStatus", known)
    if said not in {"DRAFT", "UNDER_REVIEW"}:
        raise Refused(400, _REVIEW.format(said), "invalid")
    if known == "APPROVED" and said == "DRAFT":
        raise Refused(400, _REVIEW.format(said), "invalid")
    body["reviewStatus"] = "DRAFT" if said == "DRAFT" else "APPROVED"
