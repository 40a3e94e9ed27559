"""Habits: what tills, refunds, mergers and erasure leave is what counting everything anew gives."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.db import Database, Tx
from app.loyalty import habits, members, merging, till
from app.loyalty.habit_tables import habit, habit_change, habit_venue
from app.loyalty.tables import receipt
from app.places.tables import venue
from tests.loyalty import town
from tests.loyalty.town import NOW, Town


def rows(tx: Tx) -> tuple[list[Any], ...]:
    """All that is kept."""
    return tuple(
        list(tx.execute(select(table).order_by(table.c.member_id, table.c[column])))
        for table, column in ((habit, "visits"), (habit_venue, "venue_id"))
    )


def fold_all(tx: Tx) -> None:
    while habits.fold(tx, limit=3):
        pass


def ring_up(tx: Tx, place: Town, card: str, number: str, at: datetime, amount: int = 250_00) -> None:
    till.record_receipt(
        tx,
        till.ReceiptDraft(card=card, number=number, amount=amount, currency="RUB", at=at),
        brand_id=place.brand.id,
        venue_id=place.venue.id,
        now=NOW,
    )


def test_habits_follow_from_receipts_whatever_happens_in_which_order(database: Database) -> None:
    """Receipts, refunds, a merger and an erasure, folded now and then; nothing is left of who is gone."""
    dice = random.Random(5)
    with database.write() as tx:
        place = town.build(tx, town.BONUS)
        guests = [town.guest(tx, place) for n in range(8)]
    numbers: list[str] = []
    for step in range(60):
        with database.write() as tx:
            if numbers and dice.random() < 0.25:
                number = numbers.pop(dice.randrange(len(numbers)))
                till.refund_receipt(tx, number, brand_id=place.brand.id, venue_id=place.venue.id, now=NOW)
            else:
                at = NOW - timedelta(days=dice.randrange(6), hours=dice.randrange(24))
                ring_up(tx, place, dice.choice(guests).card_code, f"n{step}", at, dice.randrange(1, 900_00))
                numbers.append(f"n{step}")
            if dice.random() < 0.3:
                habits.fold(tx, limit=dice.randrange(1, 9))
    one, other, leaving = guests[0], guests[1], guests[2]
    with database.write() as tx:
        fold_all(tx)
        before = {row.member_id: row for row in rows(tx)[0]}
        assert merging.unite(tx, living=one.member_id, ending=other.member_id, now=NOW, actor="test")
        members.remove(tx, leaving.member_id, now=NOW)
        gone = {other.member_id, leaving.member_id}
        assert leaving.member_id not in {row.member_id for kept in rows(tx) for row in kept}
        fold_all(tx)
        after = {row.member_id: row for row in rows(tx)[0]}
        assert not gone & {row.member_id for kept in rows(tx) for row in kept}
        assert list(tx.execute(select(habit_change))) == []
        united = [before[each.member_id] for each in (one, other)]
        assert after[one.member_id].spent == sum(row.spent for row in united)
        assert after[one.member_id].receipts == sum(row.receipts for row in united)
        assert max(row.visits for row in united) <= after[one.member_id].visits <= 6
        assert habits.mend(tx, limit=100) == habits.Mended(None, 0)
        assert habits.mend(tx, limit=3).after is not None


def test_what_was_written_by_hand_is_mended_and_what_waits_is_not_called_wrong(database: Database) -> None:
    with database.write() as tx:
        place = town.build(tx, town.BONUS)
        guests = [town.guest(tx, place) for n in range(3)]
        for number, guest in enumerate(guests):
            ring_up(tx, place, guest.card_code, f"{number}", NOW - timedelta(hours=16))
        fold_all(tx)
        right = rows(tx)
        tx.execute(
            update(habit).where(habit.c.member_id == guests[0].member_id).values(spent=habit.c.spent + 1)
        )
        tx.execute(habit_venue.delete().where(habit_venue.c.member_id == guests[1].member_id))
        habits.changed(tx, place.brand.id, guests[2].member_id)
        tx.execute(habit.delete().where(habit.c.member_id == guests[2].member_id))
        assert habits.mend(tx).wrong == 2
        fold_all(tx)
        assert rows(tx) == right
        # 20:00 UTC is 23:00 in Moscow and the next day in Vladivostok: the day is the venue's.
        tx.execute(update(venue).values(time_zone="Asia/Vladivostok"))
        assert habits.mend(tx).wrong == 3
        assert habits.day_of(rows(tx)[0][0].last_day) == (NOW + timedelta(hours=-16 + 10)).date()


def test_only_the_newest_visits_are_kept_and_what_is_too_much_to_count_is_told(
    database: Database, monkeypatch: Any
) -> None:
    with database.write() as tx:
        place = town.build(tx, town.BONUS)
        guest, idle = town.guest(tx, place), town.guest(tx, place)
        fold_all(tx)
        for day in range(habits.MOST_RECENT + 3):
            tx.execute(
                receipt.insert().values(
                    venue_id=place.venue.id, enrolment_id=guest.id, number=f"{day}", amount=1, currency="RUB",
                    at=NOW - timedelta(days=day), recorded_at=NOW,
                )
            )  # fmt: skip
        for member_id in (guest.member_id, idle.member_id, guest.member_id):
            habits.changed(tx, place.brand.id, member_id)
        fresh = habits.fresh(tx, place.brand.id)
        assert (list(fresh.member_ids), fresh.left) == ([guest.member_id, idle.member_id], 0)
        kept = fresh.habits[0]
        today = habits.day_number(NOW.date())
        assert (kept.visits, len(kept.recent)) == (43, habits.MOST_RECENT * habits.DAY_DIGITS)
        assert kept.recent.startswith(f"{today}{today - 1}")
        monkeypatch.setattr(habits, "MOST_FRESH", 1)
        assert habits.fresh(tx, place.brand.id).left == 2
        assert habits.fresh(tx, place.brand.id).member_ids == [guest.member_id]
