"""A member who changes tier moves to that tier's class; enums come in both casings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.db import Database
from app.simulators import google as simulator
from app.simulators.google import RunningGoogle
from tests.passes import templates
from tests.worker.google_hand import Cafe, opened


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[RunningGoogle, dict[str, Any]]]:
    with simulator.running() as found:
        found.turn(requests_per_second=None, no_callbacks=True)
        yield found, found.service_account()


@pytest.fixture
def cafe(database: Database, running: tuple[RunningGoogle, dict[str, Any]]) -> Iterator[Cafe]:
    with opened(database, *running, template="tiered_card") as found:
        yield found


@pytest.mark.parametrize("casing", ["upper", "legacy"])
def test_a_tier_is_a_class_and_rising_is_a_patch_of_the_class(cafe: Cafe, casing: str) -> None:
    cafe.running.turn(wire_casing=casing)
    pass_id = cafe.installed(tier=templates.TIERS[0])
    low = cafe.at_google(pass_id)["classId"]
    assert cafe.running.classes()[low]["rewardsTier"] == "Гость"
    cafe.change(pass_id, tier=templates.TIERS[2])
    cafe.work()
    high = cafe.at_google(pass_id)["classId"]
    assert high != low
    assert cafe.running.classes()[high]["rewardsTier"] == "Родня"
    assert ".card.family-" in high
    assert cafe.running.lints() == []
    other = cafe.installed(tier=templates.TIERS[2])
    assert cafe.at_google(other)["classId"] == high
