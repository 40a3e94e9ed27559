"""Apple's answers as values: their own words, and one verdict each.

Source of the table: Apple, "Handling notification responses from APNs" (table of status codes and reasons).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

MAX_RETRY_AFTER: Final = timedelta(days=1)
_WORDS: Final = re.compile(r"[ -~]{1,100}")
"""What is kept of an answer: a database refuses some other characters, and with them a whole batch."""


class Verdict(StrEnum):
    """What the caller does now."""

    ACCEPTED = "accepted"  # APNs took it; whether the phone heard is unknown
    RETRY = "retry"  # later, and not before ``retry_after``
    GONE = "gone"  # the card left the phone at ``timestamp``
    REFUSED = "refused"  # the same push would be refused again


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of Apple's table."""

    status: int
    reason: str
    verdict: Verdict
    breaker: bool
    """A batch full of these means that our host, certificate or code is wrong: stop, delete nothing."""
    meaning: str


def _refused(status: int, reason: str, meaning: str, *, breaker: bool = True) -> Reason:
    return Reason(status, reason, Verdict.REFUSED, breaker, meaning)


def _retry(status: int, reason: str, meaning: str) -> Reason:
    return Reason(status, reason, Verdict.RETRY, False, meaning)


REASONS: Final = {
    (row.status, row.reason): row
    for row in (
        _refused(400, "BadCollapseId", "apns-collapse-id is too long"),
        _refused(400, "BadDeviceToken", "no push token, or one of the other environment"),
        _refused(400, "BadExpirationDate", "apns-expiration is not a time"),
        _refused(400, "BadMessageId", "apns-id is not a UUID"),
        _refused(400, "BadPriority", "apns-priority is none of 1, 5, 10"),
        _refused(400, "BadTopic", "apns-topic is malformed"),
        _refused(400, "DeviceTokenNotForTopic", "the push token belongs to another pass type identifier"),
        _refused(400, "DuplicateHeaders", "a header was sent twice"),
        _retry(400, "IdleTimeout", "the connection was idle for too long; open another"),
        _refused(400, "InvalidPushType", "apns-push-type is not known"),
        _refused(400, "MissingDeviceToken", "the path has no push token"),
        _refused(400, "MissingTopic", "apns-topic is missing, and the certificate names several"),
        _refused(400, "PayloadEmpty", "the body is empty"),
        _refused(400, "TopicDisallowed", "this topic may not be pushed to"),
        _refused(403, "BadCertificate", "the certificate is invalid"),
        _refused(403, "BadCertificateEnvironment", "the certificate is for the other environment"),
        _refused(403, "BadEnvironmentKeyIdInToken", "the sign-in key is for the other environment"),
        _refused(403, "ExpiredProviderToken", "the sign-in token is too old; a new one was refused as well"),
        _refused(403, "Forbidden", "the action is not allowed"),
        _refused(403, "InvalidProviderToken", "the sign-in token or its signature is wrong"),
        _refused(403, "MissingProviderToken", "neither a certificate nor a sign-in token came"),
        _refused(403, "UnrelatedKeyIdInToken", "the sign-in key differs from the connection's first"),
        _refused(404, "BadPath", "the path is wrong"),
        _refused(405, "MethodNotAllowed", "the method is not POST"),
        Reason(410, "ExpiredToken", Verdict.GONE, False, "the push token has expired"),
        Reason(410, "Unregistered", Verdict.GONE, False, "the push token no longer belongs to the topic"),
        _refused(413, "PayloadTooLarge", "the body is too large"),
        _retry(
            429, "TooManyProviderTokenUpdates", "sign-in tokens were renewed more often than every 20 minutes"
        ),
        _retry(429, "TooManyRequests", "too many pushes to the same push token"),
        _retry(500, "InternalServerError", "an error inside APNs"),
        _retry(503, "ServiceUnavailable", "APNs is not available"),
        _retry(503, "Shutdown", "this APNs server is shutting down; open another connection"),
    )
}
"""(status, reason) → row. An answer that is not here is judged by its status (:func:`judge`)."""

REOPEN: Final = frozenset({"IdleTimeout", "Shutdown"})
"""Reasons after which the connection takes no further push."""


@dataclass(frozen=True, slots=True)
class PushResponse:
    """What APNs answered to one push. A broken wire is no answer: :class:`app.apns.faults.WireBroken`."""

    status: int
    """HTTP status; 0 where the push was refused by us and never sent."""
    reason: str
    """Apple's word, e.g. ``Unregistered``; empty for 200 and where the body had none that can be kept."""
    apns_id: str | None
    timestamp: datetime | None
    """410 only: when APNs learned that the card was gone. Aware, UTC."""
    retry_after: timedelta | None
    verdict: Verdict
    breaker: bool


def unusable_token(apns_id: str | None) -> PushResponse:
    """The answer to a push token that cannot be put into a path: empty, dots alone, or beyond any sense."""
    return PushResponse(0, "UnusablePushToken", apns_id, None, None, Verdict.REFUSED, breaker=False)


def judge(status: int, reason: str) -> tuple[Verdict, bool]:
    """Verdict and breaker flag; for a reason that Apple added since, by the status alone."""
    row = REASONS.get((status, reason))
    if row is not None:
        return row.verdict, row.breaker
    if status == 200:
        return Verdict.ACCEPTED, False
    if status == 410:
        return Verdict.GONE, False
    if status == 429 or status >= 500:
        return Verdict.RETRY, False
    return Verdict.REFUSED, status == 403


def read_response(
    status: int, apns_id: str | None, retry_after: str | None, body: bytes, *, received_at: datetime
) -> PushResponse:
    """An answer from its parts. ``body`` may be empty, cut or no JSON: then the status alone counts."""
    reason, timestamp = ("", None) if status == 200 else _read_body(body)
    verdict, breaker = judge(status, reason)
    return PushResponse(
        status=status,
        reason=reason,
        apns_id=_printable(apns_id),
        timestamp=timestamp if status == 410 else None,
        retry_after=_read_retry_after(retry_after, received_at),
        verdict=verdict,
        breaker=breaker,
    )


def accepted(apns_id: str | None) -> PushResponse:
    """The answer to nearly every push."""
    return PushResponse(200, "", _printable(apns_id), None, None, Verdict.ACCEPTED, breaker=False)


def _printable(apns_id: str | None) -> str | None:
    return apns_id if apns_id is not None and _WORDS.fullmatch(apns_id) else None


def reason_of(body: bytes) -> str:
    """The ``reason`` of a JSON body, also of GOAWAY's debug data; empty where there is none."""
    return _read_body(body)[0]


def _read_body(body: bytes) -> tuple[str, datetime | None]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return "", None
    if not isinstance(content, dict):
        return "", None
    reason = content.get("reason")
    milliseconds = content.get("timestamp")
    timestamp = None
    if isinstance(milliseconds, int) and not isinstance(milliseconds, bool):
        try:
            timestamp = datetime.fromtimestamp(milliseconds / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            timestamp = None
    return reason if isinstance(reason, str) and _WORDS.fullmatch(reason) else "", timestamp


def _read_retry_after(value: str | None, received_at: datetime) -> timedelta | None:
    """Seconds or an HTTP date (RFC 9110, 10.2.3), between nothing and a day."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=min(int(value[:9]), 86_400)), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(timedelta(0), min(moment - received_at, MAX_RETRY_AFTER))
