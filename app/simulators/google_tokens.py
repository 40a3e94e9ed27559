"""Google's OAuth token endpoint for service accounts: an RS256 assertion in, a bearer token out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from app.simulators.google_accounts import Accounts, ServiceAccount
from app.simulators.google_errors import unauthenticated
from app.simulators.http_server import Request, Response, json_response

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"  # whatever address the request went to
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
_LIFE = 3600
_SKEW = 300  # seconds that clocks may differ


@dataclass(slots=True)
class Tokens:
    """Tokens that were handed out, each with the robot and the UNIX second it expires."""

    accounts: Accounts
    handed_out: int = 0
    _valid: dict[str, tuple[ServiceAccount, float]] = field(default_factory=dict)

    def answer(self, request: Request, now: float) -> Response:
        """``POST /token``."""
        if request.method != "POST":
            return json_response({"error": "invalid_request"}, 405)
        if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            return _no("invalid_request", "expected a form")
        form = request.form()
        if form.get("grant_type") != GRANT:
            return _no("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
        try:
            robot, claims = self.accounts.read_signed(form.get("assertion", ""))
            _judge(claims, now)
        except ValueError as fault:
            return _no("invalid_grant", str(fault))
        if SCOPE not in str(claims.get("scope", "")).split():
            return _no("invalid_scope", "Empty or missing scope not allowed.")
        token = f"ya29.{secrets.token_urlsafe(32)}"
        self._valid[token] = (robot, now + _LIFE)
        self.handed_out += 1
        return json_response({"access_token": token, "expires_in": _LIFE - 1, "token_type": "Bearer"})

    def robot(self, request: Request, now: float) -> ServiceAccount:
        """Who asks; raises Refused (401). A token in the address is refused (stricter than Google)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        robot, expires = self._valid.get(token, (None, 0.0))
        if scheme.lower() != "bearer" or robot is None or expires <= now or "access_token" in request.query:
            raise unauthenticated()
        return robot

    def revoke(self) -> None:
        """Forget every token, as if all had expired."""
        self._valid.clear()


def _judge(claims: dict[str, Any], now: float) -> None:
    if claims.get("aud") != AUDIENCE:
        raise ValueError(f"Invalid JWT: aud must be {AUDIENCE}")
    issued, expires = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(expires) is not int:
        raise ValueError("Invalid JWT: iat and exp must be whole seconds")
    if not issued - _SKEW <= now < expires + _SKEW or not 0 < expires - issued <= _LIFE:
        raise ValueError(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
        )


def _no(error: str, words: str) -> Response:
    return json_response({"error": error, "error_description": words}, 400)
