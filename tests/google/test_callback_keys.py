"""The cache of Google's root keys, over real HTTP."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from app.google.callback_keys import CallbackKeys
from app.google.callbacks import CallbackRefused, Event, Fault, verify
from tests.google.serving import serving
from tests.google.signer import ISSUER, NOW, Google
from tests.servers import free_port

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("headers", "lasts"),
    [
        ({}, 10 * MINUTE),
        ({"cache-control": "no-store"}, 10 * MINUTE),
        ({"cache-control": "public, max-age=0"}, 10 * MINUTE),
        ({"cache-control": "public, max-age=7200, no-transform"}, 2 * HOUR),
        ({"cache-control": "max-age=7200", "age": "3600"}, HOUR),
        ({"cache-control": "max-age=7200", "age": "rubbish"}, 2 * HOUR),
        ({"cache-control": "max-age=999999999"}, 24 * HOUR),
        ({"cache-control": "max-age=99999999999999999999"}, 24 * HOUR),
        ({"cache-control": "s-maxage=9000"}, 10 * MINUTE),
    ],
)
def test_keys_live_as_long_as_google_says_within_bounds(headers: dict[str, str], lasts: timedelta) -> None:
    with serving(Google().document()) as source:
        source.headers = headers
        keys = CallbackKeys(url=source.url)
        assert len(keys.roots(NOW)) == 1
        assert len(keys.roots(NOW + lasts - timedelta(seconds=1))) == 1
        assert source.asked == 1
        keys.roots(NOW + lasts)
        assert source.asked == 2


def test_the_successor_of_a_key_that_ends_is_looked_for_in_time() -> None:
    google = Google()
    with serving(google.document(google.keys(expires=NOW + HOUR))) as source:
        source.headers = {"cache-control": "max-age=86400"}
        keys = CallbackKeys(url=source.url)
        keys.roots(NOW)
        keys.roots(NOW + HOUR - MINUTE)
        assert source.asked == 1
        keys.roots(NOW + HOUR)
        assert source.asked == 2


def test_keys_are_kept_while_google_is_away_and_it_is_asked_once_a_minute() -> None:
    told: list[str] = []
    with serving(Google().document()) as source:
        keys = CallbackKeys(url=source.url, tell=told.append)
        first = keys.roots(NOW)
        source.status = 503
        for second in range(0, 120, 5):
            assert keys.roots(NOW + HOUR + timedelta(seconds=second)) == first
        assert source.asked == 3
        for document in (b"", b"<html>", b'{"keys": []}', b"\xff"):
            source.status, source.body = 200, document
            assert keys.roots(NOW + HOUR * (2 + source.asked)) == first
        assert keys.at_hand.fetched_at == NOW
    later = NOW + 100 * HOUR
    assert keys.roots(later) == first  # nobody listens there any more
    assert keys.at_hand.fault
    assert len(told) == 7
    assert "Connect" in told[-1]


def test_forged_callbacks_make_nobody_ask_google() -> None:
    google = Google()
    with serving(google.document()) as source:
        keys = CallbackKeys(url=source.url)
        forged = Google().callback()
        for _ in range(20):
            with pytest.raises(CallbackRefused) as raised:
                verify(forged, roots=keys.roots(NOW), issuers={ISSUER}, now=NOW)
            assert raised.value.fault == Fault.INTERMEDIATE
        assert source.asked == 1
        genuine = verify(google.callback(), roots=keys.roots(NOW), issuers={ISSUER}, now=NOW)
        assert genuine.event == Event.SAVE


def test_where_there_never_were_keys_there_are_none_and_google_is_not_stormed() -> None:
    keys = CallbackKeys(url=f"http://127.0.0.1:{free_port()}/keys")
    assert keys.roots(NOW) == ()
    assert keys.at_hand.fault
    with serving(Google().document()) as source:
        keys = CallbackKeys(url=source.url)
        source.status = 500
        for _ in range(5):
            assert keys.roots(NOW) == ()
        assert source.asked == 1
        source.status = 200
        assert len(keys.roots(NOW + MINUTE)) == 1


def test_one_thread_fetches_and_the_others_go_on() -> None:
    with serving(Google().document()) as source:
        keys = CallbackKeys(url=source.url)
        found: list[int] = []
        source.hold.clear()
        first = [threading.Thread(target=lambda: found.append(len(keys.roots(NOW)))) for _ in range(6)]
        for thread in first:
            thread.start()
        source.hold.set()
        for thread in first:
            thread.join(10)
        assert (found, source.asked) == ([1] * 6, 1)
        source.hold.clear()
        slow = threading.Thread(target=keys.roots, args=(NOW + HOUR,))
        slow.start()
        while source.asked < 2:
            pass
        assert len(keys.roots(NOW + HOUR)) == 1  # at once, though the other is still fetching
        assert source.asked == 2
        source.hold.set()
        slow.join(10)
