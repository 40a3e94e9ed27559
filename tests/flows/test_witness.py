"""The witness of the kills finds whatever is written half, and nothing where everything is whole."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.db import Database
from app.db.identifiers import DeviceLibraryIdentifier, PushToken
from app.delivery import queue
from app.delivery.budget import Policy
from app.loyalty import enrolment, till
from app.passes import registrations
from app.places import visits
from tests.flows.witness import HALVES, Witness
from tests.loyalty import town as towns
from tests.loyalty.town import EXPIRING, NOW

PLANTED: dict[str, str] = {
    "an enrolment without its pass, or with another one's": "UPDATE enrolment SET pass_id = 999",
    "a pass without an enrolment": "DELETE FROM enrolment",
    "a member without an enrolment": "DELETE FROM enrolment",
    "a member without consent to the processing of data, or without an answer about advertising": (
        "DELETE FROM consent WHERE purpose = 'advertising'"
    ),
    "an enrolment whose visit has no form": "DELETE FROM visit_event WHERE kind = 'form'",
    "a balance that is not the sum of its entries": "UPDATE ledger_entry SET points = points + 1",
    "a balance that is not what remains in its lots": "UPDATE lot SET remaining = remaining - 1",
    "a receipt without exactly one accrual": "DELETE FROM ledger_entry",
    "as many receipts as kept answers, or not": "DELETE FROM till_call",
    "a till's call without its answer": "UPDATE till_call SET status = 0",
    "a pass beyond its tag counter": "UPDATE tag_counter SET value = 0",
    "a registration without its device or its pass": "DELETE FROM device",
    "an attempt that is open at a promise that nobody carries out": (
        "UPDATE delivery SET state = 'pending', owner = NULL, lease_until = NULL"
    ),
    "a promise on its way without an open attempt": "DELETE FROM attempt",
    "a promise that was given up": (
        "UPDATE delivery SET state = 'refused', owner = NULL, lease_until = NULL, settled_at = created_at"
    ),
}


@pytest.fixture
def witness(database: Database, database_url: str) -> Witness:
    """Of a guest with a receipt and a phone that is being pushed to by somebody who died over it."""
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        visit_id = towns.visit(tx, town.link.id)
        visits.record_event(tx, visit_id=visit_id, kind="form", at=NOW)
        guest = enrolment.enrol(tx, towns.request(town, visit_id), now=NOW)
        draft = till.ReceiptDraft(card=guest.card_code, number="1", amount=500_00, currency="RUB", at=NOW)

        def act() -> till.Answer:
            recorded = till.record_receipt(tx, draft, brand_id=town.brand.id, venue_id=town.venue.id, now=NOW)
            return till.Answer(201, {"points": recorded.points})

        till.once(tx, venue_id=town.venue.id, key="k", fingerprint="f", now=NOW, act=act)
        pass_type = town.brand.pass_type_identifier
        registered = registrations.register(
            tx,
            device_library_identifier=DeviceLibraryIdentifier("d"),
            pass_type_identifier=pass_type,
            pass_id=guest.pass_id,
            push_token=PushToken("aa"),
            now=NOW,
        )
        queue.enqueue_pushes(
            tx, [registered.device_id], pass_type_identifier=pass_type, kind="receipt", now=NOW
        )
        claim = queue.claim(tx, owner="dead", now=NOW, lease=timedelta(seconds=1), policy=Policy())
        queue.begin_attempts(tx, claim.claimed, now=NOW)
    return Witness(database_url)


def test_what_is_whole_is_not_complained_of(witness: Witness) -> None:
    assert witness.halves() == []
    assert witness.unsettled() == 1
    assert witness.overdue(now=NOW + timedelta(seconds=2)) != []
    assert witness.overdue(now=NOW) == []
    books = witness.books()
    assert (books.receipts, books.doubled) == ({"1": 25_00}, [])
    assert list(books.points.values()) == [125_00]


def test_every_half_has_been_tried() -> None:
    assert PLANTED.keys() == HALVES.keys()


@pytest.mark.parametrize("words", PLANTED)
def test_a_half_is_found(witness: Witness, database: Database, words: str) -> None:
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        connection.execute(text(PLANTED[words]))
        connection.commit()
        connection.detach()
    assert any(found.startswith(words) for found in witness.halves())
