"""Concurrent writers in several processes, and phones that poll all the while, lose nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.db import Database
from tests.passes.shop import pending
from tests.web.phones import Service
from tests.web.update_race import Race, run


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    made = Service(database)
    yield made
    made.close()


@pytest.mark.timeout(300)
def test_two_thousand_concurrent_updates_all_reach_polling_phones(
    service: Service, database_url: str
) -> None:
    outcome = run(service, database_url, Race(updates=2_000, batches=(1, 8), phones=2))
    assert outcome.updates >= 2_000
    assert outcome.counted == outcome.updates
    assert (outcome.lost, outcome.went_back) == (0, 0)
    for phone in outcome.phones:
        assert len(phone.tags) > 3
    with service.database.read() as tx:
        assert pending(tx) == [(phone.phone.name, "receipt") for phone in outcome.phones]
