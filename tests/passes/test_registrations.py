"""Registrations: what a phone gets told, where pushes go, what a 410 means."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from app.db import Database, Tx
from app.db.identifiers import DeviceId, DeviceLibraryIdentifier, PassTypeIdentifier, PushToken
from app.passes import evidence, issuing, listing, registrations, store_evidence, store_registrations
from app.passes.issuing import Revision, WalletPass
from app.passes.registrations import PushTarget
from app.passes.tables import device
from tests.passes.shop import (
    NOW,
    OTHER_TYPE,
    SECOND,
    TYPE,
    Shop,
    content,
    open_shop,
    pending,
    plan_of,
    read,
    register,
    saying,
)


@pytest.fixture
def shop(database: Database) -> Shop:
    return open_shop(database)


def _list(
    tx: Tx, tag: str | None = None, phone: str = "phone", pass_type: PassTypeIdentifier = TYPE
) -> listing.Listing | None:
    return listing.changed_since(tx, DeviceLibraryIdentifier(phone), pass_type, tag)


def _unregister(
    tx: Tx, card: WalletPass, phone: str = "phone", *, now: datetime = NOW
) -> registrations.Unregistered:
    return registrations.unregister(
        tx,
        device_library_identifier=DeviceLibraryIdentifier(phone),
        pass_type_identifier=card.pass_type_identifier,
        pass_id=card.id,
        now=now,
    )


def test_a_registration_is_created_once_and_the_token_is_always_the_newest(
    database: Database, shop: Shop
) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        one = register(tx, card, token="old")
        two = register(tx, card, token="new", now=NOW + SECOND)
        assert (one.created, one.first) == (True, True)
        assert (two.created, two.first) == (False, False)
        target = registrations.push_targets(tx, [one.device_id])[one.device_id]
        assert target == PushTarget(one.device_id, PushToken("new"), TYPE, 1, card.id)
        assert tx.scalar(select(device.c.registered_at)) == NOW + SECOND


def test_a_second_phone_is_not_the_first_holder(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        assert register(tx, card, "a").first
        assert not register(tx, card, "b").first


def test_a_pass_is_held_by_a_bounded_number_of_devices(database: Database, shop: Shop) -> None:
    most = registrations.MOST_DEVICES
    with database.write() as tx:
        card, other = shop.issue(tx), shop.issue(tx)
        made = [register(tx, card, f"phone-{number}", now=NOW + number * SECOND) for number in range(most)]
        register(tx, other, "phone-0", now=NOW)
        assert not register(tx, card, "phone-0", now=NOW + most * SECOND).created
        registrations.set_aside(tx, made[7].device_id, asked_at=NOW + most * SECOND)
        late = [register(tx, card, f"late-{number}", now=NOW + (most + 1) * SECOND) for number in range(2)]
        assert [one.created for one in late] == [True, True]
        targets = registrations.push_targets(tx, [one.device_id for one in (*made, *late)])
        # The unreachable one made room first, then the one that was not heard of for longest.
        assert set(targets) == {one.device_id for one in (*made, *late)} - {
            made[1].device_id,
            made[7].device_id,
        }
        assert targets[made[0].device_id].passes == 2
        assert register(tx, card, "phone-7", now=NOW + (most + 2) * SECOND).created


def test_the_last_removal_is_told_apart(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card, "a")
        register(tx, card, "b")
        assert _unregister(tx, card, "a") == registrations.Unregistered(existed=True, last=False)
        assert _unregister(tx, card, "b") == registrations.Unregistered(existed=True, last=True)
        assert _unregister(tx, card, "b") == registrations.Unregistered(existed=False, last=False)
        assert register(tx, card, "a").first


def test_a_device_is_known_per_pass_type(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        one, other = shop.issue(tx), shop.issue(tx, pass_type=OTHER_TYPE)
        mine, theirs = register(tx, one, token="1"), register(tx, other, token="2")
        targets = registrations.push_targets(tx, [mine.device_id, theirs.device_id])
    assert {target.push_token: target.pass_type_identifier for target in targets.values()} == {
        "1": TYPE,
        "2": OTHER_TYPE,
    }


def test_a_push_target_counts_its_passes_and_is_left_out_without_any(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        cards = [shop.issue(tx) for _ in range(3)]
        (device_id,) = {register(tx, card).device_id for card in cards}
        assert registrations.push_targets(tx, [device_id, DeviceId(99)])[device_id].passes == 3
        for card in cards:
            _unregister(tx, card)
        assert registrations.push_targets(tx, [device_id]) == {}


def test_a_gone_device_is_forgotten_unless_it_registered_since(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card, shared = shop.issue(tx), shop.issue(tx)
        device_id = register(tx, card).device_id
        register(tx, shared)
        register(tx, shared, "other")
        forget = registrations.forget_unreachable
        assert forget(tx, device_id, unregistered_at=NOW - SECOND) == ()
        assert forget(tx, device_id, unregistered_at=NOW) == ()
        assert device_id in registrations.push_targets(tx, [device_id])
        assert forget(tx, device_id, unregistered_at=NOW + SECOND) == (card.id,)
        assert registrations.push_targets(tx, [device_id]) == {}
        assert forget(tx, device_id, unregistered_at=NOW + SECOND) == ()
        again = register(tx, card, token="newer", now=NOW + 2 * SECOND)
        assert again.first
        assert registrations.push_targets(tx, [device_id])[device_id].passes == 2


def test_an_unknown_device_has_no_list(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        register(tx, shop.issue(tx))
        assert _list(tx, phone="stranger") is None
        assert _list(tx, pass_type=OTHER_TYPE) is None


def test_the_list_names_every_pass_that_changed_since_the_tag(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        cards = [shop.issue(tx) for _ in range(3)]
        for card in cards:
            register(tx, card)
        first = _list(tx)
        assert first is not None
        assert set(first.serial_numbers) == {card.serial_number for card in cards}
        assert _list(tx, first.last_updated) == listing.Listing(first.device_id, (), "", ())
    for card in cards[:2]:
        with database.write() as tx:
            issuing.revise(tx, [Revision(card.id, saying(content(1)))], kind="silent", now=NOW)
    with database.read() as tx:
        second = _list(tx, first.last_updated)
        assert second is not None
        assert set(second.serial_numbers) == {card.serial_number for card in cards[:2]}
        assert set(second.versions) == {(card.id, 2) for card in cards[:2]}
        assert second.last_updated == str(read(tx, cards[1].id).tag)


@pytest.mark.parametrize(
    "tag", [None, "", "abc", "-1", "1.5", "9" * 18, "9" * 400, "٣", " 1", "1\n", "0x1", "\x00"]
)
def test_a_tag_that_is_not_ours_lists_everything(database: Database, shop: Shop, tag: str | None) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card)
        listed = _list(tx, tag)
    assert listed is not None
    assert listed.serial_numbers == (card.serial_number,)
    assert listed.last_updated == str(card.tag)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(tag=st.text())
def test_no_tag_is_an_error(database: Database, tag: str) -> None:
    with database.read() as tx:
        assert _list(tx, tag) is None


def test_a_tombstone_is_listed_like_any_pass(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card)
        issuing.tombstone(tx, card.id, now=NOW)
        listed = _list(tx, str(card.tag))
        assert listed is not None
        assert listed.serial_numbers == (card.serial_number,)


def test_a_phone_that_registers_during_a_change_is_told_or_sees_it(database: Database, shop: Shop) -> None:
    """The registration waits for a change under way; otherwise that change would push to nobody."""
    with database.write() as tx:
        card = shop.issue(tx)
    tried, told = Event(), []

    def phone() -> None:
        tried.set()
        with database.write() as tx:
            register(tx, card)
        with database.autocommit() as tx:
            told.append(_list(tx))

    thread = Thread(target=phone)
    with database.write() as tx:
        issuing.revise(tx, [Revision(card.id, saying(content(1)))], kind="receipt", now=NOW)
        thread.start()
        tried.wait()
        thread.join(0.3)
        assert thread.is_alive()
        assert pending(tx) == []
    thread.join(10)
    assert told[0] is not None
    assert told[0].versions == ((card.id, 2),)


def test_what_is_asked_most_is_answered_from_indexes(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        cards = [shop.issue(tx) for _ in range(1500)]
        for number, card in enumerate(cards):
            register(tx, card, f"phone {number}")
        evidence.record(tx, [evidence.Sighting(card.id, 1, NOW) for card in cards])
        evidence.record(tx, [evidence.Install(card.id, 1, NOW) for card in cards[5:]])
    with database.write() as tx:
        tx.execute(text("ANALYZE"))
        changed, _ = plan_of(tx, lambda: _list(tx, "3", "phone 7"))
        key, _ = plan_of(tx, lambda: store_registrations.pass_key(tx, TYPE, cards[7].serial_number))
        unfetched, _ = plan_of(
            tx, lambda: store_evidence.unfetched(tx, listed_before=NOW + SECOND, limit=200)
        )
        targets, _ = plan_of(tx, lambda: registrations.push_targets(tx, [DeviceId(7), DeviceId(8)]))
    assert "ix_pass_evidence_unfetched" in unfetched
    for plan in (changed, key, targets):
        for table in ("device", "registration", "wallet_pass"):
            assert f"Seq Scan on {table} " not in plan, plan
            assert f"SCAN {table}'" not in plan, plan


def test_two_phones_of_a_guest_are_two_devices(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        assert register(tx, card, "a").device_id != register(tx, card, "b").device_id
        issuing.revise(
            tx, [Revision(card.id, saying(content(5)))], kind="receipt", now=NOW + timedelta(hours=1)
        )
        assert pending(tx) == [("a", "receipt"), ("b", "receipt")]
