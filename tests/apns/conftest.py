"""A certificate authority, the pass certificate of a brand, a push simulator and clients that reach it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.apns.client import ApnsClient
from app.apns.patience import Patience
from app.simulators.apns import ApnsSettings, RunningApns, running, settings_for
from app.simulators.authority import Authority
from tests.apns.scripted import server_tls

TOPIC = "pass.example.kofe"
TEAM = "TEAM123456"
HASTE = Patience(connect_timeout=2.0, ping_timeout=0.4, connect_attempts=2)


@dataclass(frozen=True)
class Certificates:
    """What a test needs to stand on both ends."""

    authority: Authority
    certificate_pem: bytes
    key_pem: bytes
    server_certificate: Path
    server_key: Path

    def server_tls(self, *, alpn: bool = True) -> ssl.SSLContext:
        authority = self.authority
        return server_tls(self.server_certificate, self.server_key, authority.root, authority.wwdr, alpn=alpn)

    def client(self, url: str, **changes: Any) -> ApnsClient:
        arguments: dict[str, Any] = {
            "topic": TOPIC,
            "ca": self.authority.root,
            "certificate_pem": self.certificate_pem,
            "key_pem": self.key_pem,
            "push_timeout": 5.0,
            "patience": HASTE,
        }
        return ApnsClient(url, **(arguments | changes))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    directory = tmp_path_factory.mktemp("apns")
    authority = Authority.create(directory / "authority", now=datetime.now(UTC))
    credentials = authority.pass_credentials(
        directory / "pass", pass_type_identifier=TOPIC, team_identifier=TEAM, organization="Kofe"
    )
    certificate, key = authority.server_certificate(directory / "server")
    return Certificates(
        authority=authority,
        certificate_pem=(credentials / "certificate.pem").read_bytes(),
        key_pem=(credentials / "key.pem").read_bytes(),
        server_certificate=certificate,
        server_key=key,
    )


@pytest.fixture(scope="session")
def apns_settings(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> ApnsSettings:
    """Every push service starts anew, and shows the same certificate: making keys takes its time."""
    return settings_for(certificates.authority, tmp_path_factory.mktemp("simulator"))


@pytest.fixture
def apns(apns_settings: ApnsSettings) -> Iterator[RunningApns]:
    with running(apns_settings) as simulator:
        yield simulator


def push_token(number: int) -> str:
    return f"{number:064x}"
