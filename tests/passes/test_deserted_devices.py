"""Devices without a pass are forgotten after a month, whoever registers meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Barrier, Event, Thread

import pytest
from sqlalchemy import func, insert, select, text, update

from app.db import Database, Tx
from app.db.identifiers import DeviceId, DeviceLibraryIdentifier
from app.delivery import queue
from app.delivery.budget import Policy
from app.delivery.promises import Outcome
from app.delivery.tables import attempt, delivery, push_budget
from app.passes import registrations, store_deserted
from app.passes.issuing import WalletPass
from app.passes.registrations import KEPT, MOST_DEVICES
from app.passes.tables import device, registration
from tests.passes.shop import NOW, SECOND, TYPE, Shop, open_shop, plan_of, register

LATER = NOW + KEPT + SECOND


@pytest.fixture
def shop(database: Database) -> Shop:
    return open_shop(database)


def _unregister(tx: Tx, card: WalletPass, phone: str, now: datetime) -> None:
    registrations.unregister(
        tx,
        device_library_identifier=DeviceLibraryIdentifier(phone),
        pass_type_identifier=card.pass_type_identifier,
        pass_id=card.id,
        now=now,
    )


def _known(database: Database) -> dict[str, datetime]:
    with database.read() as tx:
        rows = tx.execute(select(device.c.device_library_identifier, device.c.held_at))
        return {row.device_library_identifier: row.held_at for row in rows}


def _forget_all(database: Database, now: datetime, limit: int = 500) -> list[int]:
    looked_at = []
    while True:
        with database.write() as tx:
            looked_at.append(registrations.forget_deserted(tx, now=now, limit=limit))
        if not looked_at[-1]:
            return looked_at


def test_a_device_is_forgotten_a_month_after_its_last_pass(database: Database, shop: Shop) -> None:
    left = NOW + timedelta(days=100)
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card, "gone")
        register(tx, card, "holds")
    with database.write() as tx:
        _unregister(tx, card, "gone", left)
    assert _forget_all(database, left + KEPT - SECOND) == [1, 0]
    assert _known(database) == {"gone": left, "holds": left + KEPT - SECOND}
    assert _forget_all(database, left + KEPT + SECOND) == [1, 0]
    assert set(_known(database)) == {"holds"}


def test_the_clock_begins_anew_with_every_pass(database: Database, shop: Shop) -> None:
    again = NOW + KEPT - SECOND
    with database.write() as tx:
        card, other = shop.issue(tx), shop.issue(tx)
        register(tx, card)
        _unregister(tx, card, "phone", NOW)
        _unregister(tx, other, "phone", LATER)  # which it never had
        register(tx, other, now=again)
        _unregister(tx, other, "phone", again)
    assert _forget_all(database, LATER) == [0]
    assert _known(database) == {"phone": again}


def test_who_was_crowded_out_is_forgotten_too(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        for number in range(MOST_DEVICES + 3):
            register(tx, card, f"phone-{number}", now=NOW + number * SECOND)
    assert _forget_all(database, LATER + timedelta(hours=1)) == [MOST_DEVICES + 3, 0]
    assert set(_known(database)) == {f"phone-{number}" for number in range(3, MOST_DEVICES + 3)}


def test_many_are_forgotten_in_portions_the_longest_gone_first(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        for number in range(7):
            register(tx, card, f"phone-{number}", now=NOW + number * SECOND)
            _unregister(tx, card, f"phone-{number}", NOW + number * SECOND)
    with database.write() as tx:
        assert registrations.forget_deserted(tx, now=LATER + timedelta(hours=1), limit=3) == 3
    assert set(_known(database)) == {f"phone-{number}" for number in range(3, 7)}
    assert _forget_all(database, LATER + timedelta(hours=1), limit=3) == [3, 1, 0]
    assert _known(database) == {}


def test_a_device_goes_with_its_patience_and_after_its_last_promise(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        devices = [register(tx, card, phone).device_id for phone in ("pushed", "promised", "patient")]
        _pushed(tx, devices[:1])
        queue.enqueue_pushes(tx, devices[1:2], pass_type_identifier=TYPE, kind="receipt", now=NOW)
        budget_row = {"device_id": devices[2], "score": 1.0, "last_push_at": NOW}
        tx.execute(insert(push_budget).values(budget_row))
        for phone in ("pushed", "promised", "patient"):
            _unregister(tx, card, phone, NOW)
    assert _forget_all(database, LATER) == [3, 0]
    assert set(_known(database)) == {"pushed", "promised"}
    with database.write() as tx:
        assert tx.scalars(select(push_budget.c.device_id)).all() == devices[:1]
        assert queue.purge(tx, settled_before=LATER - timedelta(days=30)) == 1
    tomorrow = LATER + timedelta(days=1, seconds=1)
    assert _forget_all(database, tomorrow) == [2, 0]
    assert set(_known(database)) == {"promised"}
    with database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(push_budget)) == 0
        assert tx.scalar(select(func.count()).select_from(attempt)) == 0
        assert tx.scalars(select(delivery.c.device_id)).all() == devices[1:2]


def _pushed(tx: Tx, devices: list[DeviceId]) -> None:
    queue.enqueue_pushes(tx, devices, pass_type_identifier=TYPE, kind="receipt", now=NOW)
    claim = queue.claim(tx, owner="me", now=NOW, lease=timedelta(minutes=1), policy=Policy())
    queue.begin_attempts(tx, claim.claimed, now=NOW)
    outcomes = [Outcome(claimed=one, verdict="accepted", status=200) for one in claim.claimed]
    queue.settle(tx, "me", outcomes, now=NOW)


def test_who_registers_while_devices_are_forgotten_is_known_afterwards(
    database: Database, shop: Shop
) -> None:
    """The registration waits, and then makes the device anew."""
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card)
        _unregister(tx, card, "phone", NOW)
    tried = Event()
    again: list[registrations.Registered] = []

    def phone() -> None:
        tried.set()
        with database.write() as tx:
            again.append(register(tx, card, now=LATER))

    thread = Thread(target=phone)
    with database.write() as tx:
        assert registrations.forget_deserted(tx, now=LATER) == 1
        thread.start()
        tried.wait()
        thread.join(0.2)
        assert thread.is_alive()
    thread.join(10)
    assert again[0].created
    assert again[0].first
    assert _known(database) == {"phone": LATER}
    with database.read() as tx:
        assert tx.scalars(select(registration.c.device_id)).all() == [again[0].device_id]


def test_a_device_that_registers_at_this_moment_is_passed_over(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card)
        _unregister(tx, card, "phone", NOW)
    if database.is_sqlite:  # which has one writer: the other one waits, and finds it registered
        with database.write() as tx:
            register(tx, card, now=LATER)
        assert _forget_all(database, LATER) == [0]
    else:
        with database.write() as tx:
            register(tx, card, now=LATER)
            with database.write() as another:
                assert registrations.forget_deserted(another, now=LATER) == 0
    assert _known(database) == {"phone": LATER}


def test_a_storm_of_comings_and_goings_and_forgetting_loses_no_registration(
    database: Database, shop: Shop
) -> None:
    """Every device is as good as a month away all the time."""
    rounds, phones = 12, 4
    with database.write() as tx:
        cards = [shop.issue(tx) for _ in range(2)]
    faults: list[BaseException] = []
    start = Barrier(phones + 1)
    over = Event()

    def play(number: int) -> None:
        try:
            start.wait(10)
            for _ in range(rounds):
                for card in cards:
                    with database.write() as tx:
                        register(tx, card, f"phone-{number}", now=NOW)
                for card in cards[number % 2 :]:
                    with database.write() as tx:
                        _unregister(tx, card, f"phone-{number}", NOW)
        except BaseException as fault:  # told by the test below
            faults.append(fault)

    def forget() -> None:
        try:
            start.wait(10)
            while not over.is_set():
                with database.write() as tx:
                    registrations.forget_deserted(tx, now=LATER)
                with database.write() as tx:
                    tx.execute(update(device).values(held_at=NOW))
        except BaseException as fault:
            faults.append(fault)

    players = [Thread(target=play, args=(number,)) for number in range(phones)]
    forgetter = Thread(target=forget)
    for thread in (*players, forgetter):
        thread.start()
    for thread in players:
        thread.join(60)
    over.set()
    forgetter.join(60)
    assert faults == []
    with database.write() as tx:
        tx.execute(update(device).values(held_at=NOW))
    _forget_all(database, LATER)
    with database.read() as tx:
        held = tx.execute(
            select(device.c.device_library_identifier, registration.c.pass_id).join_from(registration, device)
        )
        assert sorted(map(tuple, held)) == [
            (f"phone-{number}", cards[0].id) for number in range(1, phones, 2)
        ]
    assert set(_known(database)) == {f"phone-{number}" for number in range(1, phones, 2)}


def test_the_devices_to_look_at_are_found_by_an_index(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        cards = [shop.issue(tx) for _ in range(4)]
        rows = [
            {
                "device_library_identifier": f"phone {number}",
                "pass_type_identifier": TYPE,
                "push_token": "70ce",
                "registered_at": NOW,
                "held_at": NOW + number * SECOND,
            }
            for number in range(1500)
        ]
        tx.execute(insert(device), rows)
        moments = {"created_at": NOW, "registered_at": NOW}
        devices = tx.scalars(select(device.c.id)).all()
        held = [{"device_id": one, "pass_id": card.id, **moments} for one in devices for card in cards]
        tx.execute(insert(registration), held)
    with database.write() as tx:
        tx.execute(text("ANALYZE"))
        plan, looked_at = plan_of(
            tx, lambda: store_deserted.lock_long_unseen(tx, before=NOW + 5 * SECOND, limit=5)
        )
        holding, _ = plan_of(tx, lambda: store_deserted.holding(tx, [DeviceId(7), DeviceId(8)]))
    assert looked_at == [1, 2, 3, 4, 5]
    assert "ix_device_held" in plan
    assert "Seq Scan on registration" not in holding
