"""A stage for each channel: the party that it is about, and another one beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db import Database
from app.simulators.apns import ApnsSettings
from tests.conformance.parties import CHANNELS, Apple, Stage, Texts, free_port
from tests.delivery.texting import open_texting
from tests.passes.shop import open_shop
from tests.worker.conftest import Rig, apns_settings, authority, credentials
from tests.worker.text_house import Kind, house

__all__ = ["apns_settings", "authority", "credentials"]


@pytest.fixture(params=CHANNELS)
def stage(
    request: pytest.FixtureRequest,
    database: Database,
    authority: Any,
    credentials: Path,
    apns_settings: ApnsSettings,
    tmp_path: Path,
) -> Iterator[Stage]:
    rig = Rig(database, open_shop(database), None, authority, credentials, lambda: None)  # type: ignore[arg-type, return-value]
    pushes = Apple(rig, apns_settings, free_port())
    kind: Kind = "smsc" if request.param == "apple" else request.param
    with house(kind, up=False, port=free_port()) as gateway:
        words = Texts(open_texting(database, slug="bar"), gateway)
        party, beside = (pushes, words) if request.param == "apple" else (words, pushes)
        found = Stage(database, party, beside, tmp_path)
        with found.stack:
            yield found
