"""The ledger under any sequence of events, against a model of it in a few lines of Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.db import Database, Tx
from app.errors import Conflict
from app.loyalty import enrolment, periodic, till
from app.loyalty.enrolment import Enrolment
from app.loyalty.rules import BonusRules, PointRules
from app.loyalty.tables import ledger_entry, lot
from app.passes import issuing
from tests.loyalty import town as towns
from tests.loyalty.town import NOW, Town

LIFETIME = 30
RULES = BonusRules(cashback=1_000, points=PointRules(welcome=7_77, lifetime_days=LIFETIME))

Event = tuple[str, int]
events = st.lists(
    st.one_of(
        st.tuples(st.just("receipt"), st.integers(1, 90_000)),
        st.tuples(st.just("again"), st.integers(0, 5)),
        st.tuples(st.just("redeem"), st.integers(1, 9_000)),
        st.tuples(st.just("refund"), st.integers(0, 5)),
        st.tuples(st.just("days"), st.integers(1, 20)),
        st.tuples(st.just("tick"), st.just(0)),
    ),
    max_size=14,
)


@dataclass(slots=True)
class _Lot:
    expires_at: datetime
    receipt: str | None
    earned: int
    left: int
    expired: int = 0


@dataclass(slots=True)
class _Model:
    """What a person with a pencil would write down."""

    now: datetime
    lots: list[_Lot]
    refunded: set[str] = field(default_factory=set)

    def balance(self) -> int:
        self.expire()
        return sum(one.left for one in self.lots)

    def expire(self) -> None:
        for one in self.lots:
            if one.expires_at <= self.now:
                one.expired, one.left = one.expired + one.left, 0

    def take(self, points: int, first: str | None = None) -> None:
        order = sorted(self.lots, key=lambda one: (one.receipt != first or first is None, one.expires_at))
        for one in order:
            part = min(points, one.left)
            one.left, points = one.left - part, points - part


class _Till:
    """Does to the service and to the model the same thing."""

    def __init__(self, tx: Tx, town: Town, guest: Enrolment) -> None:
        self.tx, self.town, self.guest = tx, town, guest
        self.model = _Model(NOW, [_Lot(NOW + timedelta(days=LIFETIME), None, 7_77, 7_77)])
        self.numbers: list[str] = []

    def attempt(self, act: Callable[[], object]) -> bool:
        """False where it was refused; then nothing has happened."""
        savepoint = self.tx.begin_nested()
        try:
            act()
        except Conflict:
            savepoint.rollback()
            return False
        savepoint.commit()
        return True

    def record(self, number: str, amount: int) -> bool:
        draft = till.ReceiptDraft(
            card=self.guest.card_code, number=number, amount=amount, currency="RUB", at=self.model.now
        )
        return self.attempt(
            lambda: till.record_receipt(
                self.tx,
                draft,
                brand_id=self.town.brand.id,
                venue_id=self.town.venue.id,
                now=self.model.now,
            )
        )

    def happens(self, event: Event) -> None:
        what, size = event
        brand_id, venue_id = self.town.brand.id, self.town.venue.id
        if what == "receipt":
            number = f"{self.guest.id}-{len(self.numbers)}"
            self.numbers.append(number)
            assert self.record(number, size)
            self.model.expire()
            if size // 10:
                expires = self.model.now + timedelta(days=LIFETIME)
                self.model.lots.append(_Lot(expires, number, size // 10, size // 10))
        elif what == "again" and self.numbers:
            assert not self.record(self.numbers[size % len(self.numbers)], 5_000)
        elif what == "redeem":
            wanted = till.Redemption(card=self.guest.card_code, points=size)
            done = self.attempt(
                lambda: till.redeem(self.tx, wanted, now=self.model.now, brand_id=brand_id, venue_id=venue_id)
            )
            assert done == (size <= self.model.balance())
            if done:
                self.model.take(size)
        elif what == "refund" and self.numbers:
            number = self.numbers[size % len(self.numbers)]
            done = self.attempt(
                lambda: till.refund_receipt(
                    self.tx, number, now=self.model.now, brand_id=brand_id, venue_id=venue_id
                )
            )
            assert done == (number not in self.model.refunded)
            self.model.refunded.add(number)
            mine = next((one for one in self.model.lots if one.receipt == number), None)
            balance = self.model.balance()
            if done and mine:
                self.model.take(min(mine.earned - mine.expired, balance), number)
        elif what == "days":
            self.model.now += timedelta(days=size)
        elif what == "tick":
            periodic.expire_lots(self.tx, now=self.model.now, limit=200)

    def agrees(self) -> None:
        """Balance = entries = lots, none negative; the card and the model say the same."""
        found = enrolment.enrolment(self.tx, self.guest.id)
        entries = self.tx.scalar(
            select(func.sum(ledger_entry.c.points)).where(ledger_entry.c.enrolment_id == self.guest.id)
        )
        mine = select(lot.c.points, lot.c.remaining, lot.c.expires_at).where(
            lot.c.enrolment_id == self.guest.id
        )
        lots = self.tx.execute(mine.order_by(lot.c.id)).all()
        assert found.balance == entries == sum(one.remaining for one in lots) >= 0
        assert issuing.wallet_pass(self.tx, self.guest.pass_id).content.balance == found.balance
        view = till.card(self.tx, self.guest.card_code, brand_id=self.town.brand.id, now=self.model.now)
        assert view.balance == self.model.balance()
        open_lots = [
            (one.expires_at, one.points, one.remaining) for one in lots if one.expires_at > self.model.now
        ]
        expected = [(one.expires_at, one.earned, one.left) for one in self.model.lots]
        assert open_lots == [one for one in expected if one[0] > self.model.now]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(happenings=events)
def test_whatever_happens_the_books_agree(database: Database, happenings: list[Event]) -> None:
    with database.engine.connect() as tx:  # each example is forgotten at its end
        town = towns.build(tx, RULES)
        one = _Till(tx, town, towns.guest(tx, town))
        for event in happenings:
            one.happens(event)
            one.agrees()
        tx.rollback()
