"""A member who changes tier moves to that tier's class; enums come in both casings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.db import Database
from app.delivery import store_google_quota
from app.passes import google_broadcasts
from app.passes.content import LocalizedText
from app.simulators import google as simulator
from app.simulators.google import RunningGoogle
from tests.passes import templates
from tests.worker.google_hand import Cafe, opened

NEWS = LocalizedText("Новое меню", "A new menu")


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


def test_who_rises_into_a_class_that_is_about_to_be_told_something_is_counted_too(
    cafe: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_broadcasts, "AT_ONCE", 1)
    rising = cafe.installed(tier=templates.TIERS[0])
    for _ in range(2):
        cafe.installed(tier=templates.TIERS[2])
    with cafe.database.write() as tx:
        found = google_broadcasts.audiences(tx, cafe.programme_id)
        (family,) = [one for one in found if one.tier == templates.TIERS[2]]
        google_broadcasts.tell_all(tx, family, NEWS, announcement="campaign:1", now=cafe.now)
    assert cafe.take() == (), "one of two is counted"
    cafe.change(rising, kind="silent", tier=templates.TIERS[2])
    cafe.work()
    card = cafe.card(rising).object_id
    assert [one.outcome for one in cafe.notices(rising)] == ["shown"]
    with cafe.database.read() as tx:
        lines = store_google_quota.ledgers(tx, [card], now=cafe.now)[card]
    assert [entry.outcome for entry in lines.values()] == ["notified"]
