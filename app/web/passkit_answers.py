"""Requests and answers of the PassKit web service, as bare WSGI."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from app.passes.registrations import PushService
from app.web.body_limits import MOST_BODY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

# Android pass apps speak Apple's protocol under schemes of their own: WalletPasses AndroidPass
# (walletpasses.io/developer), WalletUnion WalletUnionPass, and WalletUnionHMSPass on Huawei's phones
# (walletunion.com/developer), PassWallet AttidoPass (github.com/Kwiket/passwallet).
_APPLES = "applepass"
_SCHEMES = frozenset({_APPLES, "androidpass", "walletunionpass", "walletunionhmspass", "attidopass"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the phone."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def send(self, start_response: StartResponse, *, head: bool) -> Iterable[bytes]:
        """Start the response; nothing of this service may be kept by a cache on the way."""
        headers = [*self.headers, ("Cache-Control", "no-store")]
        if self.status not in (204, 304) and not (head and not self.body):
            headers.append(("Content-Length", str(len(self.body))))
        start_response(_LINES[self.status], headers)
        return () if head or not self.body else (self.body,)


def refusal(status: int, code: str, detail: str, *headers: tuple[str, str]) -> Answer:
    """``application/problem+json`` (RFC 9457) with a sentence that can be acted on."""
    problem = {
        "type": f"urn:perkpass:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    body = json.dumps(problem).encode()
    return Answer(status, body, (("Content-Type", "application/problem+json"), *headers))


def path_of(environ: WSGIEnvironment) -> list[str]:
    """The path's parts, decoded. iOS builds ``//v1`` where webServiceURL ends in a slash."""
    path: str = environ["PATH_INFO"].encode("latin-1", "replace").decode("utf-8", "replace").strip("/")
    if "%" in path:  # some phones escape twice
        return [unquote(part) for part in path.split("/")]
    return path.split("/")


def tag_of(environ: WSGIEnvironment) -> str | None:
    """The ``passesUpdatedSince`` of the query string, or None."""
    for part in environ.get("QUERY_STRING", "").split("&"):
        if part.startswith("passesUpdatedSince="):
            return unquote(part[19:])
    return None


def token_of(environ: WSGIEnvironment) -> str:
    """The token of ``Authorization: ApplePass …`` (or a pass app's scheme); empty where there is none."""
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() in _SCHEMES else ""


def push_service_of(environ: WSGIEnvironment) -> PushService:
    """Whose push token the one who registers has.

    A pass app tells itself by its scheme; Pass2U (www.pass2u.net/apiPushNotification) and Passworks keep
    Apple's and send ``X-Pass-Client`` instead; and none of them but names Android as its User-Agent.
    PassWallet registers at ``registrations_attido`` and says there whom to ask for a push: we ask no
    stranger's server.
    """
    scheme, _, _ = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    apples = (
        scheme.lower() == _APPLES
        and "HTTP_X_PASS_CLIENT" not in environ
        and "Android" not in environ.get("HTTP_USER_AGENT", "")
    )
    return "apple" if apples else "other"


def json_of(environ: WSGIEnvironment) -> Any | Answer:
    """The request's JSON, or the refusal to answer with."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return refusal(400, "bad-length", "Content-Length is not a number.")
    if length > MOST_BODY:
        return refusal(413, "body-too-large", f"Send at most {MOST_BODY} bytes.")
    if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
        body = environ["wsgi.input"].read(MOST_BODY + 1)
        if len(body) > MOST_BODY:
            return refusal(413, "body-too-large", f"Send at most {MOST_BODY} bytes.")
    else:
        body = environ["wsgi.input"].read(length) if length > 0 else b""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return refusal(400, "bad-json", "The body is not JSON.")


@lru_cache(4096)
def http_date(moment: datetime) -> str:
    """``Last-Modified`` for ``moment`` (UTC, whole seconds)."""
    return format_datetime(moment, usegmt=True)


def moment_of(date: str) -> datetime | None:
    """An HTTP date as an aware datetime; None where it is none."""
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
