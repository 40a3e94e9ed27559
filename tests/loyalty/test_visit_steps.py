"""What tills and erasures add to the funnel: first receipts, second visits, nothing of who is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.db import Database, Tx
from app.db.identifiers import VisitId
from app.errors import Conflict
from app.loyalty import members, numbers, till
from app.loyalty.enrolment import Enrolment
from app.places import funnel, visits
from app.places.tables import visit_event
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, NOW, Town

DAY = timedelta(days=1)


def _ring(tx: Tx, town: Town, guest: Enrolment, number: int, at: datetime) -> None:
    draft = till.ReceiptDraft(
        card=guest.card_code, number=str(number), amount=100_00, currency=town.brand.currency, at=at
    )
    till.record_receipt(tx, draft, brand_id=town.brand.id, venue_id=town.venue.id, now=at)


def _visit_of(guest: Enrolment) -> VisitId:
    assert guest.visit_id is not None
    return guest.visit_id


def test_receipts_are_steps_of_the_visit_that_led_to_the_card(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest = towns.guest(tx, town)
        _ring(tx, town, guest, 1, NOW + DAY)
        assert {"receipt"} == visits.steps(tx, _visit_of(guest)) & {"receipt", "again", "active"}
        _ring(tx, town, guest, 2, NOW + DAY + timedelta(hours=2))
        assert "again" not in visits.steps(tx, _visit_of(guest))
        _ring(tx, town, guest, 3, NOW + 3 * DAY)
        assert {"receipt", "again", "active"} <= visits.steps(tx, _visit_of(guest))
        late = towns.guest(tx, town)
        _ring(tx, town, late, 4, NOW + 8 * DAY)
        _ring(tx, town, late, 5, NOW + 60 * DAY)
        assert "receipt" not in visits.steps(tx, _visit_of(late))


def test_a_refused_receipt_leaves_no_step(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest, other = towns.guest(tx, town), towns.guest(tx, town)
        _ring(tx, town, guest, 1, NOW + DAY)
    with pytest.raises(Conflict), database.write() as tx:
        _ring(tx, town, other, 1, NOW + DAY)
    with database.read() as tx:
        assert "receipt" not in visits.steps(tx, _visit_of(other))


def test_who_is_forgotten_leaves_every_count_with_each_way_to_the_card(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest, stays = towns.guest(tx, town), towns.guest(tx, town)
        numbers.prove(tx, guest.id, "+79161234567", now=NOW)
        again = towns.visit(tx, town.link.id)
        back = numbers.enrol_proved(tx, replace(towns.request(town, again), phone="+79161234567"), now=NOW)
        assert back.id == guest.id
        _ring(tx, town, guest, 1, NOW + DAY)
        members.remove(tx, guest.member_id, now=NOW + 2 * DAY)
        left = set(tx.execute(select(visit_event.c.visit_id)).scalars())
        assert left == {_visit_of(stays)}
        period = funnel.period(NOW.date(), NOW.date())
        found = funnel.funnel(tx, town.brand.id, by="venue", period=period, now=NOW + 40 * DAY)
        assert (found.total.now.scan, found.total.now.receipt) == (1, 0)
