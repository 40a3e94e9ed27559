"""Whether a body may be stored: schema, prose rules, and what it refers to."""

from __future__ import annotations

from app.simulators.google_errors import invalid
from app.simulators.google_resources import SET_BY_GOOGLE, Body, Kind, Resources, merge
from app.simulators.google_rules import judge, judge_identifier
from app.simulators.google_schema import checked
from app.simulators.google_state import State

SCHEMAS: dict[Kind, str] = {"class": "LoyaltyClass", "object": "LoyaltyObject"}
# Longer texts are cut on small screens. [D] descriptions with "Recommended maximum"
_SHOWN: dict[Kind, dict[tuple[str, ...], int]] = {
    "class": {
        ("issuerName",): 20,
        ("programName",): 20,
        ("accountIdLabel",): 15,
        ("accountNameLabel",): 15,
        ("rewardsTier",): 7,
        ("rewardsTierLabel",): 9,
        ("secondaryRewardsTier",): 7,
        ("secondaryRewardsTierLabel",): 9,
    },
    "object": {
        ("accountId",): 20,
        ("accountName",): 20,
        ("loyaltyPoints", "label"): 9,
        ("loyaltyPoints", "balance", "string"): 7,
        ("secondaryLoyaltyPoints", "label"): 9,
        ("secondaryLoyaltyPoints", "balance", "string"): 7,
    },
}


def read(state: State, kind: Kind, document: Body) -> Body:
    """The body in Google's spelling, nulls kept; raises Refused (400) where it is not of the schema."""
    lints: list[str] = []
    body = checked(document, SCHEMAS[kind], lints)
    for name in ("id", "classId"):
        if body.get(name) is not None:
            judge_identifier(body[name])
    lints += [f"{name} is set by Google" for name in SET_BY_GOOGLE if name in body]
    state.lints.extend(lints)
    return body


def admit(state: State, kind: Kind, body: Body) -> Body:
    """What would be stored, judged whole and without nulls; raises Refused (400)."""
    whole = merge({}, body)
    judge(whole, SCHEMAS[kind])
    if kind == "object":
        _linked(state.resources, whole)
    for path, most in _SHOWN[kind].items():
        if len(text := _text(whole, path)) > most:
            state.lints.append(f"{'.'.join(path)}: {text!r} is longer than the {most} that are shown")
    return whole


def _linked(resources: Resources, body: Body) -> None:
    """[D] linkedObjectIds: they exist, are of this issuer, and cannot be unlinked."""
    issuer = body["id"].partition(".")[0]
    linked = body.get("linkedObjectIds", [])
    for identifier in linked:
        if identifier == body["id"] or identifier.partition(".")[0] != issuer:
            raise invalid(f"linkedObjectIds: {identifier} cannot be linked.")
        resources.get("object", identifier)
    before = resources.objects.get(body["id"], {}).get("linkedObjectIds", [])
    if not set(before) <= set(linked):
        raise invalid("linkedObjectIds: linked objects cannot be unlinked.")


def _text(body: Body, path: tuple[str, ...]) -> str:
    value: object = body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
