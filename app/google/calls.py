"""Every call of Google Wallet that we make, as a value: alone or in a batch, it is the same one.

Paths, verbs and envelopes are those of the discovery document [D]. Bodies are the caller's, in Google's field
names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

SCOPE: Final = "https://www.googleapis.com/auth/wallet_object.issuer"
_V1: Final = "/walletobjects/v1"
_CLASSES: Final = f"{_V1}/loyaltyClass"
_OBJECTS: Final = f"{_V1}/loyaltyObject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. ``path`` is escaped, with its query."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    once: bool = False  # done twice, a guest would see it twice

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET"


def insert_class(body: Mapping[str, Any]) -> Call:
    """Insert a class; ``exists`` where it is there."""
    return Call(method="POST", path=_CLASSES, body=body)


def get_class(class_id: str) -> Call:
    """Read a class."""
    return Call(method="GET", path=_of(_CLASSES, class_id))


def patch_class(class_id: str, body: Mapping[str, Any]) -> Call:
    """Change what ``body`` names: None clears, objects merge, arrays are replaced."""
    return Call(method="PATCH", path=_of(_CLASSES, class_id), body=body)


def message_class(class_id: str, message: Mapping[str, Any]) -> Call:
    """Send a message to every holder of the class."""
    return _message(_CLASSES, class_id, message)


def insert_object(body: Mapping[str, Any]) -> Call:
    """Insert an object; ``exists`` where it is there, ``missing`` where its class is not."""
    return Call(method="POST", path=_OBJECTS, body=body)


def get_object(object_id: str) -> Call:
    """Read an object: its ``hasUsers``, and after a lost answer its ``messages``."""
    return Call(method="GET", path=_of(_OBJECTS, object_id))


def patch_object(object_id: str, body: Mapping[str, Any]) -> Call:
    """Change what ``body`` names, as :func:`patch_class` does; with ``classId`` it moves to another class."""
    return Call(method="PATCH", path=_of(_OBJECTS, object_id), body=body)


def message_object(object_id: str, message: Mapping[str, Any]) -> Call:
    """Send a message to the holders of one card."""
    return _message(_OBJECTS, object_id, message)


def validate_jwt(jwt: str) -> Call:
    """Have Google look at the JWT of a save link: ``accepted``, or ``refused`` with its words."""
    return Call(method="POST", path=f"{_V1}/jwt/validate", body={"jwtResource": {"jwt": jwt}})


def get_issuer(issuer_id: str) -> Call:
    """Read the issuer's account. Whether it is published, Google's API does not tell [D ``Issuer``]."""
    return Call(method="GET", path=_of(f"{_V1}/issuer", issuer_id))


def _of(place: str, resource: str) -> str:
    return f"{place}/{quote(resource, safe='')}"


def _message(place: str, resource: str, message: Mapping[str, Any]) -> Call:
    path = f"{_of(place, resource)}/addMessage"
    return Call(method="POST", path=path, body={"message": message}, once=True)
