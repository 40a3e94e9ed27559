"""A till and a phone at the same card at once."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from threading import Thread

from app.db import Database, Tx
from app.loyalty import enrolment, till
from app.loyalty.enrolment import Enrolment
from app.passes import store_registrations
from app.places import visits
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, NOW, Town


def _ring(tx: Tx, town: Town, card: Enrolment, number: str, now: datetime) -> None:
    draft = till.ReceiptDraft(card=card.card_code, number=number, amount=100_00, currency="RUB", at=now)
    till.record_receipt(tx, draft, brand_id=town.brand.id, venue_id=town.venue.id, now=now)


def test_a_phone_that_lets_go_of_the_card_and_a_till_wait_in_no_circle(database: Database) -> None:
    """The phone holds the pass when it writes a step of the visit; a later receipt writes one, too."""
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        seen = towns.visit(tx, town.link.id)
        card = enrolment.enrol(tx, towns.request(town, seen), now=NOW)
        visits.card_added(tx, seen, at=NOW)
        _ring(tx, town, card, "1", NOW)
    faults: list[BaseException] = []

    def till_call() -> None:
        try:
            with database.write() as tx:
                _ring(tx, town, card, "2", NOW + timedelta(days=1))
        except BaseException as fault:  # told below
            faults.append(fault)

    thread = Thread(target=till_call)
    with database.write() as tx:
        store_registrations.hold(tx, card.pass_id)  # as unregistering does
        thread.start()
        time.sleep(0.3)  # the till waits now
        visits.card_removed(tx, seen, at=NOW + timedelta(days=1))
    thread.join(30)
    assert not faults
