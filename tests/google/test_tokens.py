"""Tokens: one for all, fetched once, renewed in time."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from app.google.credentials import ServiceAccount
from app.google.tokens import NoToken, Tokens
from tests.google.serving import Served, serving
from tests.servers import free_port


def granted(name: str, seconds: object = 3600, **more: object) -> bytes:
    return json.dumps({"access_token": name, "expires_in": seconds, "token_type": "Bearer"} | more).encode()


def tokens(account: ServiceAccount, server: Served | str, *, within: float = 5.0) -> Tokens:
    url = server if isinstance(server, str) else f"{server.url}/token"
    return Tokens(account, url=url, within=within)


def refusal(coming: Future[str]) -> NoToken:
    with pytest.raises(NoToken) as raised:
        coming.result(10)
    return raised.value


def test_the_assertion_says_what_google_asks_for(account: ServiceAccount, rsa_key: RSAPrivateKey) -> None:
    with serving(granted("t1")) as server:
        assert tokens(account, server).obtain().result(10) == "t1"
    form = parse_qs(server.heard[0].decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    (assertion,) = form["assertion"]
    claims: dict[str, Any] = jwt.decode(
        assertion, rsa_key.public_key(), algorithms=["RS256"], audience="https://oauth2.googleapis.com/token"
    )
    assert claims["iss"] == account.email
    assert claims["scope"] == "https://www.googleapis.com/auth/wallet_object.issuer"
    assert claims["exp"] - claims["iat"] == 3600
    assert jwt.get_unverified_header(assertion)["kid"] == account.key_id


def test_many_threads_share_one_fetch(account: ServiceAccount) -> None:
    with serving(granted("t1")) as server:
        ours = tokens(account, server)
        server.hold.clear()
        found: list[str] = []
        threads = [threading.Thread(target=lambda: found.append(ours.obtain().result(10))) for _ in range(12)]
        for thread in threads:
            thread.start()
        server.hold.set()
        for thread in threads:
            thread.join(10)
        assert (found, server.asked) == (["t1"] * 12, 1)
        assert ours.obtain().done()


class Clock:
    """What time it is, and by how much a test is ahead of it."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def test_a_token_is_renewed_before_its_end_and_used_meanwhile(account: ServiceAccount) -> None:
    clock = Clock()
    with serving(granted("old", 3600)) as server:
        ours = Tokens(account, url=server.url, clock=clock)
        assert ours.obtain().result(10) == "old"
        server.body = granted("new", 3600)
        server.hold.clear()
        clock.ahead = timedelta(minutes=55)
        assert ours.obtain().result(0) == "old"
        assert server.asked == 1
        clock.ahead = timedelta(minutes=57)
        assert [ours.obtain().result(0) for _ in range(5)] == ["old"] * 5
        server.hold.set()
        deadline = time.monotonic() + 10
        while ours.obtain().result(10) == "old":
            assert time.monotonic() < deadline
        assert ours.obtain().result(0) == "new"
        assert server.asked == 2


def test_a_token_that_has_ended_is_waited_for(account: ServiceAccount) -> None:
    clock = Clock()
    with serving(granted("old", 3600)) as server:
        ours = Tokens(account, url=server.url, clock=clock)
        ours.obtain().result(10)
        server.body = granted("new")
        clock.ahead = timedelta(minutes=59, seconds=35)
        assert ours.obtain().result(10) == "new"


def test_a_renounced_token_is_replaced_once_and_not_in_circles(account: ServiceAccount) -> None:
    with serving(granted("t1")) as server:
        ours = tokens(account, server)
        ours.obtain().result(10)
        server.body = granted("t2")
        assert ours.renounce("t1")
        assert ours.obtain().result(10) == "t2"
        assert ours.renounce("t1")  # of another task: it is renewed already
        assert ours.obtain().result(10) == "t2"
        assert not ours.renounce("t2")  # the new one fared no better
        assert ours.obtain().result(10) == "t2"
        assert server.asked == 2


@pytest.mark.parametrize(
    ("status", "body", "denied", "words"),
    [
        (
            400,
            b'{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}',
            True,
            "Invalid JWT",
        ),
        (401, b'{"error": "unauthorized_client", "error_description": "x"}', True, "unauthorized_client"),
        (403, b"<html><style>a{}</style><p>Go away</p></html>", True, "Go away"),
        (200, b"{}", True, "No access token"),
        (200, b"<html>Sign in to this Wi-Fi</html>", False, "holds no token"),
        (200, b"[]", False, "holds no token"),
        (200, b'{"access_token": 7, "expires_in": 10}', False, "holds no token"),
        (200, b'{"access_token": "a\\r\\nb", "expires_in": 10}', False, "holds no token"),
        (200, b'{"access_token": "a", "expires_in": "soon"}', False, "holds no token"),
        (200, b'{"access_token": "a", "expires_in": 1e400}', False, "holds no token"),
        (200, b"\xff\xfe", False, "holds no token"),
        (302, b"", True, ""),
    ],
)
def test_a_refusal_is_told_from_an_outage(
    account: ServiceAccount, status: int, body: bytes, denied: bool, words: str
) -> None:
    with serving(body) as server:
        server.status = status
        fault = refusal(tokens(account, server).obtain())
    assert words in str(fault)
    assert "<" not in str(fault), "people read it"
    assert fault.denied == denied


def test_an_outage_is_not_stormed(account: ServiceAccount) -> None:
    ours = tokens(account, f"http://127.0.0.1:{free_port()}/token")
    first = refusal(ours.obtain())
    assert not first.denied
    assert "Connect" in str(first)
    with serving(b"no") as server:
        server.status = 400
        ours = tokens(account, server)
        for _ in range(20):
            assert refusal(ours.obtain()).denied
        assert server.asked == 1


def test_who_stops_waiting_takes_nothing_from_the_others(account: ServiceAccount) -> None:
    with serving(granted("t1")) as server:
        server.hold.clear()
        ours = tokens(account, server)
        first, second = ours.obtain(), ours.obtain()
        assert not first.cancel()
        server.hold.set()
        assert second.result(10) == "t1"


def test_a_token_without_an_end_is_not_believed_for_ever(account: ServiceAccount) -> None:
    clock = Clock()
    with serving(b'{"access_token": "t"}') as server:
        ours = Tokens(account, url=server.url, clock=clock)
        assert ours.obtain().result(10) == "t"
        assert ours.obtain().result(0) == "t"
        clock.ahead = timedelta(minutes=6)
        server.body = granted("next")
        assert ours.obtain().result(10) == "next"


def test_a_slow_endpoint_is_not_waited_for(account: ServiceAccount) -> None:
    with serving(granted("late")) as server:
        server.hold.clear()
        began = time.monotonic()
        assert not refusal(tokens(account, server, within=0.2).obtain()).denied
        assert time.monotonic() - began < 4
