"""Google Wallet's routes and schemas, out of its own discovery document.

``google_discovery.json`` beside is a cut of the document in the package google-api-python-client
(Apache-2.0); a test compares it with the package's.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from app.simulators.google_errors import no_such_path

# What every method takes beside its own, see "parameters" of the whole document.
_EVERYWHERE = {"alt", "fields", "key", "prettyPrint", "quotaUser", "uploadType", "upload_protocol", "$.xgafv"}


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the document."""

    resource: str  # "loyaltyobject"
    name: str  # "patch"
    verb: str
    pattern: re.Pattern[str]
    parameters: dict[str, Any]
    request: str | None  # the schema's name
    response: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """The document, ready for use."""

    revision: str
    methods: tuple[Method, ...]
    schemas: dict[str, dict[str, Any]]

    def route(self, verb: str, path: str) -> tuple[Method, str]:
        """The method and the resource's id in the path; raises Refused (404, or 405 for a verb)."""
        status: Literal[404, 405] = 404
        for method in self.methods:
            if found := method.pattern.fullmatch(path):
                if method.verb == verb:
                    return method, found.groupdict().get("resourceId", "")
                status = 405
        raise no_such_path(status)

    def knows_query(self, method: Method, name: str) -> bool:
        """Whether the method takes a query parameter of this name."""
        own = method.parameters.get(name)
        return name in _EVERYWHERE or (own is not None and own["location"] == "query")


@cache
def discovery() -> Discovery:
    """The cut beside this module."""
    place = files("app.simulators") / "google_discovery.json"
    document = json.loads(place.read_text(encoding="utf-8"))
    methods = tuple(
        Method(
            resource,
            name,
            about["httpMethod"],
            re.compile("/" + re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(about["path"]))),
            about.get("parameters", {}),
            about.get("request", {}).get("$ref"),
            about["response"]["$ref"],
        )
        for resource, group in document["resources"].items()
        for name, about in group["methods"].items()
    )
    return Discovery(document["revision"], methods, document["schemas"])
