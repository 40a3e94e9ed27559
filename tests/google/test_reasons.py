"""What Google's answers mean: the samples that were seen on the wire, and everything around them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.google.answers import Answer, Verdict
from app.google.reasons import judge

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def error(code: int, message: str, *, reason: str | None = None, **more: Any) -> bytes:
    first: dict[str, Any] = {"message": message, "domain": "walletobjects"} | (
        {"reason": reason} if reason else {}
    )
    return json.dumps({"error": {"code": code, "message": message, "errors": [first]} | more}).encode()


def of(status: int, content: bytes, *, once: bool = False, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge(status, named, content, now=NOW, once=once)


QUOTA_OF_NOTIFICATIONS = (
    "Quota exceeded for issuer (redacted) when adding TEXT_AND_NOTIFY message to class pass.event.example."
)
NO_JSON = 'Invalid JSON payload received. Unknown name "": Root element must be a message.'


@pytest.mark.parametrize(
    ("status", "content", "verdict", "reason"),
    [
        # seen on the wire, word for word
        (
            403,
            error(403, QUOTA_OF_NOTIFICATIONS, reason="quotaExceeded"),
            Verdict.QUOTA,
            "quotaExceeded",
        ),
        (
            400,
            error(400, "Invalid resource ID: invitio.invitioticket", reason="invalidResource"),
            Verdict.REFUSED,
            "invalidResource",
        ),
        (
            400,
            json.dumps(
                {
                    "error": {
                        "code": 400,
                        "message": NO_JSON,
                        "errors": [{"message": NO_JSON, "reason": "invalid"}],
                        "status": "INVALID_ARGUMENT",
                        "details": [
                            {
                                "@type": "type.googleapis.com/google.rpc.BadRequest",
                                "fieldViolations": [{"description": NO_JSON}],
                            }
                        ],
                    }
                }
            ).encode(),
            Verdict.REFUSED,
            "invalid",
        ),
        (
            400,
            error(400, "Invalid review status 'APPROVED'. Use 'UNDER_REVIEW' instead."),
            Verdict.REFUSED,
            "400",
        ),
        # documented sentences, whose reasons are published nowhere
        (403, error(403, "Permission Denied", reason="r7Gk"), Verdict.DENIED, "r7Gk"),
        (404, error(404, "Wallet Object 3388.a not found.", reason="x1"), Verdict.MISSING, "x1"),
        (404, error(404, "Wallet Object Class 3388.a not found."), Verdict.MISSING, "404"),
        (409, error(409, "Wallet Object Class 3388.a already exists.", reason="dup"), Verdict.EXISTS, "dup"),
        (401, error(401, "Invalid Credentials", status="UNAUTHENTICATED"), Verdict.DENIED, "UNAUTHENTICATED"),
        # rates, in every wording of Google's services
        (429, error(429, "Too fast", reason="rateLimitExceeded"), Verdict.RETRY, "rateLimitExceeded"),
        (403, error(403, "Too fast", reason="rateLimitExceeded"), Verdict.RETRY, "rateLimitExceeded"),
        (403, error(403, "Too fast", reason="userRateLimitExceeded"), Verdict.RETRY, "userRateLimitExceeded"),
        (
            403,
            error(403, "Daily Limit Exceeded", reason="dailyLimitExceeded"),
            Verdict.RETRY,
            "dailyLimitExceeded",
        ),
        (
            429,
            error(429, "Resource has been exhausted", status="RESOURCE_EXHAUSTED"),
            Verdict.RETRY,
            "RESOURCE_EXHAUSTED",
        ),
        (429, b"", Verdict.RETRY, "429"),
        (
            429,
            error(
                429,
                "Quota exceeded for quota metric 'Requests' and limit 'Requests per second' of service"
                " 'walletobjects.googleapis.com'",
                details=[{"reason": "RATE_LIMIT_EXCEEDED"}],
            ),
            Verdict.RETRY,
            "RATE_LIMIT_EXCEEDED",
        ),
        (429, error(429, QUOTA_OF_NOTIFICATIONS, reason="quotaExceeded"), Verdict.QUOTA, "quotaExceeded"),
        # permissions that speak of quota
        (
            403,
            error(
                403,
                "Caller does not have required permission to use project kofe as its quota project.",
                reason="forbidden",
                details=[{"reason": "USER_PROJECT_DENIED"}],
            ),
            Verdict.DENIED,
            "USER_PROJECT_DENIED",
        ),
        (
            403,
            error(403, "Google Wallet API has not been used in project 1", reason="accessNotConfigured"),
            Verdict.DENIED,
            "accessNotConfigured",
        ),
        (403, error(403, "generated rates of operating"), Verdict.DENIED, "403"),
        # not the API
        (403, b"<html><title>403 Forbidden</title></html>", Verdict.DENIED, "403"),
        (404, b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", Verdict.RETRY, "404"),
        (404, b"{}", Verdict.RETRY, "404"),
        (409, b"<html>", Verdict.RETRY, "409"),
        (302, b"", Verdict.RETRY, "302"),
        (400, b"<html>Bad Request", Verdict.REFUSED, "400"),
        (405, b"", Verdict.REFUSED, "405"),
        (500, b"<html>oops</html>", Verdict.RETRY, "500"),
        (502, b"", Verdict.RETRY, "502"),
        (
            503,
            error(503, "The service is currently unavailable.", status="UNAVAILABLE"),
            Verdict.RETRY,
            "UNAVAILABLE",
        ),
        (408, b"", Verdict.RETRY, "408"),
    ],
)
def test_every_answer_has_one_verdict(status: int, content: bytes, verdict: Verdict, reason: str) -> None:
    answer = of(status, content)
    assert (answer.verdict, answer.reason, answer.status) == (verdict, reason, status)


def test_google_s_words_are_kept_and_a_page_s_words_are_readable() -> None:
    assert of(403, error(403, QUOTA_OF_NOTIFICATIONS, reason="quotaExceeded")).words == QUOTA_OF_NOTIFICATIONS
    page = b"<html><head><style>p {color: red}</style></head>\n<p>Service <b>away</b></p><script>x()</script>"
    assert of(502, page).words == "Service away"
    assert len(of(400, error(400, "w" * 9000)).words) == 500
    assert of(400, error(400, "a\0b\ud800c")).words == "ab?c"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_message_may_have_been_added_though_google_failed(status: int) -> None:
    assert of(status, b"", once=True).verdict == Verdict.LOST
    assert of(status, b"", once=False).verdict == Verdict.RETRY


def test_what_was_not_done_is_not_in_doubt_even_for_a_message() -> None:
    for status, verdict in ((429, Verdict.RETRY), (401, Verdict.DENIED), (404, Verdict.RETRY)):
        assert of(status, b"", once=True).verdict == verdict


def test_success_carries_the_resource_in_one_casing() -> None:
    answer = of(200, b'{"state": "active", "hasUsers": true, "id": "1.a"}')
    assert (answer.verdict, answer.has_users) == (Verdict.ACCEPTED, True)
    assert answer.body == {"state": "ACTIVE", "hasUsers": True, "id": "1.a"}
    wrapped = of(200, b'{"resource": {"hasUsers": false, "messages": [{"id": "m1"}]}}')
    assert wrapped.resource == {"hasUsers": False, "messages": [{"id": "m1"}]}
    assert wrapped.has_users is False
    assert of(200, b"{}").has_users is None
    assert of(204, b"").verdict == Verdict.ACCEPTED
    assert of(200, b'{"hasUsers": "yes"}').has_users is None


@pytest.mark.parametrize(
    "content", [b"<html>Sign in to this Wi-Fi</html>", b"[]", b"7", b"\xff", b'{"a":' * 50_000]
)
def test_a_success_that_is_not_the_api_s_proves_nothing(content: bytes) -> None:
    assert (of(200, content).verdict, of(200, content).reason) == (Verdict.LOST, "not-json")


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", timedelta(seconds=7)),
        ("0", timedelta()),
        ("86400", timedelta(hours=1)),
        ("Sun, 22 Nov 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Sun, 22 Nov 2026 11:00:00 GMT", timedelta()),
        ("Sun, 22 Nov 2026 12:00:30", None),
        ("soon", None),
        ("-1", None),
        ("9" * 30, None),
        ("", None),
    ],
)
def test_google_may_say_how_long_to_wait(header: str, wait: timedelta | None) -> None:
    assert of(503, b"", retry_after=header).retry_after == wait


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "errors", "details", "reason", "message", "status", "resource"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(status=st.integers(100, 999), body=_JSON, once=st.booleans(), after=st.text(max_size=30))
def test_nothing_that_is_answered_crashes(status: int, body: Any, once: bool, after: str) -> None:
    answer = judge(status, {"retry-after": after}, json.dumps(body).encode(), now=NOW, once=once)
    assert answer.words.encode() is not None
    assert "\0" not in answer.reason + answer.words
    assert answer.retry_after is None or timedelta() <= answer.retry_after <= timedelta(hours=1)
    assert answer.has_users in (True, False, None)
