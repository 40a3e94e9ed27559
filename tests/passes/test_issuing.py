"""Issuing and revising: versions, Last-Modified, tags, pushes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app.db import Database
from app.db.identifiers import DesignId, ProgrammeId, WalletPassId
from app.errors import BadInput, Conflict, NotFound
from app.passes import issuing, registrations, restoring
from app.passes.issuing import Revision
from tests.passes.shop import (
    NOW,
    OTHER_TYPE,
    SECOND,
    TYPE,
    Shop,
    add_programme,
    content,
    open_shop,
    pending,
    publish,
    read,
    register,
    saying,
)


@pytest.fixture
def shop(database: Database) -> Shop:
    return open_shop(database)


def test_a_new_pass_has_a_serial_number_that_a_url_can_carry(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        one, other = shop.issue(tx), shop.issue(tx)
        assert read(tx, one.id) == one
    assert re.fullmatch(r"[A-Za-z0-9]{16,}", one.serial_number)
    assert one.serial_number != other.serial_number
    assert (one.version, one.last_modified, one.voided_at) == (1, NOW.replace(microsecond=0), None)
    assert other.tag > one.tag


def test_a_new_pass_gets_the_newest_design(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        newest = publish(tx, shop.programme_id, 2)
        assert shop.issue(tx).design_id == newest


def test_no_pass_is_issued_without_a_design(database: Database, shop: Shop) -> None:
    with database.write() as tx, pytest.raises(Conflict, match="no published design"):
        issuing.issue(tx, pass_type_identifier=TYPE, programme_id=ProgrammeId(99), content=content(), now=NOW)


def test_a_revision_is_a_new_version_with_a_tag_and_a_push_to_each_phone(
    database: Database, shop: Shop
) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card, "a")
        register(tx, card, "b")
    with database.write() as tx:
        issuing.revise(tx, [Revision(card.id, saying(content(500)))], kind="receipt", now=NOW)
        changed = read(tx, card.id)
        assert pending(tx) == [("a", "receipt"), ("b", "receipt")]
    assert changed.content.balance == 500
    assert (changed.version, changed.tag) == (2, card.tag + 1)


def test_equal_content_is_no_revision(database: Database, shop: Shop) -> None:
    said = content(7, message="Привет")
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card)
        issuing.revise(tx, [Revision(card.id, saying(said))], kind="receipt", now=NOW)
        before = read(tx, card.id)
    with database.write() as tx:
        issuing.revise(tx, [Revision(card.id, saying(said))], kind="receipt", now=NOW + 5 * SECOND)
        assert read(tx, card.id) == before


def test_last_modified_grows_by_a_second_even_when_the_clock_stands_or_goes_back(
    database: Database, shop: Shop
) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
    moments = [card.last_modified]
    for balance, now in ((1, NOW), (2, NOW), (3, NOW - timedelta(hours=1)), (4, NOW + timedelta(hours=1))):
        with database.write() as tx:
            issuing.revise(tx, [Revision(card.id, saying(content(balance)))], kind="silent", now=now)
            moments.append(read(tx, card.id).last_modified)
    first = NOW.replace(microsecond=0)
    assert moments == [
        first,
        first + SECOND,
        first + 2 * SECOND,
        first + 3 * SECOND,
        first + timedelta(hours=1),
    ]


def test_one_transaction_bumps_one_tag_per_pass_type(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        mine = [shop.issue(tx) for _ in range(3)]
        other = shop.issue(tx, pass_type=OTHER_TYPE)
        register(tx, other)
    with database.write() as tx:
        changes = [Revision(card.id, saying(content(9))) for card in (*mine, other)]
        issuing.revise(tx, changes, kind="campaign", now=NOW)
        assert {read(tx, card.id).tag for card in mine} == {mine[-1].tag + 1}
        assert read(tx, other.id).tag == other.tag + 1


def test_an_unreachable_device_is_promised_nothing(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        gone = register(tx, card, "gone").device_id
        register(tx, card, "here")
        registrations.forget_unreachable(tx, gone, unregistered_at=NOW + SECOND)
        issuing.revise(tx, [Revision(card.id, saying(content(1)))], kind="receipt", now=NOW)
        assert pending(tx) == [("here", "receipt")]


def test_more_than_two_hundred_changes_are_refused(database: Database, shop: Shop) -> None:
    changes = [Revision(WalletPassId(number), saying(content())) for number in range(201)]
    with database.write() as tx, pytest.raises(BadInput):
        issuing.revise(tx, changes, kind="silent", now=NOW)


def test_a_pass_that_does_not_exist_changes_nothing(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        changes = [Revision(card.id, saying(content(1))), Revision(WalletPassId(999), saying(content(1)))]
        with pytest.raises(NotFound):
            issuing.revise(tx, changes, kind="silent", now=NOW)
        assert read(tx, card.id) == card
        with pytest.raises(NotFound):
            issuing.tombstone(tx, WalletPassId(999), now=NOW)
        with pytest.raises(NotFound):
            read(tx, WalletPassId(999))


@contextmanager
def _statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_two_hundred_passes_cost_as_many_statements_as_one(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        cards = [shop.issue(tx) for _ in range(200)]
        for card in cards:
            register(tx, card, f"phone of {card.id}")
    counts = []
    for some in (cards[:1], cards):
        with _statements(database) as seen, database.write() as tx:
            changes = [Revision(card.id, saying(content(len(some)))) for card in some]
            issuing.revise(tx, changes, kind="campaign", now=NOW)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 8
    with database.read() as tx:
        assert all(read(tx, card.id).content.balance == 200 for card in cards)
        assert len(pending(tx)) == 200


def test_a_tombstone_is_voided_and_names_nobody(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx, 500)
        register(tx, card)
    with database.write() as tx:
        issuing.tombstone(tx, card.id, now=NOW)
        stone = read(tx, card.id)
        assert pending(tx) == [("phone", "silent")]
    assert stone.content == content(voided=True, member_name=None, card_code="VOID")
    assert (stone.version, stone.voided_at) == (2, NOW)
    assert stone.tag > card.tag
    with database.write() as tx:
        issuing.tombstone(tx, card.id, now=NOW + SECOND)
        issuing.revise(tx, [Revision(card.id, saying(content(1)))], kind="receipt", now=NOW)
        assert read(tx, card.id) == stone


def test_a_design_is_rolled_out_in_stages(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        cards = [shop.issue(tx) for _ in range(5)]
        register(tx, cards[4])
        newer = publish(tx, shop.programme_id, 2)

    def move(limit: int) -> int:
        with database.write() as tx:
            return len(
                issuing.move_design(
                    tx, from_design_id=shop.design_id, to_design_id=newer, limit=limit, now=NOW
                )
            )

    assert [move(3), move(3), move(3)] == [3, 2, 0]
    with database.read() as tx:
        moved = [read(tx, card.id) for card in cards]
        assert pending(tx) == [("phone", "silent")]
    assert {(card.design_id, card.version) for card in moved} == {(newer, 2)}
    assert all(new.tag > cards[-1].tag for new in moved)


def test_a_design_is_not_moved_onto_itself_nor_by_the_thousand(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        here = shop.design_id
        assert issuing.move_design(tx, from_design_id=here, to_design_id=here, now=NOW) == []
        with pytest.raises(BadInput):
            issuing.move_design(tx, from_design_id=here, to_design_id=DesignId(here + 1), limit=201, now=NOW)
        assert read(tx, card.id) == card


def test_a_card_does_not_move_to_a_design_of_another_programme(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        other = publish(tx, add_programme(tx, shop, "stamps"), 1)
        for strange in (other, DesignId(other + 1)):
            with pytest.raises(BadInput, match="its own programme"):
                issuing.move_design(tx, from_design_id=shop.design_id, to_design_id=strange, now=NOW)
        assert read(tx, card.id) == card


def test_a_restore_lifts_every_tag_above_any_that_was_given(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        cards = [shop.issue(tx), shop.issue(tx), shop.issue(tx, pass_type=OTHER_TYPE)]
    with database.write() as tx:
        assert restoring.lift_tags(tx, now=NOW, backed_up_at=NOW) == 3
        lifted = [read(tx, card.id) for card in cards]
        assert shop.issue(tx).tag > lifted[0].tag
    assert all(new.tag > old.tag + 1_000_000 for new, old in zip(lifted, cards, strict=True))
    assert [new.version for new in lifted] == [1, 1, 1]


def test_content_that_no_phone_would_take_never_reaches_a_pass(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        pass_id = shop.issue(tx, 100).id
    with database.write() as tx, pytest.raises(BadInput, match="ASCII"):
        issuing.revise(
            tx, [Revision(pass_id, saying(content(200, card_code="КОД")))], kind="receipt", now=NOW
        )
    with database.read() as tx:
        assert read(tx, pass_id).content.balance == 100
