"""The push simulator, asked by clients that know nothing of it: httpx over HTTP/2, and aioapns."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from aioapns import APNs, NotificationRequest
from aioapns.connection import APNsCertConnectionPool, APNsTLSClientProtocol
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from app.simulators.apns import ApnsSettings, RunningApns, running, settings_for
from app.simulators.apns_tokens import ProviderKey
from app.simulators.authority import Authority
from tests.simulators.conftest import PASS_TYPE, TEAM

TOKEN = "ab" * 32
ID = "123e4567-e89b-12d3-a456-426614174000"


@pytest.fixture(params=[False, True], ids=["strict", "quick"])
def sender(
    request: pytest.FixtureRequest, apns_settings: ApnsSettings, sender_tls: ssl.SSLContext
) -> Iterator[tuple[httpx.Client, RunningApns]]:
    settings = replace(apns_settings, quick=request.param)
    with running(settings) as apns, httpx.Client(http1=False, http2=True, verify=sender_tls) as client:
        yield client, apns


def _post(
    client: httpx.Client, apns: RunningApns, token: str = TOKEN, body: bytes = b"{}", **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"{apns.url}/3/device/{token}", content=body, headers=named)


def test_a_push_with_the_certificates_topic_is_accepted_and_entered(
    sender: tuple[httpx.Client, RunningApns],
) -> None:
    client, apns = sender
    answer = _post(client, apns, apns_topic=PASS_TYPE, apns_id=ID, apns_expiration="0", apns_priority="5")
    assert (answer.status_code, answer.headers["apns-id"], answer.content) == (200, ID, b"")
    ledger = httpx.get(f"{apns.control_url}/pushes").json()
    assert ledger["answers"] == {"200": 1}
    (entry,) = ledger["pushes"]
    assert (entry["token"], entry["topic"], entry["identifier"], entry["priority"]) == (
        TOKEN,
        PASS_TYPE,
        ID,
        5,
    )


@pytest.mark.parametrize(
    ("headers", "token", "body", "expected"),
    [
        ({"apns_topic": "pass.example.other"}, TOKEN, b"{}", (400, "TopicDisallowed")),
        ({"apns_topic": "no topic"}, TOKEN, b"{}", (400, "BadTopic")),
        ({"apns_id": "17"}, TOKEN, b"{}", (400, "BadMessageId")),
        ({"apns_expiration": "soon"}, TOKEN, b"{}", (400, "BadExpirationDate")),
        ({"apns_priority": "7"}, TOKEN, b"{}", (400, "BadPriority")),
        ({"apns_priority": "10", "apns_push_type": "background"}, TOKEN, b"{}", (400, "BadPriority")),
        ({"apns_push_type": "pass"}, TOKEN, b"{}", (400, "InvalidPushType")),
        ({"apns_collapse_id": "x" * 65}, TOKEN, b"{}", (400, "BadCollapseId")),
        ({}, "xyz", b"{}", (400, "BadDeviceToken")),
        ({}, "", b"{}", (400, "MissingDeviceToken")),
        ({}, TOKEN, b"", (400, "PayloadEmpty")),
        ({}, TOKEN, b"[]", (400, "PayloadEmpty")),
        ({}, TOKEN, b'{"a":"' + b"x" * 4096 + b'"}', (413, "PayloadTooLarge")),
    ],
)
def test_a_request_apple_would_refuse_is_refused_with_apples_reason(
    sender: tuple[httpx.Client, RunningApns],
    headers: dict[str, str],
    token: str,
    body: bytes,
    expected: tuple[int, str],
) -> None:
    client, apns = sender
    answer = _post(client, apns, token, body, **{"apns_id": ID, **headers})
    assert (answer.status_code, answer.json()["reason"]) == expected
    if "apns_id" not in headers:
        assert answer.headers["apns-id"] == ID


def test_another_method_or_path_is_refused(sender: tuple[httpx.Client, RunningApns]) -> None:
    client, apns = sender
    assert client.get(f"{apns.url}/3/device/{TOKEN}").json() == {"reason": "MethodNotAllowed"}
    assert client.post(f"{apns.url}/2/device/{TOKEN}", content=b"{}").json() == {"reason": "BadPath"}


def test_a_token_that_is_gone_answers_410_with_the_moment_in_milliseconds(
    sender: tuple[httpx.Client, RunningApns],
) -> None:
    client, apns = sender
    gone = {"gone": "Unregistered", "at": "2026-11-01T10:00:00+00:00"}
    httpx.put(f"{apns.control_url}/tokens/{TOKEN}", json=gone).raise_for_status()
    answer = _post(client, apns)
    assert answer.status_code == 410
    assert answer.json() == {"reason": "Unregistered", "timestamp": 1793527200000}


def test_a_token_made_for_another_topic_is_not_for_this_one(
    sender: tuple[httpx.Client, RunningApns],
) -> None:
    client, apns = sender
    httpx.put(f"{apns.control_url}/tokens/{TOKEN}", json={"topic": "pass.example.other"}).raise_for_status()
    assert _post(client, apns).json() == {"reason": "DeviceTokenNotForTopic"}


def test_only_known_tokens_are_taken_where_that_is_asked(
    authority: Authority, tmp_path: Path, sender_tls: ssl.SSLContext
) -> None:
    settings = settings_for(authority, tmp_path, known_tokens_only=True)
    with running(settings) as apns, httpx.Client(http1=False, http2=True, verify=sender_tls) as client:
        assert _post(client, apns).json() == {"reason": "BadDeviceToken"}
        httpx.put(f"{apns.control_url}/tokens/{TOKEN}", json={"topic": PASS_TYPE}).raise_for_status()
        assert _post(client, apns).status_code == 200


def test_nobody_gets_in_without_a_certificate_or_with_a_strangers(
    apns: RunningApns, authority: Authority, credentials: Path, tmp_path: Path
) -> None:
    nobody = ssl.create_default_context(cafile=str(authority.root))
    other = Authority.create(tmp_path / "other", now=authority._now).pass_credentials(
        tmp_path / "stranger", pass_type_identifier=PASS_TYPE, team_identifier=TEAM, organization="Kofe"
    )
    stranger = ssl.create_default_context(cafile=str(authority.root))
    stranger.load_cert_chain(other / "certificate.pem", other / "key.pem")
    for context in (nobody, stranger):
        with httpx.Client(http1=False, http2=True, verify=context) as client, pytest.raises(httpx.HTTPError):
            _post(client, apns)


def test_a_client_that_does_not_offer_h2_is_turned_away(
    apns: RunningApns, sender_tls: ssl.SSLContext
) -> None:
    with httpx.Client(http2=False, verify=sender_tls) as client, pytest.raises(httpx.HTTPError):
        _post(client, apns)


def _provider_token(key: ec.EllipticCurvePrivateKey, *, key_id: str, team: str, issued: float) -> str:
    def encoded(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    head = encoded(json.dumps({"alg": "ES256", "kid": key_id}).encode())
    claims = encoded(json.dumps({"iss": team, "iat": int(issued)}).encode())
    r, s = decode_dss_signature(key.sign(f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256())))
    return f"bearer {head}.{claims}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_a_provider_token_signs_in_without_a_certificate(authority: Authority, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    known = ProviderKey("KEY1", TEAM, key.public_key(), frozenset((PASS_TYPE,)))
    context = ssl.create_default_context(cafile=str(authority.root))
    now = time.time()
    good = _provider_token(key, key_id="KEY1", team=TEAM, issued=now)
    old = _provider_token(key, key_id="KEY1", team=TEAM, issued=now - 3700)
    forged = _provider_token(ec.generate_private_key(ec.SECP256R1()), key_id="KEY1", team=TEAM, issued=now)
    settings = settings_for(authority, tmp_path, provider_keys=(known,))
    with running(settings) as apns, httpx.Client(http1=False, http2=True, verify=context) as client:
        assert _post(client, apns, apns_topic=PASS_TYPE, authorization=good).status_code == 200
        assert _post(client, apns, authorization=good).json() == {"reason": "MissingTopic"}
        refusals = {
            old: "ExpiredProviderToken",
            forged: "InvalidProviderToken",
            "bearer nonsense": "InvalidProviderToken",
        }
        for token, reason in refusals.items():
            answer = _post(client, apns, apns_topic=PASS_TYPE, authorization=token)
            assert (answer.status_code, answer.json()["reason"]) == (403, reason)
        assert _post(client, apns, apns_topic=PASS_TYPE).json() == {"reason": "MissingProviderToken"}
        other = _post(client, apns, apns_topic="pass.example.other", authorization=good)
        assert other.json() == {"reason": "TopicDisallowed"}


def _aioapns(apns: RunningApns, tls: ssl.SSLContext, credentials: Path) -> APNs:
    """The real client, pointed here: it has no parameter for the address."""
    address = urlsplit(apns.url)

    class Protocol(APNsTLSClientProtocol):
        APNS_SERVER = address.hostname or ""
        APNS_PORT = address.port or 0

    both = credentials.parent / "both.pem"
    both.write_bytes((credentials / "certificate.pem").read_bytes() + (credentials / "key.pem").read_bytes())
    tls.set_alpn_protocols(["h2"])
    client = APNs(client_cert=str(both), topic=PASS_TYPE, ssl_context=tls, max_connections=1)
    assert isinstance(client.pool, APNsCertConnectionPool)
    client.pool.protocol_class = Protocol
    return client


def test_aioapns_is_answered_as_apple_answers_it(
    apns: RunningApns, sender_tls: ssl.SSLContext, credentials: Path
) -> None:
    gone = "cd" * 32
    httpx.put(f"{apns.control_url}/tokens/{gone}", json={"gone": "Unregistered"}).raise_for_status()

    async def push() -> list[tuple[str, str | None]]:
        client = _aioapns(apns, sender_tls, credentials)
        answers = [
            await client.send_notification(NotificationRequest(device_token=token, message={}))
            for token in (TOKEN, "xyz", gone)
        ]
        client.pool.close()
        await asyncio.sleep(0.1)
        return [(answer.status, answer.description) for answer in answers]

    assert asyncio.run(push()) == [("200", None), ("400", "BadDeviceToken"), ("410", "Unregistered")]


def _phone_socket(apns: RunningApns, token: str, topic: str = PASS_TYPE) -> socket.socket:
    address = urlsplit(apns.control_url)
    phone = socket.create_connection((address.hostname or "", address.port or 0), timeout=5)
    phone.sendall(json.dumps({"token": token, "topic": topic}).encode() + b"\n")
    return phone


def _wait(apns: RunningApns, token: str) -> None:
    for _ in range(200):
        if apns.ask(lambda simulator: token in simulator.post.known):
            return
        time.sleep(0.01)
    raise TimeoutError("the phone was not heard")


def test_a_phone_is_told_of_a_push_and_of_the_one_it_missed(
    sender: tuple[httpx.Client, RunningApns],
) -> None:
    client, apns = sender
    until = str(int(time.time()) + 3600)
    for _ in range(3):
        _post(client, apns, apns_expiration=until)
    assert len(httpx.get(f"{apns.control_url}/kept").json()) == 1
    with _phone_socket(apns, TOKEN) as phone, phone.makefile() as lines:
        assert json.loads(lines.readline()) == {"token": TOKEN, "topic": PASS_TYPE}
        assert httpx.get(f"{apns.control_url}/kept").json() == []
        _post(client, apns)
        assert json.loads(lines.readline()) == {"token": TOKEN, "topic": PASS_TYPE}


def test_a_push_that_may_not_be_stored_is_lost_to_a_phone_that_is_away(
    sender: tuple[httpx.Client, RunningApns],
) -> None:
    client, apns = sender
    _post(client, apns, apns_expiration="0")
    assert httpx.get(f"{apns.control_url}/kept").json() == []
    with _phone_socket(apns, TOKEN) as phone, phone.makefile() as lines:
        _wait(apns, TOKEN)
        _post(client, apns, apns_id=ID)
        lines.readline()
        phone.settimeout(0.2)
        with pytest.raises(TimeoutError):
            lines.readline()
