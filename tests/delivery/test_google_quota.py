"""Three notifications for a pass in any 24 hours, whatever became of the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery import google, google_quota
from app.delivery.google_promises import (
    HELD_BY_QUOTA,
    NO_HOLDER,
    NOTIFIED,
    SILENT,
    UNCHANGED,
    Shown,
    shown,
)
from app.delivery.google_quota import COUNTED, MOST, WINDOW, Entry
from app.delivery.promises import State
from tests.delivery.conftest import NOON

HOUR = timedelta(hours=1)
fates = st.sampled_from(["asked", "notified", "no_holder", "held", "quota", "unused"])


@given(
    asks=st.lists(st.tuples(st.floats(0, 20), fates), max_size=40),
)
def test_no_window_holds_more_than_three(asks: list[tuple[float, google_quota.Fate]]) -> None:
    now, entries = NOON, list[Entry]()
    for hours, fate in asks:
        now += timedelta(hours=hours)
        if google_quota.room(entries, now=now):
            assert google_quota.free_at(entries, now=now) == now
            entries.append(Entry(now, fate))
        else:
            free = google_quota.free_at(entries, now=now)
            assert free > now
            assert google_quota.room(entries, now=free), "then there is room"
            assert not google_quota.room(entries, now=free - timedelta(seconds=1))
    counted = [entry.at for entry in entries if entry.outcome in COUNTED]
    for first in counted:
        assert sum(first <= one < first + WINDOW for one in counted) <= MOST


def test_a_refusal_of_googles_is_believed_for_an_hour() -> None:
    refused = [Entry(NOON, "quota")]
    assert google_quota.room(refused, now=NOON + HOUR / 2) == 0
    assert google_quota.room(refused, now=NOON + HOUR) == MOST


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("accepted", NOTIFIED, "accepted"),
        ("accepted", SILENT, "accepted_silently"),
        ("accepted", UNCHANGED, "accepted_silently"),
        ("accepted", NO_HOLDER, "no_holder"),
        ("accepted", HELD_BY_QUOTA, "held_by_quota"),
        ("refused", "invalid", "failed"),
        ("exhausted", "unreachable", "failed"),
        ("gone", "NoGoogleDesign", "failed"),
        ("pending", None, None),
        ("superseded", "NewerPending", None),
    ],
)
def test_people_are_told_five_things_and_never_of_a_delivery(
    state: State, reason: str | None, said: Shown | None
) -> None:
    assert shown(state, reason) == said
    assert "deliver" not in str(said)


def test_how_long_a_campaign_takes_is_known_before_it_is_sent() -> None:
    assert google.estimate(120_000) == timedelta(seconds=12_000)
    assert google.estimate(120_000, notifying=False) == timedelta(seconds=6_000)
    assert google.estimate(100, rate=100, ahead=900) == timedelta(seconds=20)
    assert google.estimate(0) == timedelta(0)
