"""The PassKit web service: every endpoint with every code that iOS knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import Client, TestResponse

from app.db import Database, connect
from app.passes import issuing, registrations, restoring
from app.passes.tables import device
from tests.passes.shop import NOW, OTHER_TYPE, TYPE, content, everything
from tests.web.phones import PKPASS, Phone, Service, token_for


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    made = Service(database)
    yield made
    made.close()


@pytest.fixture
def phone(service: Service) -> Phone:
    return Phone(service)


def _problem(answer: TestResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    document = json.loads(answer.text)
    assert document["status"] == status
    assert document["detail"].endswith(".")
    return dict(document)


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


@pytest.mark.parametrize("scheme", ["ApplePass", "applepass", "AndroidPass"])
def test_both_schemes_are_understood(service: Service, phone: Phone, scheme: str) -> None:
    card = service.issue()
    answer = phone.register(card, headers={"Authorization": f"{scheme} {token_for(card)}"})
    assert answer.status_code == 201


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
        _problem(answer, 401)
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
    _problem(phone.register(card, json=None, data=body), 400)
    assert everything(service.database) == before


def test_an_oversized_body_is_refused(service: Service, phone: Phone) -> None:
    card = service.issue()
    _problem(phone.register(card, json={"pushToken": "a" * 70_000}), 413)
    _problem(service.client.post("/v1/log", data=b"x" * 70_000), 413)
    headers = {"Content-Length": "lots"}
    _problem(service.client.post("/v1/log", headers=headers), 400)


@pytest.mark.parametrize("name", ["d" * 300, "%00", "%20", "%ff%fe", "й"])
def test_a_device_that_cannot_be_one_is_refused_and_has_no_list(service: Service, name: str) -> None:
    card = service.issue()
    before = everything(service.database)
    odd = Phone(service, name)
    _problem(odd.register(card), 400)
    assert odd.list(card).status_code == 204
    assert odd.unregister(card).status_code == 200
    assert everything(service.database) == before


def test_a_failure_in_the_loyalty_rooms_leaves_no_registration(database: Database, service: Service) -> None:
    card = service.issue()

    def fail(*_: object) -> None:
        raise KeyError("a defect")

    service.events = type("Refusing", (list,), {"append": fail})()
    before = everything(database)
    _problem(Phone(service).register(card), 500)
    assert everything(database) == before


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


# The list


def test_the_list_is_json_with_a_tag_that_is_a_string(service: Service, phone: Phone) -> None:
    card, silent = service.issue(), service.issue()
    phone.register(card)
    phone.register(silent)
    answer = phone.list(card)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "serialNumbers": [card.serial_number, silent.serial_number],
        "lastUpdated": str(silent.tag),
    }
    again = phone.list(card)
    assert (again.status_code, again.data) == (204, b"")
    service.revise(card, content(5))
    changed = phone.list(card)
    assert changed.json is not None
    assert changed.json["serialNumbers"] == [card.serial_number]


def test_an_unknown_device_is_told_that_nothing_changed(service: Service, phone: Phone) -> None:
    card = service.issue()
    assert phone.list(card).status_code == 204
    assert service.client.get("/v1/devices/x/registrations/pass.unknown").status_code == 204


@pytest.mark.parametrize(
    "tag", ["", "x", "-5", "9" * 18, "9" * 5000, "%00", "2024-07-08T08:03:13+00:00", "%ff"]
)
def test_a_garbled_or_later_tag_lists_everything(service: Service, phone: Phone, tag: str) -> None:
    card = service.issue()
    phone.register(card)
    answer = service.client.get(f"{phone.list_path(card)}?passesUpdatedSince={tag}")
    assert answer.status_code == 200
    assert answer.json == {"serialNumbers": [card.serial_number], "lastUpdated": str(card.tag)}


def test_the_list_writes_nothing_in_the_request(service: Service, phone: Phone) -> None:
    card = service.issue()
    phone.register(card)
    service.evidence.close()
    before = everything(service.database)
    assert phone.list(card).status_code == 200
    assert phone.fetch(card, format_datetime(card.last_modified, usegmt=True)).status_code == 304
    assert everything(service.database) == before
    service.evidence.flush()
    assert everything(service.database) != before


def test_a_head_of_the_list_has_no_body(service: Service, phone: Phone) -> None:
    card = service.issue()
    phone.register(card)
    answer = phone.list(card, "HEAD")
    assert (answer.status_code, answer.data) == (200, b"")


# The pass


def test_a_pass_is_served_with_its_type_and_date(service: Service, phone: Phone) -> None:
    card = service.issue(700)
    answer = phone.fetch(card)
    assert answer.status_code == 200
    assert answer.content_type == PKPASS
    assert answer.data == f"{card.serial_number} 1 700 False".encode()
    assert answer.headers["Last-Modified"] == "Sat, 21 Nov 2026 12:00:00 GMT"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Length"] == str(len(answer.data))


def test_the_date_that_we_served_brings_a_304(service: Service, phone: Phone) -> None:
    card = service.issue()
    served = phone.fetch(card).headers["Last-Modified"]
    answer = phone.fetch(card, served)
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["Last-Modified"] == served
    assert "Content-Type" not in answer.headers
    for otherwise in ("Saturday, 21-Nov-26 12:00:00 GMT", "Sat, 21 Nov 2026 15:00:00 +0300"):
        assert phone.fetch(card, otherwise).status_code == 304


@pytest.mark.parametrize(
    "since",
    [
        "Sat, 21 Nov 2026 11:59:59 GMT",
        "Sat, 21 Nov 2026 12:00:01 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT",
        "nonsense",
        "2026-11-21T12:00:00Z",
        "Sat, 99 Nov 99999 99:99:99 GMT",
        "0",
        '"etag"',
    ],
)
def test_any_other_date_brings_the_pass(service: Service, phone: Phone, since: str) -> None:
    answer = phone.fetch(service.issue(), since)
    assert answer.status_code == 200
    assert answer.data


def test_two_changes_in_one_second_both_arrive(service: Service, phone: Phone) -> None:
    card = service.issue()
    phone.register(card)
    phone.list(card)
    served = phone.fetch(card).headers["Last-Modified"]
    for balance in (1, 2):
        service.revise(card, content(balance))
        assert phone.list(card).status_code == 200
        answer = phone.fetch(card, served)
        assert answer.status_code == 200
        assert answer.data.decode().split()[2] == str(balance)
        served = answer.headers["Last-Modified"]
    assert phone.fetch(card, served).status_code == 304


def test_a_head_tells_the_date_and_counts_for_nothing(service: Service, phone: Phone) -> None:
    card = service.issue()
    before = everything(service.database)
    answer = phone.fetch(card, method="HEAD")
    assert (answer.status_code, answer.data, answer.content_type) == (200, b"", PKPASS)
    assert phone.fetch(card, answer.headers["Last-Modified"], method="HEAD").status_code == 304
    service.evidence.flush()
    assert everything(service.database) == before


def test_a_tombstone_answers_for_ever_with_a_voided_pass(service: Service, phone: Phone) -> None:
    card = service.issue(500)
    phone.register(card)
    phone.list(card)
    served = phone.fetch(card).headers["Last-Modified"]
    with service.database.write() as tx:
        issuing.tombstone(tx, card.id, now=service.now)
    assert phone.list(card).status_code == 200
    answer = phone.fetch(card, served)
    assert answer.status_code == 200
    assert answer.data == f"{card.serial_number} 2 0 True".encode()
    service.pass_by(10**8)
    assert phone.fetch(card).status_code == 200


def test_a_restored_backup_loses_no_phone(service: Service, phone: Phone) -> None:
    """The phone holds a later date and a later tag than the restored database knows."""
    card = service.issue(3)
    phone.register(card)
    phone.tag = "123456"
    later = format_datetime(datetime.now(UTC) + timedelta(days=9000), usegmt=True)
    assert phone.list(card).status_code == 200
    assert phone.fetch(card, later).status_code == 200
    phone.tag = "123456"
    with service.database.write() as tx:
        restoring.lift_tags(tx, now=NOW, backed_up_at=NOW)
    assert phone.list(card).status_code == 200
    assert phone.tag is not None
    assert int(phone.tag) > 123456


def test_an_unreachable_device_still_gets_its_list(service: Service, phone: Phone) -> None:
    card = service.issue()
    phone.register(card)
    with service.database.write() as tx:
        device_id = tx.scalars(select(device.c.id)).one()
        registrations.forget_unreachable(tx, device_id, unregistered_at=NOW + timedelta(seconds=1))
    assert phone.list(card).status_code == 200


# Everything else


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1/devices/d/registrations/t/s", "POST, DELETE"),
        ("GET", "/v1/devices/d/registrations/t/s", "POST, DELETE"),
        ("POST", "/v1/devices/d/registrations/t", "GET, HEAD"),
        ("DELETE", "/v1/passes/t/s", "GET, HEAD"),
        ("GET", "/v1/log", "POST"),
        ("GET", "/v1/passes/t/s/passLifecycleUpdate", "POST"),
    ],
)
def test_other_methods_are_told_what_is_allowed(service: Service, method: str, path: str, allow: str) -> None:
    answer = service.client.open(path, method=method)
    _problem(answer, 405)
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/v1",
        "/v2/log",
        "/v1/passes",
        "/v1/passes/t/s/personalize",
        "/v1/devices/d/registrations/t/s/x",
        "/v1/devices//registrations",
        "/v1/log/x",
    ],
)
def test_other_paths_are_not_found(service: Service, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = service.client.open(path, method=method)
        _problem(answer, 404)
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_database_that_is_gone_says_when_to_ask_again(
    service: Service, phone: Phone, free_port: int
) -> None:
    card = service.issue()
    gone = connect(f"postgresql://nobody@127.0.0.1:{free_port}/gone")
    service.client = Client(service.with_database(gone))
    for answer in (phone.list(card), phone.fetch(card), phone.register(card), phone.unregister(card)):
        _problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
    assert service.client.post("/v1/log", json={"logs": ["still heard"]}).status_code == 200
    gone.close()
