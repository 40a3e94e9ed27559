"""Phones that register, unregister and list while cards change: what is left is what a model says."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from threading import Event

import pytest
from sqlalchemy import select

from app.db import Database
from app.db.identifiers import DeviceId
from app.delivery.tables import delivery
from app.passes import registrations
from app.passes.issuing import WalletPass
from app.passes.tables import device, registration, wallet_pass
from tests.passes.shop import content
from tests.web.phones import Phone, Service

SEEDS = [1, 2]


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    made = Service(database)
    yield made
    made.close()


def _registered(database: Database) -> set[tuple[str, str]]:
    """(device library identifier, serial number) of every registration."""
    with database.read() as tx:
        rows = tx.execute(
            select(device.c.device_library_identifier, wallet_pass.c.serial_number)
            .join(registration, registration.c.device_id == device.c.id)
            .join(wallet_pass, wallet_pass.c.id == registration.c.pass_id)
        )
        return {(row[0], row[1]) for row in rows}


def _push_tokens(database: Database) -> dict[str, str]:
    with database.read() as tx:
        rows = tx.execute(select(device.c.device_library_identifier, device.c.push_token))
        return {row[0]: row[1] for row in rows}


def _promised(database: Database) -> dict[str, DeviceId]:
    """Devices that a push is promised to."""
    with database.read() as tx:
        rows = tx.execute(
            select(device.c.device_library_identifier, device.c.id)
            .join(delivery, delivery.c.device_id == device.c.id)
            .where(delivery.c.state == "pending")
        )
        return {row[0]: DeviceId(row[1]) for row in rows}


def _storm(service: Service, cards: list[WalletPass], hands: list[Callable[[], None]]) -> None:
    """All of ``hands`` at once, while somebody changes the cards."""
    calm = Event()

    def change() -> None:
        for balance in count(1):
            for card in cards:
                service.revise(card, content(balance))
                time.sleep(0.002)  # SQLite's lock is not fair to who waits
            if calm.is_set():
                return

    with ThreadPoolExecutor(len(hands) + 1) as pool:
        changing = pool.submit(change)
        try:
            for one in [pool.submit(hand) for hand in hands]:
                one.result(100)
        finally:
            calm.set()
        changing.result(100)


@dataclass(slots=True)
class _Owner:
    """Somebody with phones of their own: nobody else touches these pairs, so a plain model is exact."""

    service: Service
    cards: list[WalletPass]
    chance: random.Random
    phones: list[Phone]
    holds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    tokens: dict[str, str] = field(default_factory=dict)

    def act(self) -> None:
        for number in range(30):
            phone, card = self.chance.choice(self.phones), self.chance.choice(self.cards)
            held = self.holds[phone.name]
            if self.chance.random() < 0.55:
                token = f"{phone.name}-{number}"
                answer = phone.register(card, token)
                assert answer.status_code == (200 if card.serial_number in held else 201)
                held.add(card.serial_number)
                self.tokens[phone.name] = token
            else:
                assert phone.unregister(card).status_code == 200
                held.discard(card.serial_number)
            everything = Phone(self.service, phone.name).list(card)
            listed = everything.json["serialNumbers"] if everything.json else []
            assert set(listed) == held
            phone.list(card)  # with its tag: what comes later is news


@pytest.mark.parametrize("seed", SEEDS)
def test_a_storm_leaves_the_registrations_that_a_model_says(service: Service, seed: int) -> None:
    cards = [service.issue() for _ in range(4)]
    owners = [
        _Owner(
            service,
            cards,
            random.Random(seed * 10 + number),
            [Phone(service, f"phone-{number}-{n}") for n in range(3)],
        )
        for number in range(3)
    ]
    _storm(service, cards, [owner.act for owner in owners])
    model = {(name, serial) for owner in owners for name, held in owner.holds.items() for serial in held}
    assert _registered(service.database) == model
    assert _push_tokens(service.database) == {
        name: token for owner in owners for name, token in owner.tokens.items()
    }
    # A promise to a phone that holds nothing any more leads to no push.
    promised = _promised(service.database)
    with service.database.read() as tx:
        targets = registrations.push_targets(tx, list(promised.values()))
    holding = {name for name, _ in model}
    assert set(targets) == {found for name, found in promised.items() if name in holding}
    assert {target.push_token for target in targets.values()} <= set(_push_tokens(service.database).values())
    # Whoever has not heard of the last change is promised a push.
    for owner in owners:
        for phone in owner.phones:
            if phone.list(cards[0]).status_code == 200:
                assert phone.name in promised


@dataclass(frozen=True, slots=True)
class _Deed:
    """An acknowledged call."""

    began: float
    ended: float
    registers: bool
    status: int
    token: str


@pytest.mark.parametrize("seed", SEEDS)
def test_a_storm_over_shared_phones_ends_as_some_order_of_it_would(service: Service, seed: int) -> None:
    cards = [service.issue() for _ in range(2)]
    names = ["phone-a", "phone-b"]
    done: dict[tuple[str, str], list[_Deed]] = defaultdict(list)

    def act(number: int) -> Callable[[], None]:
        chance = random.Random(seed * 10 + number)

        def once(turn: int) -> None:
            card, name = chance.choice(cards), chance.choice(names)
            phone, registers, token = Phone(service, name), chance.random() < 0.5, f"{number}-{turn}"
            began = time.monotonic()
            answer = phone.register(card, token) if registers else phone.unregister(card)
            ended = time.monotonic()
            assert answer.status_code in (200, 201)
            done[name, card.serial_number].append(
                _Deed(began, ended, registers, answer.status_code, token if registers else "")
            )

        def all_turns() -> None:
            for turn in range(30):
                once(turn)

        return all_turns

    _storm(service, cards, [act(number) for number in range(4)])
    left, tokens = _registered(service.database), _push_tokens(service.database)
    for pair, deeds in done.items():
        assert (pair in left) in {deed.registers for deed in _maybe_last(deeds)}
        # Each 201 but the last was followed by an unregistration before the next one.
        added = [deed for deed in deeds if deed.status == 201]
        removals = [deed for deed in deeds if not deed.registers]
        assert len(added) <= len(removals) + 1
        assert added or pair not in left
    for name in names:
        registering = [
            deed for (n, _), deeds in done.items() if n == name for deed in deeds if deed.registers
        ]
        assert tokens[name] in {deed.token for deed in _maybe_last(registering)}
    told = [event[0] for event in service.events if event[0] == "removed"]
    assert len(told) <= sum(not deed.registers for deeds in done.values() for deed in deeds)


def _maybe_last(deeds: list[_Deed]) -> list[_Deed]:
    """Those that may have been carried out last: nobody began after they had ended."""
    latest = max(deed.began for deed in deeds)
    return [deed for deed in deeds if deed.ended >= latest]


def test_phones_that_take_the_last_place_at_once_leave_as_many_as_may_be(service: Service) -> None:
    cards = [service.issue() for _ in range(5)]
    full = registrations.MOST_DEVICES
    for card in cards:
        phones = [Phone(service, f"{card.serial_number}-{number}") for number in range(full + 12)]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda phone, card=card: phone.register(card).status_code, phones))
        assert answers == [201] * len(phones)
    for card in cards:
        assert sum(serial == card.serial_number for _, serial in _registered(service.database)) == full


def test_of_phones_that_come_and_go_at_once_one_is_the_first_and_one_the_last(service: Service) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            card = service.issue()
            phones = [Phone(service, f"phone-{number}") for number in range(4)]
            service.events.clear()
            list(pool.map(lambda phone, card=card: phone.register(card), phones))
            list(pool.map(lambda phone, card=card: phone.unregister(card), phones))
            assert service.events.count(("added", card.id, True)) == 1
            assert service.events.count(("removed", card.id)) == 1
