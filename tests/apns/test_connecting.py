"""Connecting: certificates that are refused, hosts that are not there, and coming back."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.apns.client import ApnsClient
from app.apns.credentials import tls_context
from app.apns.faults import CertificateRefused, WireBroken
from app.apns.patience import Pacing
from app.apns.responses import Verdict
from app.errors import Misconfigured, Unavailable
from app.simulators.apns import running, settings_for
from app.simulators.authority import Authority
from tests.apns.conftest import HASTE, TEAM, TOPIC, Certificates, push_token
from tests.apns.plays import good
from tests.apns.scripted import Peer, judging_by_openssl, scripted, server_tls
from tests.servers import free_port


def fault_of(certificates: Certificates, url: str, **changes: Any) -> WireBroken:
    """Why a push to ``url`` comes to nothing."""

    async def inside() -> WireBroken:
        async with certificates.client(url, **changes) as client:
            with pytest.raises(WireBroken) as caught:
                await client.push(push_token(1))
            return caught.value

    return asyncio.run(inside())


def fault_of_server(certificates: Certificates, tls: ssl.SSLContext, **changes: Any) -> WireBroken:
    async def inside() -> WireBroken:
        async with scripted(tls, good) as server, certificates.client(server.url, **changes) as client:
            with pytest.raises(WireBroken) as caught:
                await client.push(push_token(1))
            return caught.value

    return asyncio.run(inside())


def credentials(authority: Authority, directory: Path, *, begins: datetime | None = None) -> dict[str, bytes]:
    made = authority.pass_credentials(
        directory, pass_type_identifier=TOPIC, team_identifier=TEAM, organization="Kofe", begins=begins
    )
    return {
        "certificate_pem": (made / "certificate.pem").read_bytes(),
        "key_pem": (made / "key.pem").read_bytes(),
    }


def test_nobody_listens(certificates: Certificates) -> None:
    fault = fault_of(certificates, f"https://127.0.0.1:{free_port()}")
    assert "refuses connections" in str(fault)
    assert not fault.maybe_accepted
    assert isinstance(fault, Unavailable)


def test_a_name_that_does_not_resolve_is_named(certificates: Certificates) -> None:
    fault = fault_of(
        certificates, "https://apns.perkpass.invalid", patience=replace(HASTE, connect_attempts=1)
    )
    assert "apns.perkpass.invalid:443 cannot be resolved" in str(fault)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_expired_certificate_is_named_and_not_tried_for_long(
    certificates: Certificates, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    expired = credentials(certificates.authority, tmp_path, begins=datetime.now(UTC) - timedelta(days=400))
    tls = certificates.server_tls()
    tls.minimum_version = tls.maximum_version = version
    with judging_by_openssl(tls) as url:
        fault = fault_of(certificates, url, **expired)
    assert isinstance(fault, CertificateRefused)
    assert "CERTIFICATE_EXPIRED" in str(fault)
    assert "Renew the pass type certificate" in str(fault)


def test_a_certificate_of_another_authority_is_named(certificates: Certificates, tmp_path: Path) -> None:
    stranger = Authority.create(tmp_path / "authority", now=datetime.now(UTC))
    with judging_by_openssl(certificates.server_tls()) as url:
        fault = fault_of(certificates, url, **credentials(stranger, tmp_path / "pass"))
    assert isinstance(fault, CertificateRefused)
    assert "refused our TLS client certificate" in str(fault)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_hangs_up_on_our_certificate_leads_to_it(
    certificates: Certificates, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    expired = credentials(certificates.authority, tmp_path, begins=datetime.now(UTC) - timedelta(days=400))
    tls = certificates.server_tls()
    tls.minimum_version = tls.maximum_version = version
    fault = fault_of_server(certificates, tls, **expired)
    assert "it does not accept our certificate" in str(fault)


def test_a_server_of_another_authority_is_not_trusted(certificates: Certificates, tmp_path: Path) -> None:
    stranger = Authority.create(tmp_path / "authority", now=datetime.now(UTC))
    fault = fault_of_server(certificates, server_tls(*stranger.server_certificate(tmp_path / "server")))
    assert isinstance(fault, CertificateRefused)
    assert "is not trusted" in str(fault)


def test_a_server_of_another_name_is_not_trusted(certificates: Certificates, tmp_path: Path) -> None:
    other = certificates.authority.server_certificate(tmp_path, "api.push.example")
    assert "is not trusted" in str(fault_of_server(certificates, server_tls(*other)))


def test_a_server_without_http2_is_named(certificates: Certificates) -> None:
    fault = fault_of_server(certificates, certificates.server_tls(alpn=False))
    assert "does not speak HTTP/2" in str(fault)


def test_a_server_that_hangs_up_before_http2_is_named(certificates: Certificates) -> None:
    async def hangs_up(peer: Peer) -> None:
        peer.writer.close()

    async def inside() -> None:
        tls = certificates.server_tls()
        async with scripted(tls, hangs_up) as server, certificates.client(server.url) as client:
            with pytest.raises(WireBroken, match="before HTTP/2 began"):
                await client.push(push_token(1))

    asyncio.run(inside())


def test_pushes_wait_for_a_server_that_comes_back(certificates: Certificates, tmp_path: Path) -> None:
    port = free_port()
    settings = settings_for(certificates.authority, tmp_path, port=port)

    async def inside() -> None:
        patience = replace(HASTE, connect_attempts=100)
        async with certificates.client(f"https://127.0.0.1:{port}", patience=patience) as client:
            with running(settings):
                assert (await client.push(push_token(1))).verdict is Verdict.ACCEPTED
            waiting = asyncio.ensure_future(client.push(push_token(2)))
            await asyncio.sleep(0.6)
            with running(settings):
                assert (await waiting).verdict is Verdict.ACCEPTED

    asyncio.run(inside())


def test_failures_are_answered_by_longer_pauses_and_success_ends_them() -> None:
    pacing = Pacing()
    pauses = []
    for _ in range(12):
        pacing.failed(100.0)
        pauses.append(Pacing.opening(pacing, 100.0))
    assert pauses[0] < 0.3
    assert 15 <= pauses[-1] <= 40
    fresh = Pacing()
    fresh.failed(0.0)
    fresh.succeeded()
    assert fresh.opening(0.0) == 0.0


def test_connections_that_end_soon_are_opened_ever_more_slowly() -> None:
    pacing, now = Pacing(), 0.0
    for _ in range(30):
        now += pacing.opening(now)
    assert 20 <= now <= 30


def test_the_key_lies_in_no_file_once_it_is_loaded(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tls_context(certificate_pem=certificates.certificate_pem, key_pem=certificates.key_pem)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Misconfigured, match="belong together"):
        tls_context(certificate_pem=certificates.certificate_pem, key_pem=b"no key")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_encrypted_or_not_the_certificates_is_refused(certificates: Certificates) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for encryption in (serialization.NoEncryption(), serialization.BestAvailableEncryption(b"secret")):
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        with pytest.raises(Misconfigured, match="unencrypted"):
            certificates.client("https://127.0.0.1", key_pem=pem)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://127.0.0.1"},
        {"url": "https://"},
        {"url": "https://a..b"},
        {"url": "https://127.0.0.1:99999"},
        {"url": "https://127.0.0.1/3/device"},
        {"connections": 0},
        {"connections": 5},
        {"topic": "pass.кофе"},
        {"certificate_pem": None},
        {"certificate_pem": None, "key_pem": None},
        {"ca": Path("/no/such/file.pem")},
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_at_once(certificates: Certificates, changes: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        certificates.client(**({"url": "https://127.0.0.1"} | changes))


def test_the_default_is_apples_production_host(certificates: Certificates) -> None:
    client = ApnsClient(
        topic=TOPIC, certificate_pem=certificates.certificate_pem, key_pem=certificates.key_pem
    )
    assert client.address == "api.push.apple.com:443"
