"""What happened within one second is told in the order in which one thing led to the other. Pure."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db.identifiers import (
    DeviceId,
    EnrolmentId,
    PassTypeIdentifier,
    ReceiptId,
    VenueId,
    WalletPassId,
)
from app.loyalty import rules as rulebook
from app.loyalty import tiers
from app.loyalty.rules import TieredRules
from app.loyalty.store_ledger import Receipt
from app.loyalty.tiers import Spend
from app.passes.store_evidence import PassEvidence
from app.reports import timeline_events
from app.reports.store_timeline import CardRow, PassRow, PhoneRow, PushRow
from app.reports.timeline_events import Event, in_order

NOON = datetime(2026, 7, 10, 12, tzinfo=UTC)
LATE = NOON + timedelta(days=1)
CARD, PASS = EnrolmentId(1), WalletPassId(1)


def _after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _kinds(events: list[Event]) -> list[str]:
    """Oldest first, as it went."""
    return [event.kind for event in reversed(in_order(events))]


def _pass(last_modified: datetime, version: int = 3) -> PassRow:
    return PassRow(
        id=PASS, enrolment_id=CARD, pass_type_identifier=PassTypeIdentifier("pass.x"), serial_number="s",
        version=version, last_modified=last_modified, former=False,
    )  # fmt: skip


def _push(**more: Any) -> PushRow:
    given = {
        "device_id": DeviceId(1), "kind": "update", "state": "accepted", "created_at": NOON, "due_at": NOON,
        "attempts": 1, "held_since": None, "lease_until": None, "settled_at": None, "reason": None,
    }  # fmt: skip
    return PushRow(**{**given, **more})


def test_a_card_changes_after_what_changed_it_though_its_date_is_in_whole_seconds() -> None:
    receipt = Event(at=_after(5.7), kind="receipt", topic="points", card=CARD)
    (changed,) = timeline_events.of_passes([_pass(_after(5))], {}, [receipt], now=LATE)
    assert changed.at == receipt.at
    assert _kinds([changed, receipt]) == ["receipt", "changed"]
    earlier = Event(at=_after(4.9), kind="receipt", topic="points", card=CARD)
    (alone,) = timeline_events.of_passes([_pass(_after(5))], {}, [earlier], now=LATE)
    assert alone.at == _after(5)


def test_no_phone_has_a_version_before_it_is_made_though_dates_run_ahead_of_the_clock() -> None:
    proof = PassEvidence(
        PASS, listed_version=3, listed_at=_after(4.1), fetched_version=3, fetched_at=_after(4.3),
        installed_version=2, installed_at=_after(2),
    )  # fmt: skip
    found = list(timeline_events.of_passes([_pass(_after(6))], {PASS: proof}, [], now=LATE))
    assert _kinds(found) == ["installed", "changed", "listed", "fetched"]


def test_a_card_that_changes_twice_within_a_second_changes_before_its_push_is_taken() -> None:
    """The second version's date is a second ahead of the clock."""
    holder = PhoneRow(
        pass_id=PASS, device_id=DeviceId(1), push_service="apple", first_registered_at=NOON,
        registered_at=NOON, contacted_at=None, unreachable_since=None,
    )  # fmt: skip
    receipts = [Event(at=_after(at), kind="receipt", topic="points", card=CARD) for at in (5.2, 5.6)]
    push = _push(created_at=_after(5.2), settled_at=_after(5.9))

    def told(card: PassRow, causes: list[Event], push: PushRow, now: datetime) -> list[Event]:
        of_passes = timeline_events.of_passes([card], {}, causes, phones=[holder], pushes=[push], now=now)
        (accepted,) = (
            event for event in timeline_events.of_phones([], [], [push]) if event.kind == "push_accepted"
        )
        return [*causes, accepted, *of_passes]

    twice = told(_pass(_after(6)), receipts, push, LATE)
    assert _kinds(twice) == ["receipt", "receipt", "changed", "push_accepted"]
    assert twice[-1].at == receipts[1].at
    thrice = [*receipts, Event(at=_after(6.1), kind="receipt", topic="points", card=CARD)]
    assert told(_pass(_after(7)), thrice, push, LATE)[-1].at == _after(6.1)
    # A design was moved within the second of a receipt, long after another; then one alone.
    late = _push(created_at=_after(5.4), settled_at=_after(5.8))
    moved = told(_pass(_after(6)), receipts[:1], late, LATE)
    assert _kinds(moved) == ["receipt", "changed", "push_accepted"]
    assert moved[-1].at == _after(5.4)
    alone = told(_pass(_after(60)), receipts[:1], _push(created_at=_after(60.3), settled_at=_after(61)), LATE)
    assert alone[-1].at == _after(60.3)
    unexplained = told(_pass(_after(6)), [], push, LATE)
    assert unexplained[-1].at == push.settled_at
    assert _kinds(unexplained) == ["changed", "push_accepted"]
    (ahead,) = timeline_events.of_passes([_pass(_after(6))], {}, [], now=_after(5.7))
    assert ahead.at == _after(5.7)  # nothing happened after now


