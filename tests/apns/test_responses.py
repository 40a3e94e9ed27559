from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.apns.responses import REASONS, PushResponse, Verdict, accepted, judge, read_response

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

APPLES_TABLE = {
    400: "BadCollapseId BadDeviceToken BadExpirationDate BadMessageId BadPriority BadTopic "
    "DeviceTokenNotForTopic DuplicateHeaders IdleTimeout InvalidPushType MissingDeviceToken MissingTopic "
    "PayloadEmpty TopicDisallowed",
    403: "BadCertificate BadCertificateEnvironment BadEnvironmentKeyIdInToken ExpiredProviderToken Forbidden "
    "InvalidProviderToken MissingProviderToken UnrelatedKeyIdInToken",
    404: "BadPath", 405: "MethodNotAllowed", 410: "ExpiredToken Unregistered", 413: "PayloadTooLarge",
    429: "TooManyProviderTokenUpdates TooManyRequests", 500: "InternalServerError",
    503: "ServiceUnavailable Shutdown",
}  # fmt: skip


def read(status: int, body: bytes = b"", retry_after: str | None = None) -> PushResponse:
    return read_response(status, "id", retry_after, body, received_at=NOW)


def test_the_table_holds_every_reason_of_apple_and_no_other() -> None:
    assert set(REASONS) == {
        (status, word) for status, words in APPLES_TABLE.items() for word in words.split()
    }
    assert all(row.meaning for row in REASONS.values())


@pytest.mark.parametrize(
    ("status", "reason", "verdict", "breaker"),
    [
        (200, "", Verdict.ACCEPTED, False),
        (400, "BadDeviceToken", Verdict.REFUSED, True),
        (400, "DeviceTokenNotForTopic", Verdict.REFUSED, True),
        (400, "IdleTimeout", Verdict.RETRY, False),
        (403, "BadCertificate", Verdict.REFUSED, True),
        (403, "ExpiredProviderToken", Verdict.REFUSED, True),
        (410, "Unregistered", Verdict.GONE, False),
        (410, "ExpiredToken", Verdict.GONE, False),
        (429, "TooManyRequests", Verdict.RETRY, False),
        (500, "InternalServerError", Verdict.RETRY, False),
        (503, "Shutdown", Verdict.RETRY, False),
        # reasons that Apple has not invented yet, and none at all
        (400, "Novelty", Verdict.REFUSED, False),
        (403, "", Verdict.REFUSED, True),
        (410, "", Verdict.GONE, False),
        (429, "", Verdict.RETRY, False),
        (502, "", Verdict.RETRY, False),
        (302, "", Verdict.REFUSED, False),
    ],
)
def test_every_answer_has_one_verdict(status: int, reason: str, verdict: Verdict, breaker: bool) -> None:
    assert judge(status, reason) == (verdict, breaker)


def test_every_403_and_every_bad_token_trips_the_breaker() -> None:
    assert all(row.breaker for row in REASONS.values() if row.status == 403)
    assert not any(row.breaker for row in REASONS.values() if row.verdict is not Verdict.REFUSED)


def test_410_says_since_when_the_card_is_gone() -> None:
    answer = read(410, b'{"reason":"Unregistered","timestamp":1700000000123}')
    assert answer.timestamp == datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)
    assert answer.reason == "Unregistered"
    assert read(400, b'{"reason":"BadTopic","timestamp":1700000000123}').timestamp is None


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[1]", b"null", b'{"reason":5}', b"\xff\xfe", b'{"timestamp":true}', b"[" * 4000,
     b'{"timestamp":1e400}', b'{"timestamp":99999999999999999999999}', b'{"timestamp":"1700000000123"}'],
)  # fmt: skip
def test_a_body_that_is_no_answer_leaves_the_status_to_speak(body: bytes) -> None:
    answer = read(410, body)
    assert (answer.verdict, answer.reason, answer.timestamp) == (Verdict.GONE, "", None)


@settings(deadline=None)
@given(st.integers(200, 999), st.binary(max_size=60), st.text(max_size=40))
def test_any_answer_is_read(status: int, body: bytes, retry_after: str) -> None:
    answer = read(status, body, retry_after)
    assert answer.retry_after is None or timedelta(0) <= answer.retry_after <= timedelta(days=1)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(seconds=120)),
        (" 7 ", timedelta(seconds=7)),
        ("999999999999", timedelta(days=1)),
        ("Sat, 21 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Sat, 21 Nov 2026 11:05:00 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(header: str, wait: timedelta | None) -> None:
    assert read(503, b"", header).retry_after == wait


@pytest.mark.parametrize("reason", ["\x00", "\ud800", "Bad\nReason", "Причина", "a" * 101])
def test_a_reason_that_no_database_need_keep_is_none(reason: str) -> None:
    answer = read(400, json.dumps({"reason": reason}).encode())
    assert (answer.reason, answer.verdict) == ("", Verdict.REFUSED)


def test_an_id_that_no_database_need_keep_is_none() -> None:
    for status in (200, 400):
        assert read_response(status, "\x00", None, b"", received_at=NOW).apns_id is None
    assert accepted("\x00").apns_id is None
    assert accepted("1F0E").apns_id == "1F0E"
