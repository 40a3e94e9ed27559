"""Two cards become one: nothing is lost, nothing counts twice, and tills and phones find their way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.accounts import audit
from app.db import Database, Tx
from app.db.identifiers import MemberId
from app.delivery import texts
from app.delivery.text_promises import TextDraft
from app.errors import Conflict, NotFound
from app.loyalty import consents, enrolment, members, merging, periodic, programmes, store_contacts, till
from app.loyalty.enrolment import Enrolment, EnrolmentRequest
from app.loyalty.rules import BonusRules, PointRules
from app.loyalty.tables import ledger_entry, lot
from app.passes import issuing
from tests.loyalty import town as towns
from tests.loyalty.town import ADVERTISING, BONUS, DATA, NOW, STAMPS, TIERED, Town
from tests.tables import nothing_changes

DAY = timedelta(days=1)
EXPIRING = BonusRules(cashback=1_000, points=PointRules(lifetime_days=30))


def receipt(tx: Tx, town: Town, card: str, number: str, amount: int, *, day: float = 0) -> till.Recorded:
    at = NOW + day * DAY
    draft = till.ReceiptDraft(card=card, number=number, amount=amount, currency="RUB", at=at)
    return till.record_receipt(tx, draft, brand_id=town.brand.id, venue_id=town.venue.id, now=at)


def refund(tx: Tx, town: Town, number: str, *, day: float = 0) -> till.Refunded:
    now = NOW + day * DAY
    return till.refund_receipt(tx, number, brand_id=town.brand.id, venue_id=town.venue.id, now=now)


def merge(tx: Tx, living: Enrolment, ending: Enrolment, *, day: float = 0) -> Enrolment:
    return merging.merge(tx, living=living.id, ending=ending.id, now=NOW + day * DAY, actor="test")


def books(tx: Tx, card: Enrolment) -> int:
    """The balance, after a look whether entries, lots and the card say the same."""
    found = enrolment.enrolment(tx, card.id)
    mine = ledger_entry.c.enrolment_id == card.id
    entries = tx.scalar(select(func.coalesce(func.sum(ledger_entry.c.points), 0)).where(mine))
    stamps = tx.scalar(select(func.coalesce(func.sum(ledger_entry.c.stamps), 0)).where(mine))
    left = tx.scalar(select(func.coalesce(func.sum(lot.c.remaining), 0)).where(lot.c.enrolment_id == card.id))
    assert (found.balance, found.stamps) == (entries, stamps)
    assert found.balance == left
    if found.ended_at is None:
        content = issuing.wallet_pass(tx, card.pass_id).content
        assert (content.balance, content.stamps) == (found.balance, found.stamps)
    return found.balance


def test_a_text_that_waits_goes_on_by_the_consent_of_the_one_who_lives_on(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        old, new = towns.guest(tx, town), towns.guest(tx, town)
        draft = TextDraft(
            brand_id=town.brand.id,
            member_id=new.member_id,
            login="main",
            kind="advertising",
            number="+79161234567",
            text="Пирог недели",
            encoding="ucs2",
            sender=None,
            parts=1,
            price=None,
            currency=None,
            due_at=NOW,
            not_after=None,
        )
        promised = texts.enqueue_text(tx, draft, now=NOW)
        merge(tx, old, new)
        assert [one.id for one in texts.texts_of_member(tx, old.member_id)] == [promised]
        assert texts.texts_of_member(tx, new.member_id) == []


def test_balances_add_up_and_the_other_card_points_to_the_one_that_lives_on(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        old, new = towns.guest(tx, town), towns.guest(tx, town)
        receipt(tx, town, old.card_code, "1", 100_00)
        receipt(tx, town, new.card_code, "2", 250_00)
        living = merge(tx, old, new)
        ended = enrolment.enrolment(tx, new.id)
        assert (living.id, living.balance, books(tx, old), books(tx, new)) == (old.id, 35_00, 35_00, 0)
        assert (ended.merged_into_id, ended.ended_at, ended.member_id) == (old.id, NOW, old.member_id)
        assert enrolment.living(tx, ended) == living
        tombstone, card = (issuing.wallet_pass(tx, one.pass_id) for one in (new, old))
        assert tombstone.voided_at == NOW
        assert tombstone.content.voided
        assert tombstone.content.member_name is None
        assert tombstone.content.card_code == "VOID"
        assert card.content.messages[0].text.en == "Your cards are one now · +25 points · balance 35"
        assert card.content.messages[0].text.ru == "Ваши карты объединены · +25 баллов · баланс 35"
        assert card.tag == tombstone.tag  # one transaction, one tag
        timeline = members.show(tx, old.member_id)
        assert [one.id for one in timeline.enrolments] == [old.id, new.id]
        assert [one.number for one in timeline.receipts] == ["1", "2"]
        assert [one.action for one in audit.entries(tx, limit=1)] == ["member.merged"]


def test_tills_find_the_living_card_under_the_old_code(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        other = towns.build(tx, BONUS, slug="tea")
        first, second, third = (towns.guest(tx, town) for _ in range(3))
        merge(tx, second, third)
        merge(tx, first, second)  # two steps to the card that lives on
        for code in (first.card_code, second.card_code, third.card_code):
            view = till.card(tx, code, brand_id=town.brand.id, now=NOW)
            assert view.code == first.card_code
            recorded = receipt(tx, town, code, f"r-{code}", 100_00)
            assert recorded.card.code == first.card_code
            with pytest.raises(NotFound):
                till.card(tx, code, brand_id=other.brand.id, now=NOW)
        wanted = till.Redemption(card=third.card_code, points=14_00)
        redeemed = till.redeem(tx, wanted, brand_id=town.brand.id, venue_id=town.venue.id, now=NOW)
        assert redeemed.card.balance == books(tx, first) == 1_00
        members.remove(tx, third.member_id, now=NOW)  # merged: it is the same guest
        for code in (first.card_code, second.card_code, third.card_code):
            with pytest.raises(NotFound):
                till.card(tx, code, brand_id=town.brand.id, now=NOW)
            with pytest.raises(NotFound):
                receipt(tx, town, code, f"s-{code}", 100_00)


def test_a_refund_of_the_ended_cards_receipt_reaches_the_living_account(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        first, second, third = (towns.guest(tx, town) for _ in range(3))
        receipt(tx, town, third.card_code, "mine", 300_00)
        receipt(tx, town, first.card_code, "later", 100_00, day=5)
        merge(tx, second, third, day=6)
        merge(tx, first, second, day=7)
        refunded = refund(tx, town, "mine", day=8)
        assert (refunded.points, refunded.card.code, refunded.card.balance) == (30_00, first.card_code, 10_00)
        assert books(tx, first) == 10_00
        remaining = tx.execute(
            select(lot.c.remaining, lot.c.expires_at).where(
                lot.c.enrolment_id == first.id, lot.c.remaining > 0
            )
        ).all()
        assert [tuple(row) for row in remaining] == [(10_00, NOW + 35 * DAY)]  # its own points went first
        with pytest.raises(Conflict):
            refund(tx, town, "mine", day=8)


def test_points_keep_their_expiry_and_a_refund_takes_nothing_that_expired(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        first, second, third = (towns.guest(tx, town) for _ in range(3))
        receipt(tx, town, third.card_code, "over", 500_00, day=-29)
        receipt(tx, town, third.card_code, "soon", 200_00, day=-10)
        receipt(tx, town, first.card_code, "fresh", 100_00)
        merge(tx, second, third)
        later = 2.0  # the first lot is over, on the card in the middle
        merge(tx, first, second, day=later)
        assert books(tx, first) == 30_00
        assert refund(tx, town, "over", day=later).points == 0
        assert periodic.expire_lots(tx, now=NOW + 20 * DAY) == 1
        assert books(tx, first) == 10_00
        assert refund(tx, town, "soon", day=21).points == 0
        assert books(tx, first) == 10_00


def test_receipts_of_both_cards_count_for_the_tier(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, TIERED)
        old, new = towns.guest(tx, town), towns.guest(tx, town)
        receipt(tx, town, old.card_code, "1", 6_000_00)
        receipt(tx, town, new.card_code, "2", 6_000_00)
        living = merge(tx, old, new)
        assert living.tier == "friend"
        assert living.tier_due_at is not None
        content = issuing.wallet_pass(tx, old.pass_id).content
        assert content.messages[0].text.en == (
            "Your cards are one now · +180 points · balance 360 · new level: Friend"
        )
        refund(tx, town, "2")
        assert enrolment.enrolment(tx, old.id).tier == "guest"


def test_stamps_add_up_to_a_reward(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, STAMPS)
        old, new = towns.guest(tx, town), towns.guest(tx, town)
        for number in range(7):
            receipt(tx, town, (old if number < 3 else new).card_code, str(number), 100)
        living = merge(tx, old, new)
        assert (living.stamps, books(tx, old), books(tx, new)) == (7, 0, 0)
        assert enrolment.enrolment(tx, new.id).stamps == 0
        text = issuing.wallet_pass(tx, old.pass_id).content.messages[0].text
        assert text.ru == "Ваши карты объединены · +4 штампа · вас ждёт награда: бесплатный кофе"
        assert refund(tx, town, "6").stamps == 1
        assert enrolment.enrolment(tx, old.id).stamps == 6


def test_empty_cards_merge_without_an_entry(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        old, new = towns.guest(tx, town), towns.guest(tx, town)
        merge(tx, old, new)
        assert members.show(tx, old.member_id).entries == []
        assert issuing.wallet_pass(tx, old.pass_id).content.messages[0].text.en == "Your cards are one now"


def test_members_become_one_and_the_strictest_word_counts(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        willing = replace(ADVERTISING, granted=True)

        def guest(day: int, *, name: str | None, granted: bool) -> Enrolment:
            request = replace(
                towns.request(town, None, name=name), consents=(DATA, replace(willing, granted=granted))
            )
            return enrolment.enrol(tx, request, now=NOW + day * DAY)

        old, new = guest(0, name=None, granted=True), guest(1, name="Анна", granted=True)
        members.set_birthday(tx, new.member_id, month=5, day=9)
        store_contacts.set_phone(tx, new.member_id, "+79123456789")
        assert consents.withdraw(
            tx, old.member_id, source="page", text="нет", text_version="1", language="ru", now=NOW + DAY / 2
        )
        merge(tx, old, new, day=2)
        known = members.show(tx, old.member_id)
        assert (known.name, known.phone, known.birthday) == ("Анна", "+79123456789", "05-09")
        assert issuing.wallet_pass(tx, old.pass_id).content.member_name == "Анна"
        said = [(row.purpose, row.granted, row.at - NOW) for row in known.consents]
        assert said == [
            ("data", True, 0 * DAY),
            ("advertising", True, 0 * DAY),
            ("advertising", False, DAY / 2),
            ("data", True, DAY),
            ("advertising", True, DAY),
        ]
        assert known.consents[-1].source == f"install page (member {new.member_id})"
        assert consents.allowing(tx, [old.member_id, new.member_id], "advertising") == {old.member_id}
        gone = members.show(tx, new.member_id)
        assert (gone.name, gone.phone, gone.birthday, gone.enrolments) == (None, None, None, [])
        assert gone.removed_at == NOW + 2 * DAY
        assert len(gone.consents) == 2
        # A link on the back of the ended card still speaks for the guest.
        assert consents.withdraw(
            tx, new.member_id, source="page", text="нет", text_version="1", language="ru", now=NOW + 3 * DAY
        )
        assert consents.allowing(tx, [old.member_id], "advertising") == set()


def test_a_box_left_empty_on_the_other_form_takes_nothing_back(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        willing = replace(towns.request(town, None), consents=(DATA, replace(ADVERTISING, granted=True)))
        old = enrolment.enrol(tx, willing, now=NOW)
        new = enrolment.enrol(tx, towns.request(town, None), now=NOW + DAY)
        merge(tx, old, new, day=2)
        assert consents.allowing(tx, [old.member_id], "advertising") == {old.member_id}


def test_a_refusal_later_than_the_grant_wins(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        willing = replace(towns.request(town, None), consents=(DATA, replace(ADVERTISING, granted=True)))
        old = enrolment.enrol(tx, willing, now=NOW)
        other = replace(willing, visit_id=None)
        new = enrolment.enrol(tx, other, now=NOW)
        consents.withdraw(
            tx, new.member_id, source="card", text="Нет", text_version="1", language="ru", now=NOW + DAY
        )
        merge(tx, old, new, day=2)
        assert consents.allowing(tx, [old.member_id], "advertising") == set()


def _programme(tx: Tx, town: Town, slug: str) -> Town:
    second = programmes.create_programme(
        tx,
        programmes.ProgrammeDraft(brand_id=town.brand.id, slug=slug, name=slug, rules=EXPIRING),
        now=NOW,
        actor="test",
    )
    towns.publish_empty_design(tx, second.id)
    return replace(town, programme=second)


def _enrol_as(tx: Tx, town: Town, member_id: MemberId, *, day: int) -> Enrolment:
    request: EnrolmentRequest = towns.request(town, None)
    return enrolment.enrol(tx, request, now=NOW + day * DAY, member_id=member_id)


def test_cards_of_other_programmes_move_along_or_merge_and_the_older_lives_on(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        second = _programme(tx, town, "tea")
        old, new = towns.guest(tx, town), towns.guest(tx, town)
        theirs = _enrol_as(tx, second, new.member_id, day=1)
        mine = _enrol_as(tx, second, old.member_id, day=2)
        receipt(tx, second, mine.card_code, "2", 100_00)
        merge(tx, old, new, day=3)
        found = {one.id: one for one in members.show(tx, old.member_id).enrolments}
        assert set(found) == {old.id, new.id, mine.id, theirs.id}
        assert (found[mine.id].merged_into_id, found[theirs.id].ended_at) == (theirs.id, None)
        assert books(tx, theirs) == 10_00
        stranger = towns.guest(tx, town)
        alone = _enrol_as(tx, _programme(tx, town, "cake"), stranger.member_id, day=4)
        merge(tx, old, stranger, day=5)
        moved = enrolment.enrolment(tx, alone.id)
        assert (moved.member_id, moved.ended_at) == (old.member_id, None)


def test_what_cannot_be_merged_is_refused_and_changes_nothing(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        other = towns.build(tx, BONUS, slug="tea")
        one, two, left = (towns.guest(tx, town) for _ in range(3))
        abroad = towns.guest(tx, other)
        members.remove(tx, left.member_id, now=NOW)
        ended = towns.guest(tx, town)
        merge(tx, one, ended)
    for living, ending, refusal in (
        (one, one, Conflict),
        (one, abroad, Conflict),
        (one, left, NotFound),
        (left, two, NotFound),
        (two, ended, NotFound),
    ):
        with nothing_changes(database), pytest.raises(refusal), database.write() as tx:
            merge(tx, living, ending)


acts = st.lists(
    st.tuples(
        st.sampled_from(["receipt", "redeem", "refund", "merge", "days", "tick"]),
        st.integers(0, 2),
        st.integers(1, 60_000),
    ),
    min_size=4,
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(happenings=acts)
def test_whatever_happens_before_and_after_the_books_agree(
    database: Database, happenings: list[tuple[str, int, int]]
) -> None:
    """Three cards that are used, merged in any order and used on: no point is made or lost by it."""
    with database.engine.connect() as tx:  # each example is forgotten at its end
        town = towns.build(tx, EXPIRING)
        cards = [towns.guest(tx, town) for _ in range(3)]
        day, numbers, fresh = 0.0, list[str](), count()
        for what, which, size in happenings:
            code, now = cards[which].card_code, NOW + day * DAY
            before = _total(tx)
            if what == "receipt":
                numbers.append(f"{next(fresh)}")
                earned = receipt(tx, town, code, numbers[-1], size, day=day).points
                assert earned == size // 10
            elif what == "redeem":
                have = till.card(tx, code, brand_id=town.brand.id, now=now).balance
                wanted = till.Redemption(card=code, points=min(have, size))
                if wanted.points:
                    till.redeem(tx, wanted, brand_id=town.brand.id, venue_id=town.venue.id, now=now)
            elif what == "refund" and numbers:
                taken = refund(tx, town, numbers.pop(which % len(numbers)), day=day).points
                assert taken >= 0
            elif what == "merge":
                one, two = (
                    enrolment.living(tx, enrolment.enrolment(tx, cards[place].id))
                    for place in (which, (which + 1) % 3)
                )
                if one.id != two.id:
                    periodic.expire_lots(tx, now=now)
                    before = _total(tx)
                    merge(tx, one, two, day=day)
                    assert _total(tx) == before
            elif what == "days":
                day += size % 12
            else:
                periodic.expire_lots(tx, now=now)
            for card in cards:
                books(tx, card)
        tx.rollback()


def _total(tx: Tx) -> int:
    return tx.scalar(select(func.coalesce(func.sum(lot.c.remaining), 0))) or 0


def test_a_till_that_waited_for_a_card_while_it_was_merged_stops_no_further_merge(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        first, second, third = (towns.guest(tx, town) for _ in range(3))
    faults = list[BaseException]()

    def at_once(act: Callable[[Tx], object]) -> Thread:
        def run() -> None:
            try:
                with database.write() as tx:
                    act(tx)
            except BaseException as fault:  # told below
                faults.append(fault)

        thread = Thread(target=run)
        thread.start()
        time.sleep(0.2)  # it waits now for who came before
        return thread

    with database.write() as tx:
        merge(tx, second, third)
        further = at_once(lambda tx: merge(tx, first, second))
        till_call = at_once(lambda tx: receipt(tx, town, third.card_code, "1", 100_00))
    for thread in (further, till_call):
        thread.join(30)
    assert not faults
    with database.write() as tx:
        assert books(tx, first) == 5_00


def test_tills_and_merges_at_once_lose_nothing(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        first, second, third = (towns.guest(tx, town) for _ in range(3))
    start, faults = Barrier(6), list[BaseException]()

    def run(act: str) -> None:
        start.wait()
        try:
            for number in range(5):
                with database.write() as tx:
                    if act.startswith("till"):
                        code = (first, second, third)[int(act[-1])].card_code
                        receipt(tx, town, code, f"{act}-{number}", 100_00)
                    elif number == 2:
                        pair = (second, third) if act == "merge0" else (first, second)
                        merge(tx, *pair)
        except NotFound:  # the other merge was faster: its card has ended
            pass
        except BaseException as fault:  # told below
            faults.append(fault)

    names = ["till0", "till1", "till2", "till1x2", "merge0", "merge1"]
    threads = [Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults
    with database.write() as tx:
        assert sum(books(tx, card) for card in (first, second, third)) == 20 * 5_00
        living = enrolment.living(tx, enrolment.enrolment(tx, second.id))
        assert living.id == first.id
