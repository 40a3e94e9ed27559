"""Arithmetic and words: points, tiers, stamps, card codes, messages, the choice of places."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.identifiers import BrandId, VenueId
from app.geo.distance import metres
from app.loyalty import card_codes, content, points, stamps, tiers, wording
from app.loyalty.tiers import Spend
from app.places.venues import Venue
from tests.loyalty.town import NOW, STAMPS, TIERED

amounts = st.integers(0, 10**12)


@given(amounts, st.integers(0, 10_000))
def test_points_are_rounded_down_and_never_invented(amount: int, cashback: int) -> None:
    earned = points.earned(amount, cashback, currency="RUB")
    assert earned * 10_000 <= amount * cashback < (earned + 1) * 10_000


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.integers(-5, 5) | st.none()), max_size=8),
    st.integers(0, 3000),
)
def test_lots_that_expire_first_are_used_first(given_lots: list[tuple[int, int | None]], wanted: int) -> None:
    lots = [
        points.Lot(i, i, size, size, None if days is None else NOW + timedelta(days=days))
        for i, (size, days) in enumerate(given_lots)
    ]
    order = points.in_order_of_use(lots)
    if wanted > sum(lot.remaining for lot in lots):
        with pytest.raises(ValueError, match="lack"):
            points.taken(order, wanted)
        return
    uses = points.taken(order, wanted)
    assert sum(use.points for use in uses) == wanted
    left = {lot.id: lot.remaining for lot in lots}
    for use in uses:
        left[use.lot_id] -= use.points
    assert min(left.values(), default=0) >= 0
    # Whatever is left of a lot, nothing was taken from one behind it.
    touched = [left[lot.id] != lot.remaining for lot in order]
    untouched_from = next((i for i, lot in enumerate(order) if left[lot.id]), len(order))
    assert not any(touched[untouched_from + 1 :])
    assert [lot.expires_at is None for lot in order] == sorted(lot.expires_at is None for lot in order)


@given(st.lists(st.tuples(st.integers(-400, 0), st.integers(1, 3_000_000)), max_size=12))
def test_a_tier_holds_exactly_until_it_is_due(history: list[tuple[int, int]]) -> None:
    spends = [Spend(NOW + timedelta(days=days), amount) for days, amount in history]
    now = tiers.standing(TIERED, spends, NOW)
    counted = sum(spend.amount for spend in spends if spend.at > NOW - timedelta(days=365))
    assert now.spend == counted
    assert now.tier.spend_from <= counted
    assert now.next_tier is None or counted + now.missing == now.next_tier.spend_from > counted
    if now.due_at is None:
        assert now.tier == TIERED.tiers[0]
        return
    before = tiers.standing(TIERED, spends, now.due_at - timedelta(microseconds=1))
    assert before.tier == now.tier
    assert tiers.standing(TIERED, spends, now.due_at).tier.spend_from < now.tier.spend_from


@pytest.mark.parametrize(("held", "rewards", "missing"), [(0, 0, 6), (5, 0, 1), (6, 1, 6), (13, 2, 5)])
def test_stamps_make_rewards(held: int, rewards: int, missing: int) -> None:
    card = stamps.card(STAMPS, held)
    assert (card.rewards, card.missing) == (rewards, missing)


def test_card_codes_differ_and_are_understood_however_they_are_written() -> None:
    codes = {card_codes.new_card_code() for _ in range(1000)}
    assert len(codes) == 1000
    for code in codes:
        assert code.isascii()
        assert len(code) == 14
        assert card_codes.understood(f" {code.lower().replace('-', ' ')} ") == code
    assert card_codes.understood("OIL0-0000-0000") == "0110-0000-0000"
    assert card_codes.understood("U000-0000-0000") is None
    assert card_codes.understood("0000-0000-000") is None


@pytest.mark.parametrize(
    ("hundredths", "ru"),
    [(100, "+1 балл"), (200, "+2 балла"), (500, "+5 баллов"), (1100, "+11 баллов"), (2100, "+21 балл"),
     (2200, "+22 балла"), (150, "+1,5 балла"), (1_234_500, "+12\u00a0345 баллов"), (-300, "−3 балла")],
)  # fmt: skip
def test_russian_nouns_follow_their_numbers(hundredths: int, ru: str) -> None:
    balance = 50 if hundredths % 100 else 0
    text = wording.message(wording.News(points=hundredths, balance=balance))
    assert text is not None
    assert text.ru.split(" · ")[0] == ru


@pytest.mark.parametrize(
    ("count", "ru", "en"),
    [(1, "1 штамп", "1 stamp"), (3, "3 штампа", "3 stamps"), (11, "11 штампов", "11 stamps")],
)
def test_stamps_are_counted_in_words(count: int, ru: str, en: str) -> None:
    assert (wording.counted(count, "ru"), wording.counted(count, "en")) == (ru, en)


def test_nothing_happened_is_no_message() -> None:
    assert wording.message(wording.News(balance=5)) is None


def _venue(number: int, latitude: float | None, longitude: float | None) -> Venue:
    return Venue(
        id=VenueId(number), brand_id=BrandId(1), slug=f"v{number}", name="V", address="A", latitude=latitude,
        longitude=longitude, time_zone="Europe/Moscow", relevant_text_ru="Рядом", relevant_text_en=None,
        created_at=NOW, closed_at=None,
    )  # fmt: skip


def test_a_card_knows_its_home_and_the_nine_places_nearest_to_it() -> None:
    chain = [_venue(number, 55 + number / 10, 37) for number in range(15)]
    chosen = content.locations([*chain, _venue(99, None, None)], home=VenueId(7))
    assert chosen[0].latitude == 55.7
    assert {place.latitude for place in chosen} == {55 + n / 10 for n in range(2, 12)} or len(chosen) == 10
    farthest = max(metres(55.7, 37, place.latitude, place.longitude) for place in chosen)
    left_out = [
        v for v in chain if (v.latitude, v.longitude) not in {(p.latitude, p.longitude) for p in chosen}
    ]
    assert all(metres(55.7, 37, v.latitude or 0, 37) >= farthest - 1 for v in left_out)
    assert chosen[0].relevant_text is not None
    assert chosen[0].relevant_text.en == "Рядом"  # better in the other language than silent


def test_places_keep_their_order_where_home_is_nowhere() -> None:
    chain = [_venue(number, 55 - number, 37) for number in range(3)]
    assert [p.latitude for p in content.locations(chain, home=VenueId(50))] == [55, 54, 53]
    assert content.locations([], home=VenueId(1)) == ()
    assert [
        p.latitude
        for p in content.locations([replace(chain[0], latitude=None, longitude=None)], home=VenueId(0))
    ] == []
