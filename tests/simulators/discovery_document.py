"""Cuts the part that the Google simulator needs out of the discovery document in google-api-python-client.

``python -m tests.simulators.discovery_document`` writes the cut anew, where a newer package brings a newer
revision; the test beside compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

CUT = Path(__file__).parents[2] / "app" / "simulators" / "google_discovery.json"
_RESOURCES = {
    "issuer": {"get", "insert", "list", "patch", "update"},
    "jwt": {"insert", "validate"},
    "loyaltyclass": {"addmessage", "get", "insert", "list", "patch", "update"},
    "loyaltyobject": {"addmessage", "get", "insert", "list", "patch", "update"},
    "permissions": {"get", "update"},
}
_RESULTS = {"loyaltyClasses", "loyaltyObjects"}  # of jwt.insert; the others lead to every kind of pass
_METHOD = ("id", "httpMethod", "path", "parameters", "request", "response", "scopes")
_PROSE = {"description", "enumDescriptions"}


def installed() -> dict[str, Any]:
    """The whole document as the package has it."""
    place = files("googleapiclient") / "discovery_cache" / "documents" / "walletobjects.v1.json"
    document: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return document


def cut(document: dict[str, Any]) -> dict[str, Any]:
    """Methods and schemas of loyalty passes, without their prose."""
    resources = {
        name: {
            "methods": {
                method: {key: _bare(about[key]) for key in _METHOD if key in about}
                for method, about in sorted(document["resources"][name]["methods"].items())
                if method in wanted
            }
        }
        for name, wanted in _RESOURCES.items()
    }
    known = dict(document["schemas"])
    shown = known["Resources"]["properties"]
    known["Resources"] = known["Resources"] | {"properties": {name: shown[name] for name in _RESULTS}}
    names: set[str] = set()
    waiting = set(_references(resources))
    while waiting:
        names |= waiting
        waiting = {reference for name in waiting for reference in _references(known[name])} - names
    return {
        "about": {
            "source": f"google-api-python-client {version('google-api-python-client')}, "
            "discovery_cache/documents/walletobjects.v1.json",
            "licence": "Apache-2.0",
            "changes": "Cut down to the methods and schemas of loyalty passes; prose left out.",
        },
        "revision": document["revision"],
        "batchPath": document["batchPath"],
        "resources": resources,
        "schemas": {name: _bare(known[name]) for name in sorted(names)},
    }


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)


def _bare(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    return {
        key: _bare(value)
        for key, value in part.items()
        if key not in _PROSE or not isinstance(value, (str, list))
    }


if __name__ == "__main__":
    CUT.write_text(json.dumps(cut(installed()), indent=1, sort_keys=True) + "\n", encoding="utf-8")
