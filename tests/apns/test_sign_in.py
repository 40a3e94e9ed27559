"""Sign-in with a .p8 key: minted with our own code, verified by PyJWT and by the simulator's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.apns.client import ApnsClient
from app.apns.credentials import ProviderToken
from app.apns.requests import Push
from app.apns.responses import PushResponse, Verdict
from app.errors import Misconfigured
from app.simulators.apns import running, settings_for
from app.simulators.apns_tokens import ProviderKey
from tests.apns.conftest import TEAM, TOPIC, Certificates, push_token
from tests.apns.scripted import Peer, scripted, server_tls

KEY_ID = "ABC123DEFG"


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def token_of(key: ec.EllipticCurvePrivateKey, clock: Clock) -> ProviderToken:
    return ProviderToken(pem(key), key_id=KEY_ID, team_identifier=TEAM, clock=clock)


def issued_at(value: str, key: ec.EllipticCurvePrivateKey) -> int:
    scheme, _, token = value.partition(" ")
    assert scheme == "bearer"
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": KEY_ID, "typ": "JWT"}
    claims = jwt.decode(token, key.public_key(), algorithms=["ES256"], options={"verify_iat": False})
    assert claims["iss"] == TEAM
    return int(claims["iat"])


def test_a_token_is_kept_for_forty_minutes_and_then_renewed(key: ec.EllipticCurvePrivateKey) -> None:
    clock = Clock()
    token = token_of(key, clock)
    first = token.value()
    assert issued_at(first, key) == clock.now
    clock.now += 39 * 60
    assert token.value() == first
    clock.now += 2 * 60
    assert issued_at(token.value(), key) == clock.now


def test_a_token_called_expired_is_renewed_once_in_twenty_minutes(key: ec.EllipticCurvePrivateKey) -> None:
    clock = Clock()
    token = token_of(key, clock)
    first = token.value()
    clock.now += 60
    assert token.expired(first)
    second = token.value()
    assert issued_at(second, key) == clock.now
    assert token.expired(first)  # an older push that was still on its way: nothing new is minted for it
    assert token.value() == second
    clock.now += 60
    assert not token.expired(second)
    assert token.value() == second
    clock.now += 20 * 60
    assert token.expired(second)


def test_a_clock_that_is_set_back_renews_the_token(key: ec.EllipticCurvePrivateKey) -> None:
    clock = Clock()
    token = token_of(key, clock)
    token.value()
    clock.now -= 3600
    assert issued_at(token.value(), key) == clock.now


@pytest.mark.parametrize("broken", [b"", b"no key", pem(ec.generate_private_key(ec.SECP384R1()))])
def test_a_key_that_is_no_p8_key_is_refused(broken: bytes) -> None:
    with pytest.raises(Misconfigured, match="p8"):
        ProviderToken(broken, key_id=KEY_ID, team_identifier=TEAM)


def test_pushes_signed_in_by_token_are_accepted_and_one_connection_suffices_for_them(
    certificates: Certificates, tmp_path: Path, key: ec.EllipticCurvePrivateKey
) -> None:
    known = ProviderKey(KEY_ID, TEAM, key.public_key(), frozenset({TOPIC}))
    settings = settings_for(certificates.authority, tmp_path, provider_keys=(known,))

    async def scenario(client: ApnsClient) -> None:
        outcomes = await client.push_many([Push(push_token(number)) for number in range(1, 101)])
        assert all(isinstance(outcome, PushResponse) and outcome.status == 200 for outcome in outcomes)

    async def stranger(client: ApnsClient) -> None:
        answer = await client.push(push_token(1))
        assert (answer.reason, answer.verdict, answer.breaker) == (
            "InvalidProviderToken", Verdict.REFUSED, True,
        )  # fmt: skip

    async def inside(url: str) -> None:
        for key_id, act in ((KEY_ID, scenario), ("UNKNOWN123", stranger)):
            token = ProviderToken(pem(key), key_id=key_id, team_identifier=TEAM)
            async with certificates.client(
                url, certificate_pem=None, key_pem=None, provider_token=token
            ) as client:
                await act(client)

    with running(settings) as simulator:
        asyncio.run(inside(simulator.url))
        statistics = simulator.ask(lambda apns: replace(apns.statistics))
    assert statistics.connections == 2
    assert statistics.protocol_errors == []


def test_an_expired_token_is_renewed_and_every_push_sent_again(
    certificates: Certificates, key: ec.EllipticCurvePrivateKey
) -> None:
    clock = Clock()
    token = token_of(key, clock)
    issued: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.begin()
        while True:
            request = await peer.request()
            issued.append(issued_at(request.headers["authorization"], key))
            if issued[-1] == 1_800_000_000:
                clock.now = 1_800_000_100.0
                peer.answer(request.stream, 403, b'{"reason":"ExpiredProviderToken"}')
            else:
                peer.answer(request.stream)

    async def inside() -> None:
        tls = server_tls(certificates.server_certificate, certificates.server_key)
        async with (
            scripted(tls, script) as server,
            certificates.client(
                server.url, certificate_pem=None, key_pem=None, provider_token=token
            ) as client,
        ):
            outcomes = await client.push_many([Push(push_token(number)) for number in range(5)])
            assert all(isinstance(outcome, PushResponse) and outcome.status == 200 for outcome in outcomes)

    asyncio.run(inside())
    assert issued == [1_800_000_000] * 5 + [1_800_000_100] * 5


def test_a_token_that_is_refused_again_is_apples_last_word(
    certificates: Certificates, key: ec.EllipticCurvePrivateKey
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        while True:
            peer.answer((await peer.request()).stream, 403, b'{"reason":"ExpiredProviderToken"}')

    async def inside() -> None:
        tls = server_tls(certificates.server_certificate, certificates.server_key)
        async with (
            scripted(tls, script) as server,
            certificates.client(
                server.url, certificate_pem=None, key_pem=None, provider_token=token_of(key, Clock())
            ) as client,
        ):
            answer = await client.push(push_token(1))
            assert (answer.reason, answer.verdict, answer.breaker) == (
                "ExpiredProviderToken", Verdict.REFUSED, True,
            )  # fmt: skip

    asyncio.run(inside())
