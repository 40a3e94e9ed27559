"""Rules of programmes: typed, kept as JSON, and refused with every fault named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.db import Database
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import programmes, rules
from app.loyalty.rules import BonusRules, PointRules, Rules
from app.passes.content import LocalizedText
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, EXPIRING, NOW, STAMPS, TIERED


@pytest.mark.parametrize("given", [BONUS, EXPIRING, STAMPS, TIERED])
def test_rules_survive_the_database(database: Database, given: Rules) -> None:
    with database.write() as tx:
        made = towns.build(tx, given).programme
        assert programmes.programme(tx, made.id).rules == given
        assert programmes.programme_by_slug(tx, made.brand_id, "club") == made
        assert programmes.programmes_of_brand(tx, made.brand_id) == [made]
    assert made.kind == rules.kind_of(given)


@pytest.mark.parametrize(
    ("kind", "document", "faults"),
    [
        ("bonus", {}, ["cashback"]),
        ("bonus", {"cashback": 10_001}, ["cashback"]),
        ("bonus", {"cashback": 5.0}, ["cashback"]),
        ("bonus", {"cashback": "5"}, ["cashback"]),
        ("bonus", {"cashback": True}, ["cashback"]),
        ("bonus", {"cashback": -1, "points": {"welcome": -1, "lifetime_days": 0, "typo": 1}},
         ["cashback", "points.welcome", "points.lifetime_days", "points.typo"]),
        ("stamp", {"for_reward": 0}, ["for_reward", "reward"]),
        ("stamp", {"for_reward": 6, "reward": {"ru": " ", "en": "x" * 41}}, ["reward.ru", "reward.en"]),
        ("tiered", {"tiers": [], "window_days": 0}, ["tiers", "window_days"]),
        ("tiered", [], ["rules"]),
    ],
)  # fmt: skip
def test_every_fault_is_named(kind: str, document: Any, faults: list[str]) -> None:
    with pytest.raises(BadInput) as refused:
        rules.from_json(kind, document)
    assert [line.split(":")[0] for line in refused.value.message.splitlines()] == faults


def test_tiers_must_rise_from_nothing_under_names_of_their_own() -> None:
    guest, friend, family = TIERED.tiers
    tiers = (replace(guest, spend_from=5), replace(friend, spend_from=5), replace(family, key="friend"))
    with pytest.raises(BadInput) as refused:
        rules.checked(replace(TIERED, tiers=tiers))
    assert [line.split(":")[0] for line in refused.value.message.splitlines()] == [
        "tiers",
        "tiers.0.spend_from",
        "tiers.1.spend_from",
    ]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(BadInput, match="bonus, stamp, tiered"):
        rules.from_json("lottery", {})


def test_a_draft_is_checked_before_it_is_kept(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        draft = programmes.ProgrammeDraft(
            brand_id=town.brand.id,
            slug="other",
            name="Other",
            rules=BonusRules(cashback=-5, points=PointRules(maximum_share=0)),
        )
        with pytest.raises(BadInput) as refused:
            programmes.create_programme(tx, draft, now=NOW, actor="test")
        assert len(refused.value.message.splitlines()) == 2
        with pytest.raises(NotFound):
            programmes.programme_by_slug(tx, town.brand.id, "other")
        with pytest.raises(Conflict):
            programmes.create_programme(tx, replace(draft, slug="club", rules=BONUS), now=NOW, actor="test")


def test_names_are_kept_in_both_languages() -> None:
    document = rules.to_json(STAMPS)
    assert document["reward"] == {"ru": "бесплатный кофе", "en": "free coffee"}
    assert rules.from_json("stamp", document) == STAMPS
    assert STAMPS.reward == LocalizedText("бесплатный кофе", "free coffee")
