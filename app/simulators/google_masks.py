"""``fields=``: Google's partial responses, such as ``resource(id,hasUsers)`` or ``resources/id``."""

from __future__ import annotations

import re
from typing import Any

from app.simulators.google_errors import Refused

Mask = dict[str, "Mask"]  # empty: everything below
_WORD = re.compile(r"[A-Za-z0-9_.$]+|\*")


def masked(document: Any, fields: str) -> Any:
    """What of ``document`` was asked for; raises Refused (400) for a mask that cannot be read."""
    mask, end = _read(fields, 0)
    if end != len(fields):
        raise _unreadable(fields)
    return _cut(document, mask)


def _read(fields: str, at: int) -> tuple[Mask, int]:
    mask: Mask = {}
    while True:
        path = []
        while True:
            word = _WORD.match(fields, at)
            if word is None:
                raise _unreadable(fields)
            path.append(word.group())
            at = word.end()
            if fields[at : at + 1] != "/":
                break
            at += 1
        below: Mask = {}
        if fields[at : at + 1] == "(":
            below, at = _read(fields, at + 1)
            if fields[at : at + 1] != ")":
                raise _unreadable(fields)
            at += 1
        place = mask
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = below
        if fields[at : at + 1] != ",":
            return mask, at
        at += 1


def _cut(value: Any, mask: Mask) -> Any:
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [_cut(each, mask) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _cut(value[name], below) for name, below in mask.items() if name in value}


def _unreadable(fields: str) -> Refused:
    return Refused(400, f"Invalid field selection {fields}", "invalidParameter", shape="front")