def test_proofs_of_one_moment_follow_the_download() -> None:
    moment = _after(9)
    proof = PassEvidence(
        PASS, listed_version=3, listed_at=moment, fetched_version=3, fetched_at=moment,
        installed_version=3, installed_at=moment,
    )  # fmt: skip
    proofs = list(timeline_events.of_passes([_pass(moment)], {PASS: proof}, [], now=LATE))
    others = [
        Event(at=moment, kind=kind, topic="phone", card=CARD)
        for kind in ("installed", "visit_added", "registered", "push_accepted", "enrolled", "visit_form")
    ]
    for events in (proofs + others[1:], others[1:] + proofs[::-1]):
        assert _kinds(events) == [
            "visit_form", "enrolled", "changed", "push_accepted", "listed", "fetched", "registered",
            "visit_added", "installed",
        ]  # fmt: skip


def test_a_push_that_left_does_not_wait_its_turn_and_two_at_once_are_one_line() -> None:
    pushes = [
        _push(settled_at=_after(1)),
        _push(settled_at=_after(1), device_id=DeviceId(2)),
        _push(created_at=_after(10), settled_at=_after(200)),
        _push(created_at=_after(300), state="pending"),
    ]
    told = timeline_events.of_phones([], [], pushes)
    assert _kinds(list(told)) == ["push_accepted", "push_waited", "push_accepted", "push_promised"]


def test_receipts_of_one_amount_at_one_moment_stay_two() -> None:
    same = [Event(at=NOON, kind="points_accrual", topic="points", card=CARD, facts={"points": 5})] * 2
    assert _kinds(same) == ["points_accrual"] * 2


TIERED = {
    "window_days": 10,
    "tiers": [
        {"key": name.lower(), "name": {"ru": name, "en": name}, "spend_from": spend, "cashback": 500}
        for name, spend in (("Base", 0), ("Silver", 300), ("Gold", 900))
    ],
}


def _levels(receipts: list[Receipt], now: datetime) -> list[tuple[datetime, str, object]]:
    card = CardRow(
        enrolment_id=CARD, programme="Club", kind="tiered", rules=TIERED, venue="V", time_zone="UTC",
        tier=None, enrolled_at=NOON, ended_at=None, merged_into_id=None,
    )  # fmt: skip
    return [(e.at, e.kind, e.facts["en"]) for e in timeline_events.of_tiers([card], receipts, now)]


def _receipts(chance: random.Random, count: int) -> list[Receipt]:
    found = []
    for number in range(count):
        at = _after(chance.randrange(40 * 24) * 3600.0)
        recorded = at + timedelta(hours=chance.choice([0, 1, 30, 300]))
        back = recorded + timedelta(hours=chance.randrange(400)) if chance.random() < 0.3 else None
        found.append(
            Receipt(
                id=ReceiptId(number), venue_id=VenueId(1), enrolment_id=CARD, number=str(number),
                amount=chance.randrange(1, 300), currency="RUB", at=at, recorded_at=recorded,
                refunded_at=back,
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize("seed", range(8))
def test_levels_rise_and_fall_as_they_stand_at_every_moment(seed: int) -> None:
    receipts, now = _receipts(random.Random(seed), 40), _after(60 * 86400.0)
    rules = rulebook.from_json("tiered", TIERED)
    assert isinstance(rules, TieredRules)
    window = timedelta(days=rules.window_days)
    moments = {one.recorded_at for one in receipts} | {one.at + window for one in receipts}
    moments |= {one.refunded_at for one in receipts if one.refunded_at}
    expected, before = [], "Base"
    for moment in sorted(moment for moment in moments if moment <= now):
        spends = [
            Spend(one.at, one.amount) for one in receipts
            if one.recorded_at <= moment and (one.refunded_at is None or one.refunded_at > moment)
        ]  # fmt: skip
        after = tiers.standing(rules, spends, moment).tier.name.en
        if after != before:
            expected.append((moment, after))
        before = after
    assert expected, "a test of nothing"
    assert [(at, name) for at, _kind, name in _levels(receipts, now)] == expected


def test_levels_of_many_receipts_take_time_in_step_with_their_number() -> None:
    few, many = (_receipts(random.Random(1), count) for count in (1_000, 10_000))

    def took(receipts: list[Receipt]) -> float:
        began = time.process_time()
        _levels(receipts, _after(60 * 86400.0))
        return time.process_time() - began

    assert min(took(many) for _ in range(3)) < 40 * max(took(few) for _ in range(3))  # not a hundred times
