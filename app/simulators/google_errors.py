"""How Google Wallet says no: the two shapes of error bodies that were seen on the wire.

``app``: from the application, with the domain "walletobjects" and without a status word.
``front``: from the JSON front end, with a status word and google.rpc details.
"""

from __future__ import annotations

import json
import random
from typing import Any, Literal

_STATUS_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_placeholders = random.Random()


class Refused(Exception):
    """One refusal: the HTTP status, the words, the machine's reason ("" where nobody has seen Google's)."""

    def __init__(
        self,
        status: int,
        message: str,
        reason: str = "",
        *,
        shape: Literal["app", "front"] = "app",
        domain: str = "walletobjects",
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.shape, self.domain = status, message, shape, domain
        # A reason that nobody has seen is never the same twice, so that no client comes to depend on it.
        self.reason = reason or f"unseen{_placeholders.randrange(10**6):06d}"

    def document(self) -> dict[str, Any]:
        """The body."""
        error: dict[str, Any] = {"message": self.message, "reason": self.reason}
        if self.shape == "app":
            error["domain"] = self.domain
        said: dict[str, Any] = {"code": self.status, "message": self.message, "errors": [error]}
        if self.shape == "front":
            said["status"] = _STATUS_WORDS.get(self.status, "UNKNOWN")
            if self.status == 400:
                said["details"] = [
                    {
                        "@type": "type.googleapis.com/google.rpc.BadRequest",
                        "fieldViolations": [{"description": self.message}],
                    }
                ]
        return {"error": said}

    def body(self) -> bytes:
        """The same as bytes."""
        return json.dumps(self.document(), indent=2).encode()


def invalid(message: str) -> Refused:
    """400 of the application for an argument that breaks a rule in the prose of Google's pages."""
    return Refused(400, f"Request contains an invalid argument. {message}", "invalid")


def malformed(message: str) -> Refused:
    """400 of the front end for a body that is not of the schema."""
    return Refused(400, f"Invalid JSON payload received. {message}", "invalid", shape="front")


def unauthenticated() -> Refused:
    """401: no token, an unknown one, or one that has expired."""
    return Refused(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
        "other valid authentication credential.",
        "authError",
        shape="front",
    )


def too_fast(style: str) -> Refused:
    """Beyond the rate. Which of the two Google answers is told nowhere, so that both must be understood."""
    if style == "403":
        return Refused(403, "Rate Limit Exceeded", "rateLimitExceeded", domain="usageLimits")
    return Refused(429, "Resource has been exhausted (e.g. check quota).", "rateLimitExceeded", shape="front")


def over_quota(issuer: str, target: str) -> Refused:
    """The fourth notification within a day. [F edutap-eu/edutap.wallet_google#3]"""
    return Refused(
        403,
        f"Quota exceeded for issuer {issuer} when adding TEXT_AND_NOTIFY message to {target}.",
        "quotaExceeded",
    )


def denied() -> Refused:
    """403: the service account is no user of this issuer."""
    return Refused(403, "Permission Denied")


def no_such_path(status: int = 404) -> Refused:
    """404 or 405 for a path or verb that Google Wallet does not have."""
    return Refused(status, "Method not found.", "notFound", shape="front")
