"""A certificate authority of the tests' own, and a signer whose certificate it issued."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.passes.bundle import PreparedDesign, prepare
from app.passes.signing import Signer, load_signer
from app.simulators.authority import Authority
from tests.passes import card


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"), now=card.NOW)


@pytest.fixture(scope="session")
def credentials(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """certificate.pem, key.pem and wwdr.pem that fit the card; do not write into it."""
    return authority.pass_credentials(
        tmp_path_factory.mktemp("credentials"),
        pass_type_identifier=card.PASS_TYPE,
        team_identifier=card.TEAM,
        organization="ООО «Берёзка»",
    )


@pytest.fixture(scope="session")
def signer(credentials: Path) -> Signer:
    return load_signer(
        f"file:{credentials}", pass_type_identifier=card.PASS_TYPE, team_identifier=card.TEAM, now=card.NOW
    )


@pytest.fixture(scope="session")
def prepared(signer: Signer) -> PreparedDesign:
    return prepare(card.design(), signer, web_service_url=card.SERVICE)
