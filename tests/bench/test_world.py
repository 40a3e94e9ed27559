"""The world that benchmarks measure on is one that production could have written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from app.db import Database, metadata
from app.loyalty import enrolment, till
from app.loyalty.tables import enrolment as enrolment_table
from app.loyalty.tables import ledger_entry, lot
from app.passes import listing, store_passes, store_registrations
from app.passes.tables import tag_counter, wallet_pass
from app.places import links
from bench import world
from bench.world import World

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
GUESTS = 40


@pytest.fixture
def filled(database: Database) -> World:
    return world.build(database, GUESTS, now=NOW)


def test_no_reference_leads_nowhere(database: Database, filled: World) -> None:
    with database.read() as tx:
        for table in metadata.sorted_tables:
            for key in table.foreign_keys:
                target = key.column.table.alias()
                orphans = (
                    select(func.count())
                    .select_from(table.outerjoin(target, key.parent == target.c[key.column.name]))
                    .where(key.parent.is_not(None), target.c[key.column.name].is_(None))
                )
                assert tx.scalar(orphans) == 0, key
        assert tx.scalar(select(func.count()).select_from(wallet_pass)) == filled.passes


def test_balances_are_what_the_ledger_and_the_lots_say(database: Database, filled: World) -> None:
    with database.read() as tx:
        total = tx.scalar(select(func.sum(enrolment_table.c.balance)))
        assert total > 0
        assert total == tx.scalar(select(func.sum(ledger_entry.c.points)))
        assert total == tx.scalar(select(func.sum(lot.c.remaining)))
        for number in range(filled.passes):
            account = enrolment.enrolment_of_card(tx, filled.card_code(number))
            assert account.id == filled.enrolment_id(number)
            card = store_passes.by_id(tx, filled.pass_id(number))
            assert card is not None
            assert card.content.balance == account.balance
            assert card.content.card_code == account.card_code
            assert card.serial_number == filled.serial_number(number)


def test_the_counter_stands_at_the_newest_tag(database: Database, filled: World) -> None:
    with database.read() as tx:
        counted = tx.scalar(
            select(tag_counter.c.value).where(
                tag_counter.c.pass_type_identifier == filled.pass_type_identifier
            )
        )
        assert counted == tx.scalar(select(func.max(wallet_pass.c.tag)))


def test_a_till_rings_up_a_guest_and_the_phone_hears_of_it(database: Database, filled: World) -> None:
    number = GUESTS // 2
    with database.read() as tx:
        link = links.link_by_code(tx, filled.install_link_code)
        before = store_passes.by_id(tx, filled.pass_id(number))
    assert before is not None
    draft = till.ReceiptDraft(
        card=filled.card_code(number), number="r1", amount=500_00, currency="RUB", at=NOW
    )
    with database.write() as tx:
        recorded = till.record_receipt(tx, draft, brand_id=link.brand_id, venue_id=link.venue_id, now=NOW)
    assert recorded.points > 0
    with database.read() as tx:
        heard = listing.changed_since(
            tx, filled.device_library_identifier(number), filled.pass_type_identifier, str(before.tag)
        )
        targets = store_registrations.targets(tx, [filled.device_id(number)])
    assert heard is not None
    assert heard.serial_numbers == (filled.serial_number(number),)
    assert [target.push_token for target in targets] == [filled.push_token(number)]


def test_new_guests_enrol_beside_those_that_were_there(database: Database, filled: World) -> None:
    consent = enrolment.ConsentGiven(
        purpose="data", granted=True, text_version="1", text="yes", language="en", source="install page"
    )
    with database.write() as tx:
        link = links.link_by_code(tx, filled.install_link_code)
        request = enrolment.EnrolmentRequest(
            programme_id=link.programme_id,
            venue_id=link.venue_id,
            visit_id=None,
            name="Zoe",
            language="en",
            consents=[consent],
        )
        made = enrolment.enrol(tx, request, now=NOW)
    assert made.id > filled.enrolment_id(GUESTS - 1)
    assert made.pass_id > filled.pass_id(GUESTS - 1)


def test_a_world_without_history_holds_the_same_guests(database: Database) -> None:
    quiet = world.build(database, 3, history=False, now=NOW)
    with database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(wallet_pass)) == 3
        assert tx.scalar(select(func.count()).select_from(metadata.tables["delivery"])) == 0
        assert enrolment.enrolment_of_card(tx, quiet.card_code(2)).id == quiet.enrolment_id(2)
