"""What Google's answers mean: one verdict for each.

Sources: ``developers.google.com/wallet/…/resources/error-codes`` (400, 403, 404, 409 and their exceptions),
the discovery document, and answers that users of the service published: the quota of notifications (403
``quotaExceeded``, edutap-eu/edutap.wallet_google#3), a wrong identifier (400 ``invalidResource``,
google-wallet/rest-samples#60), what is no JSON (400 ``invalid``, rest-samples#22). Reasons of 404, 409 and a
missing permission are published nowhere, so that the status decides, and only in a 403 and a 429 the words:
two kinds of quota must be told from a permission. ``google.rpc.ErrorInfo`` and the reasons of rates are those
of all of Google's services (``cloud.google.com/apis/design/errors``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from app import outward
from app.google import casing
from app.google.answers import Answer, Verdict

_WORDS: Final = 500
_LONGEST_WAIT: Final = timedelta(hours=1)
_RATE: Final = re.compile(
    r"limit.?exceeded|rate.?limit|per (second|minute|day)|quota metric|too many requests|exhausted",
    re.IGNORECASE,
)
_QUOTA: Final = re.compile(r"quota", re.IGNORECASE)
_PERMISSION: Final = frozenset(
    {
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "CONSUMER_INVALID",
        "SERVICE_DISABLED",
        "USER_PROJECT_DENIED",
        "accessNotConfigured",
        "insufficientPermissions",
    }
)
"""Reasons of a 403 that time does not heal, though their sentences may speak of a quota project."""


def judge(
    status: int, headers: Mapping[str, str], content: bytes, *, now: datetime, once: bool = False
) -> Answer:
    """The answer with this status, headers (names in any case) and body; raises nothing, whatever it is.

    ``once``: that the call was done although Google answers 5xx would be seen, if it were done again.
    """
    body = _object(content)
    reason, words = _error(body)
    after = _retry_after(headers.get("retry-after"), now)
    if 200 <= status < 300:
        if body is None and content.strip():
            return Answer(verdict=Verdict.LOST, status=status, reason="not-json", words=plain(content))
        return Answer(verdict=Verdict.ACCEPTED, status=status, body=casing.told(body or {}))
    verdict = _verdict(status, reason, words, told=body is not None and "error" in body, once=once)
    return Answer(
        verdict=verdict,
        status=status,
        reason=reason or str(status),
        words=words or plain(content),
        body=body,
        retry_after=after,
    )


def _verdict(status: int, reason: str, words: str, *, told: bool, once: bool) -> Verdict:
    """``told``: the body is an error of Google's API, and not a page of something between us and it."""
    match status:
        case 401:
            return Verdict.DENIED
        case 403 | 429:
            return _limited(status, reason, words)
        case 404:  # a page says that the address is wrong, and nothing of the object
            return Verdict.MISSING if told else Verdict.RETRY
        case 409:
            return Verdict.EXISTS if told else Verdict.RETRY
        case _ if status == 408 or status >= 500:
            return Verdict.LOST if once else Verdict.RETRY
        case _ if status < 400:  # a redirect: nobody who answers so is Google's API
            return Verdict.RETRY
        case _:
            return Verdict.REFUSED


def _limited(status: int, reason: str, words: str) -> Verdict:
    said = f"{reason} {words}"
    if reason in _PERMISSION:
        return Verdict.DENIED
    if _RATE.search(said):
        return Verdict.RETRY
    if _QUOTA.search(said):
        return Verdict.QUOTA
    return Verdict.RETRY if status == 429 else Verdict.DENIED


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _error(body: Mapping[str, Any] | None) -> tuple[str, str]:
    """Reason and sentence of an error, in either of the two shapes that Google has."""
    error = (body or {}).get("error")
    if not isinstance(error, dict):
        return "", ""
    parts = [part for name in ("errors", "details") if isinstance(part := error.get(name), list)]
    reasons = [
        one["reason"]
        for part in parts
        for one in part
        if isinstance(one, dict) and isinstance(one.get("reason"), str)
    ]
    # Where "errors" and "details" each have one, the one that tells a limit from a permission counts.
    exact = [one for one in reasons if one in _PERMISSION or _RATE.search(one) or _QUOTA.search(one)]
    reason = (exact or reasons or [error.get("status")])[0]
    message = error.get("message")
    return _clean(reason if isinstance(reason, str) else "", 100), _clean(
        message if isinstance(message, str) else "", _WORDS
    )


def plain(content: bytes) -> str:
    """The text of a page, as far as it fits."""
    text = content[: 8 * _WORDS].decode("utf-8", "replace")
    text = re.sub(r"<(style|script)\b.*?(</\1>|$)|<[^>]*>", " ", text, flags=re.IGNORECASE | re.DOTALL)
    return _clean(" ".join(text.split()), _WORDS)


def _clean(text: str, most: int) -> str:
    """What every database takes: without NUL, and without halves of surrogate pairs."""
    return text[:most].replace("\0", "").encode("utf-8", "replace").decode()


def _retry_after(header: str | None, now: datetime) -> timedelta | None:
    """Both forms of RFC 9110 10.2.3, at most an hour: what waits is looked at again."""
    wait = outward.seconds(header)
    if header and wait is None:
        try:
            wait = parsedate_to_datetime(header) - now
        except (ValueError, TypeError, OverflowError):  # TypeError: a date without its zone
            return None
    return None if wait is None else min(max(wait, timedelta()), _LONGEST_WAIT)
