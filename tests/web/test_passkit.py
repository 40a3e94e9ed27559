"""The list, the pass and everything else that phones ask, with every code that iOS knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import select
from werkzeug.test import Client

from app.db import Database, connect
from app.passes import issuing, registrations, restoring
from app.passes.tables import device
from tests.passes.shop import NOW, content, everything
from tests.web.phones import PKPASS, Phone, Service, problem


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    made = Service(database)
    yield made
    made.close()


@pytest.fixture
def phone(service: Service) -> Phone:
    return Phone(service)


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
    problem(answer, 405)
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
        problem(answer, 404)
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_database_that_is_gone_says_when_to_ask_again(
    service: Service, phone: Phone, free_port: int
) -> None:
    card = service.issue()
    gone = connect(f"postgresql://nobody@127.0.0.1:{free_port}/gone")
    service.client = Client(service.with_database(gone))
    for answer in (phone.list(card), phone.fetch(card), phone.register(card), phone.unregister(card)):
        problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
    assert service.client.post("/v1/log", json={"logs": ["still heard"]}).status_code == 200
    gone.close()
