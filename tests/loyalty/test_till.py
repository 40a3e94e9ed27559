"""What a till does to a card: receipts, redemptions, refunds, and what the guest is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.db import Database, Tx
from app.db.identifiers import DeviceLibraryIdentifier, GoogleIssuerId, PushToken
from app.delivery.tables import delivery
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import enrolment, members, periodic, till
from app.loyalty.enrolment import Enrolment
from app.loyalty.rules import BonusRules, PointRules
from app.loyalty.store_ledger import Entry
from app.passes import issuing, registrations, store_google
from app.passes.content import PassContent
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, EXPIRING, NOW, STAMPS, TIERED, Town


def _receipt(
    tx: Tx, town: Town, guest: Enrolment, number: str, amount: int, *, days_ago: float = 0
) -> till.Recorded:
    draft = till.ReceiptDraft(
        card=guest.card_code,
        number=number,
        amount=amount,
        currency=town.brand.currency,
        at=NOW - timedelta(days=days_ago),
    )
    return till.record_receipt(tx, draft, brand_id=town.brand.id, venue_id=town.venue.id, now=NOW)


def _redeem(tx: Tx, town: Town, guest: Enrolment, points: int, amount: int | None = None) -> till.Redeemed:
    wanted = till.Redemption(
        card=guest.card_code, points=points, amount=amount, currency=town.brand.currency if amount else None
    )
    return till.redeem(tx, wanted, brand_id=town.brand.id, venue_id=town.venue.id, now=NOW)


def _reward(tx: Tx, town: Town, guest: Enrolment) -> till.Redeemed:
    wanted = till.Redemption(card=guest.card_code, reward=True)
    return till.redeem(tx, wanted, brand_id=town.brand.id, venue_id=town.venue.id, now=NOW)


def _refund(tx: Tx, town: Town, number: str) -> till.Refunded:
    return till.refund_receipt(tx, number, brand_id=town.brand.id, venue_id=town.venue.id, now=NOW)


def _content(tx: Tx, guest: Enrolment) -> PassContent:
    return issuing.wallet_pass(tx, guest.pass_id).content


def _ledger(tx: Tx, guest: Enrolment) -> list[Entry]:
    return members.show(tx, guest.member_id).entries


def test_a_receipt_earns_points_and_says_so_in_both_languages(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest = towns.guest(tx, town)
        recorded = _receipt(tx, town, guest, "1", 90_00)
        content = _content(tx, guest)
    assert recorded.points == 4_50
    assert recorded.card.balance == content.balance == 4_50
    assert recorded.card.name_initial == "А"
    assert content.messages[0].text.en == "+4.5 points · balance 4.5"
    assert content.messages[0].text.ru == "+4,5 балла · баланс 4,5"
    assert content.messages[0].at == NOW


def test_a_hundredth_is_never_rounded_up(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        assert _receipt(tx, town, towns.guest(tx, town), "1", 1_99).points == 9


def test_a_receipt_too_small_to_earn_changes_nothing_on_the_card(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest = towns.guest(tx, town)
        before = issuing.wallet_pass(tx, guest.pass_id)
        assert _receipt(tx, town, guest, "1", 1).points == 0
        assert issuing.wallet_pass(tx, guest.pass_id) == before


def test_the_card_keeps_the_last_five_messages_newest_first(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest = towns.guest(tx, town)
        for number in range(1, 8):
            _receipt(tx, town, guest, str(number), 20_00)
        texts = [message.text.en for message in _content(tx, guest).messages]
    assert texts == [
        "+1 point · balance 7",
        "+1 point · balance 6",
        "+1 point · balance 5",
        "+1 point · balance 4",
        "+1 point · balance 3",
    ]


def test_the_same_receipt_counts_once(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest, other = towns.guest(tx, town), towns.guest(tx, town)
        _receipt(tx, town, guest, "1", 90_00)
        for again in (guest, other):
            with pytest.raises(Conflict) as refused:
                _receipt(tx, town, again, "1", 90_00)
            assert refused.value.code == "receipt-recorded"
        assert enrolment.enrolment(tx, guest.id).balance == 4_50
        assert enrolment.enrolment(tx, other.id).balance == 0


def test_a_level_up_and_its_receipt_are_one_message(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, TIERED)
        guest = towns.guest(tx, town)
        low = _receipt(tx, town, guest, "1", 9_999_00)
        high = _receipt(tx, town, guest, "2", 100_00)
        content = _content(tx, guest)
        next_one = _receipt(tx, town, guest, "3", 100_00)
    assert (low.risen, high.risen) == (False, True)
    assert high.points == 3_00  # by the tier held before
    assert next_one.points == 5_00
    assert content.messages[0].text.en == "+3 points · balance 302.97 · new level: Friend"
    assert content.messages[0].text.ru == "+3 балла · баланс 302,97 · новый уровень: Друг"
    assert len(content.messages) == 3
    assert content.tier is not None
    assert content.tier.ru == "Друг"


def test_a_level_without_points_ranks_below_a_receipt_at_google_and_with_receipts_at_apple(
    database: Database,
) -> None:
    free = replace(TIERED, tiers=(replace(TIERED.tiers[0], cashback=0), *TIERED.tiers[1:]))
    with database.write() as tx:
        town = towns.build(tx, free)
        guest = towns.guest(tx, town)
        registrations.register(
            tx,
            device_library_identifier=DeviceLibraryIdentifier("phone"),
            pass_id=guest.pass_id,
            pass_type_identifier=issuing.wallet_pass(tx, guest.pass_id).pass_type_identifier,
            push_token=PushToken("70ken"),
            now=NOW,
        )
        issuer = GoogleIssuerId("3388")
        store_google.add_object(
            tx, pass_id=guest.pass_id, brand_id=town.brand.id, issuer_id=issuer, resource_id="3388.a", now=NOW
        )

        def promised() -> list[str]:
            kinds = select(delivery.c.kind).where(delivery.c.state == "pending")
            return list(tx.scalars(kinds.order_by(delivery.c.channel)))

        _receipt(tx, town, guest, "1", 9_999_00)
        assert promised() == [], "nothing on the card changed"
        assert _receipt(tx, town, guest, "2", 100_00).risen
        assert promised() == ["receipt", "level"]
        _receipt(tx, town, guest, "3", 100_00)
        assert promised() == ["receipt", "receipt"]


def test_a_refund_takes_the_points_and_the_tier_back_once(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, TIERED)
        guest = towns.guest(tx, town)
        _receipt(tx, town, guest, "1", 10_000_00)
        refunded = _refund(tx, town, "1")
        content = _content(tx, guest)
        with pytest.raises(Conflict) as refused:
            _refund(tx, town, "1")
        entries = _ledger(tx, guest)
    assert refunded.points == 300_00
    assert refunded.card.balance == 0
    assert refused.value.code == "receipt-refunded"
    assert [(entry.kind, entry.points) for entry in entries] == [
        ("accrual", 300_00),
        ("receipt_refund", -300_00),
    ]
    assert entries[1].reverses_id == entries[0].id
    assert content.tier is not None
    assert content.tier.en == "Guest"
    assert content.messages[0].text.en == "Refund · −300 points · balance 0"


def test_a_refund_never_takes_more_than_is_there(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest = towns.guest(tx, town)
        _receipt(tx, town, guest, "1", 1_000_00)
        _redeem(tx, town, guest, 40_00)
        assert _refund(tx, town, "1").points == 10_00
        assert enrolment.enrolment(tx, guest.id).balance == 0


def test_a_refund_does_not_take_back_what_expired(database: Database) -> None:
    later = NOW + timedelta(days=30)
    with database.write() as tx:
        town = towns.build(tx, BonusRules(cashback=500, points=PointRules(lifetime_days=30)))
        guest = towns.guest(tx, town)
        _receipt(tx, town, guest, "1", 1_000_00)
        fresh = till.ReceiptDraft(card=guest.card_code, number="2", amount=600_00, currency="RUB", at=later)
        till.record_receipt(tx, fresh, brand_id=town.brand.id, venue_id=town.venue.id, now=later)
        assert enrolment.enrolment(tx, guest.id).balance == 30_00
        refunded = till.refund_receipt(tx, "1", brand_id=town.brand.id, venue_id=town.venue.id, now=later)
    assert refunded.points == 0
    assert refunded.card.balance == 30_00


def test_points_pay_and_the_card_says_so(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        guest = towns.guest(tx, town)
        redeemed = _redeem(tx, town, guest, 75_00, amount=200_00)
        content = _content(tx, guest)
    assert (redeemed.points, redeemed.worth) == (75_00, 75_00)
    assert content.balance == 25_00
    assert content.messages[0].text.ru == "−75 баллов · баланс 25"


@pytest.mark.parametrize(
    ("points", "amount", "code"),
    [
        (100_01, 1_000_00, "not-enough-points"),
        (60_00, 100_00, "share-exceeded"),
        (60_00, None, "amount-needed"),
        (0, 100_00, "bad-points"),
        (-5, 100_00, "bad-points"),
    ],
)
def test_what_may_not_be_redeemed_is_refused(
    database: Database, points: int, amount: int | None, code: str
) -> None:
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        guest = towns.guest(tx, town)
        with pytest.raises((BadInput, Conflict)) as refused:
            _redeem(tx, town, guest, points, amount)
        assert refused.value.code == code
        assert enrolment.enrolment(tx, guest.id).balance == 100_00
        assert len(_ledger(tx, guest)) == 1


def test_stamps_fill_the_card_and_earn_the_reward(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, STAMPS)
        guest = towns.guest(tx, town)
        with pytest.raises(Conflict, match="6 stamps"):
            _reward(tx, town, guest)
        for number in range(1, 8):
            recorded = _receipt(tx, town, guest, str(number), 1_00)
        texts = [message.text.ru for message in _content(tx, guest).messages]
        redeemed = _reward(tx, town, guest)
        content = _content(tx, guest)
    assert recorded.card.stamps is not None
    assert (recorded.card.stamps.stamps, recorded.card.stamps.rewards) == (7, 1)
    assert texts[:3] == [
        "+1 штамп · вас ждёт награда: бесплатный кофе\N{WORD JOINER}",  # or iOS would find nothing new
        "+1 штамп · вас ждёт награда: бесплатный кофе",
        "+1 штамп · до награды 1 штамп",
    ]
    assert redeemed.stamps == 6
    assert content.stamps == 1
    assert content.messages[0].text.en == "Your reward: free coffee · 1 stamp left"


def test_a_stamp_programme_knows_no_points_and_a_bonus_programme_no_reward(database: Database) -> None:
    with database.write() as tx:
        stamps = towns.build(tx, STAMPS)
        bonus = towns.build(tx, BONUS, slug="tea")
        with pytest.raises(BadInput, match="stamps, not points"):
            _redeem(tx, stamps, towns.guest(tx, stamps), 1)
        with pytest.raises(BadInput, match="points, not rewards"):
            _reward(tx, bonus, towns.guest(tx, bonus))


def test_another_brands_card_does_not_exist(database: Database) -> None:
    with database.write() as tx:
        town, other = towns.build(tx, BONUS), towns.build(tx, BONUS, slug="tea")
        guest = towns.guest(tx, town)
        for act in (
            lambda: _receipt(tx, other, guest, "1", 100),
            lambda: _redeem(tx, other, guest, 1),
            lambda: till.card(tx, guest.card_code, brand_id=other.brand.id, now=NOW),
        ):
            with pytest.raises(NotFound) as refused:
                act()
            assert refused.value.code == "no-such-card"
        _receipt(tx, town, guest, "1", 100)
        with pytest.raises(NotFound):
            _refund(tx, other, "1")


def test_a_removed_member_is_nobody_and_the_books_stay(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest = towns.guest(tx, town)
        _receipt(tx, town, guest, "1", 100_00)
        members.remove(tx, guest.member_id, now=NOW)
        members.remove(tx, guest.member_id, now=NOW + timedelta(days=1))
        timeline = members.show(tx, guest.member_id)
        wallet_pass = issuing.wallet_pass(tx, guest.pass_id)
    assert timeline.name is None
    assert timeline.removed_at == NOW
    assert [entry.points for entry in timeline.entries] == [5_00]
    assert len(timeline.receipts) == 1
    assert len(timeline.consents) == 2
    assert wallet_pass.voided_at == NOW
    assert wallet_pass.content.member_name is None


def test_no_call_of_a_till_reaches_the_card_of_a_removed_member(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, TIERED)
        guest = towns.guest(tx, town)
        _receipt(tx, town, guest, "1", 20_000_00)
        members.remove(tx, guest.member_id, now=NOW)
        before = (members.show(tx, guest.member_id), issuing.wallet_pass(tx, guest.pass_id))
        for act in (
            lambda: _receipt(tx, town, guest, "2", 100_00),
            lambda: _redeem(tx, town, guest, 1_00),
            lambda: _refund(tx, town, "1"),
            lambda: till.card(tx, guest.card_code, brand_id=town.brand.id, now=NOW),
        ):
            with pytest.raises(NotFound) as refused:
                act()
            assert refused.value.code == "no-such-card"
        assert (members.show(tx, guest.member_id), issuing.wallet_pass(tx, guest.pass_id)) == before
    assert before[0].enrolments[0].tier == "friend"


@pytest.mark.parametrize("number", ["", "x" * 65, "a b", "a/b", "..", "a\n"])
def test_a_receipts_number_must_be_safe_in_an_address(database: Database, number: str) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        with pytest.raises(BadInput) as refused:
            _receipt(tx, town, towns.guest(tx, town), number, 100)
    assert refused.value.field == "number"


def test_a_receipt_from_the_future_or_too_old_is_refused(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest = towns.guest(tx, town)
        for days_ago in (-0.01, 30.01):
            with pytest.raises(BadInput) as refused:
                _receipt(tx, town, guest, "1", 100, days_ago=days_ago)
            assert refused.value.field == "at"
        _receipt(tx, town, guest, "1", 100, days_ago=-0.003)
        _receipt(tx, town, guest, "2", 100, days_ago=29.9)


def test_points_expire_silently_and_only_when_their_time_is_over(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        guest = towns.guest(tx, town)
        before = issuing.wallet_pass(tx, guest.pass_id)
        last_moment = NOW + timedelta(days=90)
        assert periodic.expire_lots(tx, now=last_moment - timedelta(seconds=1)) == 0
        assert till.card(tx, guest.card_code, brand_id=town.brand.id, now=last_moment).balance == 0
        assert periodic.expire_lots(tx, now=last_moment) == 1
        assert periodic.expire_lots(tx, now=last_moment) == 0
        after = issuing.wallet_pass(tx, guest.pass_id)
        assert enrolment.enrolment(tx, guest.id).balance == 0
        assert [entry.kind for entry in _ledger(tx, guest)] == ["accrual", "expiry"]
    assert after.content.balance == 0
    assert after.content.messages == before.content.messages
    assert after.version == before.version + 1


def test_expired_points_cannot_be_spent_before_the_tick_came(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        guest = towns.guest(tx, town)
    wanted = till.Redemption(card=guest.card_code, points=1, amount=100_00, currency="RUB")
    later = NOW + timedelta(days=90)
    with pytest.raises(Conflict, match="0 points"), database.write() as tx:
        till.redeem(tx, wanted, brand_id=town.brand.id, venue_id=town.venue.id, now=later)


def test_a_tier_falls_when_its_receipts_leave_the_window(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, TIERED)
        guest = towns.guest(tx, town)
        _receipt(tx, town, guest, "1", 10_000_00, days_ago=10)
        ends = NOW + timedelta(days=355)
        assert periodic.recompute_tiers(tx, now=ends - timedelta(seconds=1)) == 0
        assert periodic.recompute_tiers(tx, now=ends) == 1
        assert periodic.recompute_tiers(tx, now=ends) == 0
        content = _content(tx, guest)
        assert enrolment.enrolment(tx, guest.id).tier == "guest"
    assert content.tier is not None
    assert content.tier.en == "Guest"
    assert len(content.messages) == 2


def test_a_receipt_after_the_fall_earns_by_the_lower_tier_though_no_tick_came(database: Database) -> None:
    later = NOW + timedelta(days=400)
    with database.write() as tx:
        town = towns.build(tx, TIERED)
        guest = towns.guest(tx, town)
        _receipt(tx, town, guest, "1", 10_000_00)
        draft = till.ReceiptDraft(card=guest.card_code, number="2", amount=100_00, currency="RUB", at=later)
        recorded = till.record_receipt(tx, draft, brand_id=town.brand.id, venue_id=town.venue.id, now=later)
    assert recorded.points == 3_00
    assert recorded.card.tier is not None
    assert recorded.card.tier.key == "guest"


def test_a_yen_has_no_hundredths_and_a_point_is_worth_one(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS, currency="JPY")
        guest = towns.guest(tx, town)
        assert _receipt(tx, town, guest, "1", 1_050).points == 52_50
        assert _redeem(tx, town, guest, 52_00).worth == 52
        with pytest.raises(BadInput, match="no whole amount"):
            _redeem(tx, town, guest, 50)
