"""The authority, a brand's credentials and a running push simulator."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.simulators.apns import ApnsSettings, RunningApns, running, settings_for
from app.simulators.authority import Authority

PASS_TYPE = "pass.example.kofe"
TEAM = "TEAM123456"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(
        tmp_path_factory.mktemp("authority"), now=datetime.now(UTC).replace(microsecond=0)
    )


@pytest.fixture(scope="session")
def credentials(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.pass_credentials(
        tmp_path_factory.mktemp("kofe"),
        pass_type_identifier=PASS_TYPE,
        team_identifier=TEAM,
        organization="Kofe",
    )


@pytest.fixture(scope="session")
def apns_settings(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> ApnsSettings:
    """Every push service starts anew, and shows the same certificate: making keys takes its time."""
    return settings_for(authority, tmp_path_factory.mktemp("server"))


@pytest.fixture
def apns(apns_settings: ApnsSettings) -> Iterator[RunningApns]:
    with running(apns_settings) as simulator:
        yield simulator


@pytest.fixture
def sender_tls(authority: Authority, credentials: Path) -> ssl.SSLContext:
    """What a sender of the brand signs in with."""
    context = ssl.create_default_context(cafile=str(authority.root))
    context.load_cert_chain(credentials / "certificate.pem", credentials / "key.pem")
    return context
