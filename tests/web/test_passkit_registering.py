"""Registering and unregistering: only with the pass's own token, and nothing garbled leaves a trace."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.db import Database
from app.passes import issuing
from app.passes.registrations import MOST_PASSES
from app.passes.tables import device
from tests.passes.shop import NOW, OTHER_TYPE, TYPE, everything, register
from tests.web.phones import Phone, Service, problem, token_for


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    made = Service(database)
    yield made
    made.close()


@pytest.fixture
def phone(service: Service) -> Phone:
    return Phone(service)


# Registering


def test_registering_answers_201_then_200_and_keeps_the_newest_token(service: Service, phone: Phone) -> None:
    card = service.issue()
    assert phone.register(card, "old").status_code == 201
    answer = phone.register(card, "new")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    with service.database.read() as tx:
        assert tx.scalars(select(device.c.push_token)).all() == ["new"]
    assert service.events == [("added", card.id, True), ("added", card.id, False)]
    assert service.rings == 2


def test_a_push_token_may_be_long(service: Service, phone: Phone) -> None:
    card = service.issue()
    assert phone.register(card, "a" * 1000).status_code == 201
    with service.database.read() as tx:
        assert tx.scalar(select(device.c.push_token)) == "a" * 1000


def test_a_voided_pass_registers_like_any(service: Service, phone: Phone) -> None:
    card = service.issue()
    with service.database.write() as tx:
        issuing.tombstone(tx, card.id, now=NOW)
    assert phone.register(card).status_code == 201


@pytest.mark.once
@pytest.mark.parametrize("scheme", ["ApplePass", "applepass", "AndroidPass"])
def test_both_schemes_are_understood(service: Service, phone: Phone, scheme: str) -> None:
    card = service.issue()
    answer = phone.register(card, headers={"Authorization": f"{scheme} {token_for(card)}"})
    assert answer.status_code == 201


@pytest.mark.once
@pytest.mark.parametrize(("plain", "odd"), [("/v1", "//v1"), ("pass.", "pass%2e"), ("/v1", "/v1")])
def test_a_doubled_slash_and_escapes_are_the_same_path(
    service: Service, phone: Phone, plain: str, odd: str
) -> None:
    card = service.issue()
    answer = service.client.post(
        json={"pushToken": "1"},
        headers={"Authorization": f"ApplePass {token_for(card)}"},
        environ_overrides={"PATH_INFO": phone.registration(card).replace(plain, odd)},
    )
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "ApplePass",
        "ApplePass ",
        "Bearer {}",
        "ApplePass {}x",
        "ApplePass \u00e9",
        "Basic {}",
        "{}",
        "ApplePass{}",
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "GET", "HEAD"])
def test_nothing_opens_without_the_token(
    service: Service, phone: Phone, authorization: str, method: str
) -> None:
    card = service.issue()
    phone.register(card)
    before = everything(service.database)
    path = phone.registration(card)
    if method in ("GET", "HEAD"):
        path = f"/v1/passes/{TYPE}/{card.serial_number}"
    headers = {"Authorization": authorization.format(token_for(card))}
    answer = service.client.open(path, method=method, json={"pushToken": "evil"}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "ApplePass"
    assert everything(service.database) == before


@pytest.mark.parametrize("method", ["POST", "DELETE", "GET"])
def test_a_token_never_opens_another_pass(service: Service, phone: Phone, method: str) -> None:
    mine, theirs = service.issue(), service.issue()
    twin = service.issue(pass_type=OTHER_TYPE)
    before = everything(service.database)
    headers = {"Authorization": f"ApplePass {token_for(mine)}"}
    for target in (f"{TYPE}/{theirs.serial_number}", f"{OTHER_TYPE}/{twin.serial_number}",
                   f"{OTHER_TYPE}/{mine.serial_number}", f"{TYPE}/unknown", "nothing/at-all"):  # fmt: skip
        path = (
            f"/v1/passes/{target}" if method == "GET" else f"/v1/devices/{phone.name}/registrations/{target}"
        )
        answer = service.client.open(path, method=method, json={"pushToken": "1"}, headers=headers)
        problem(answer, 401)
    assert everything(service.database) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"pushToken": 5}',
        b'{"pushToken": ""}',
        b'{"pushToken": null}',
        b"\xff",
        b'{"pushToken": "a b"}',
        b'{"pushToken": "\\u0000"}',
        b'{"pushToken": "\\ud800"}',
        b'"' + b"[" * 30_000,
        b"[" * 30_000,
        b'{"pushToken": "' + b"a" * 5000 + b'"}',
    ],
)
def test_a_garbled_registration_is_refused_and_changes_nothing(
    service: Service, phone: Phone, body: bytes
) -> None:
    card = service.issue()
    phone.register(card)
    before = everything(service.database)
    problem(phone.register(card, json=None, data=body), 400)
    assert everything(service.database) == before


@pytest.mark.once
def test_an_oversized_body_is_refused(service: Service, phone: Phone) -> None:
    card = service.issue()
    problem(phone.register(card, json={"pushToken": "a" * 70_000}), 413)
    problem(service.client.post("/v1/log", data=b"x" * 70_000), 413)
    headers = {"Content-Length": "lots"}
    problem(service.client.post("/v1/log", headers=headers), 400)


@pytest.mark.parametrize("name", ["d" * 300, "%00", "%20", "%ff%fe", "й"])
def test_a_device_that_cannot_be_one_is_refused_and_has_no_list(service: Service, name: str) -> None:
    card = service.issue()
    before = everything(service.database)
    odd = Phone(service, name)
    problem(odd.register(card), 400)
    assert odd.list(card).status_code == 204
    assert odd.unregister(card).status_code == 200
    assert everything(service.database) == before


def test_a_failure_in_the_loyalty_rooms_leaves_no_registration(database: Database, service: Service) -> None:
    card = service.issue()

    def fail(*_: object) -> None:
        raise KeyError("a defect")

    service.events = type("Refusing", (list,), {"append": fail})()
    before = everything(database)
    problem(Phone(service).register(card), 500)
    assert everything(database) == before


def test_a_device_holds_so_many_passes_and_no_more(service: Service, phone: Phone) -> None:
    with service.database.write() as tx:
        cards = [service.shop.issue(tx) for _ in range(MOST_PASSES + 1)]
        for card in cards[:-1]:
            register(tx, card, phone.name)
    before = everything(service.database)
    told = problem(phone.register(cards[-1]), 409)
    assert told["type"].endswith("too-many-passes")
    assert everything(service.database) == before
    assert phone.register(cards[0]).status_code == 200
    assert phone.unregister(cards[1]).status_code == 200
    assert phone.register(cards[-1]).status_code == 201


# Unregistering


def test_unregistering_answers_200_and_tells_the_last(service: Service, phone: Phone) -> None:
    card = service.issue()
    other = Phone(service, "other")
    phone.register(card)
    other.register(card)
    service.events.clear()
    assert phone.unregister(card).status_code == 200
    assert service.events == []
    assert other.unregister(card).status_code == 200
    assert service.events == [("removed", card.id)]
    assert other.unregister(card).status_code == 200
    assert Phone(service, "stranger").unregister(card).status_code == 200
    assert service.events == [("removed", card.id)]
    assert phone.list(card).status_code == 204
