"""A guest who registers made-up devices harms nobody else; bad tokens by our own fault are still noticed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, event, func, select
from structlog.testing import capture_logs
from werkzeug.test import Client

from app.db import Database
from app.db.identifiers import DeviceId
from app.delivery import breaker
from app.passes import registrations
from app.passes.tables import device
from app.web.application import make_application
from tests.passes.shop import TYPE, register
from tests.web.till_api import Bell, services
from tests.worker.conftest import Rig, now, token

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def _make_up(rig: Rig, count: int, *, cards: int = 1) -> list[DeviceId]:
    """Devices with push tokens that Apple does not know, all of one guest's cards."""
    bad = {token(number): {"status": 400, "reason": "BadDeviceToken"} for number in range(1000, 1000 + count)}
    rig.apns.turn(token_answers=bad)
    with rig.database.write() as tx:
        installed = [rig.shop.issue(tx) for _ in range(cards)]
        return [
            register(
                tx, installed[number % cards], f"made-up-{number}", token=token(1000 + number), now=now()
            ).device_id
            for number in range(count)
        ]


def _open(rig: Rig) -> list[str]:
    with rig.database.read() as tx:
        return [row.reason for row in breaker.all_open(tx)]


def _warnings(rig: Rig) -> list[str]:
    """What /readyz says of it."""
    client = Client(make_application(services(rig.database, Bell()), _no_phones))
    answer = client.get("/readyz", environ_base={"REMOTE_ADDR": "127.0.0.1"})
    said: list[str] = answer.get_json()["warnings"]
    return said


def _no_phones(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise AssertionError(environ["PATH_INFO"])


def _accepted(rig: Rig, devices: Sequence[DeviceId]) -> int:
    return len([row for row in rig.rows() if row.state == "accepted" and row.device_id in devices])


def _unreachable(rig: Rig) -> int:
    with rig.database.read() as tx:
        return tx.scalar(select(func.count()).where(device.c.unreachable_since.is_not(None))) or 0


def test_hundreds_of_made_up_devices_of_one_card_delay_no_other_guest(rig: Rig) -> None:
    (guest,) = rig.phones(1)
    made_up = _make_up(rig, 400)
    with capture_logs() as logs, rig.working():
        rig.promise(made_up)
        rig.until(lambda: len([row for row in rig.rows() if row.settled_at]) == 400)
        rig.promise([guest])
        rig.until(lambda: rig.states()[-1] == "accepted", seconds=5)
        for _ in range(3):  # the next receipts of that card reach Apple no more
            rig.promise(made_up)
            rig.promise([guest])
            rig.until(lambda: all(row.settled_at for row in rig.rows()), seconds=5)
    assert not [line for line in logs if line["event"] == "breaker_opened"]
    assert _open(rig) == []
    assert _unreachable(rig) == registrations.MOST_DEVICES
    assert rig.apns.ask(lambda simulator: simulator.post.total) == registrations.MOST_DEVICES + 4
    assert rig.gone == []


def test_bad_tokens_of_many_cards_cost_a_brand_one_minute_and_then_stop_nothing(rig: Rig) -> None:
    (guest,) = rig.phones(1)
    made_up = _make_up(rig, 200, cards=100)
    ahead = timedelta(0)
    with capture_logs() as logs, rig.working(clock=lambda: now() + ahead):
        rig.promise([*made_up[:100], guest])
        rig.until(lambda: _open(rig) != [] and "sending" not in rig.states())
        assert _unreachable(rig) == 0
        rig.promise([guest])
        ahead = breaker.PROBE_AFTER
        rig.until(lambda: _open(rig) == [])
        ahead *= 3
        rig.promise([*made_up, guest])
        rig.until(lambda: all(row.settled_at for row in rig.rows()), seconds=10)
    assert _unreachable(rig) == 200
    assert {row.state for row in rig.rows() if row.device_id == guest} == {"accepted"}
    assert len([line for line in logs if line["event"] == "breaker_opened"]) == 1


def test_half_of_twenty_guests_with_bad_tokens_open_the_breaker_and_a_probe_closes_it(rig: Rig) -> None:
    """Ten are accepted all the same: something is badly wrong, and nobody is set aside for it."""
    guests = rig.phones(20)
    good, bad = guests[:10], guests[10:]
    refused = {token(number): {"status": 400, "reason": "BadDeviceToken"} for number in range(10, 20)}
    rig.apns.turn(token_answers=refused)
    ahead = timedelta(0)
    rig.promise(guests)
    with capture_logs() as logs, rig.working(clock=lambda: now() + ahead):
        rig.until(lambda: _open(rig) != [] and "sending" not in rig.states())
        assert _open(rig) == ["BadDeviceToken: 10 of 20 guests"]
        assert [row.state for row in rig.rows()] == ["accepted"] * 10 + ["pending"] * 10
        assert _unreachable(rig) == 0
        assert _warnings(rig) == [f"apple:{TYPE}: pushes are stopped, see the log"]
        rig.promise(good)
        time.sleep(0.5)
        assert rig.apns.ask(lambda simulator: simulator.post.total) == 20

        ahead = breaker.PROBE_AFTER
        rig.until(lambda: _open(rig) == [])
        rig.until(lambda: _accepted(rig, good) == 20)
        assert _warnings(rig) == []
        ahead *= 3
        rig.until(lambda: all(row.settled_at for row in rig.rows()))
    alarms = [line for line in logs if line["event"].startswith("breaker_")]
    assert [(line["event"], line["log_level"]) for line in alarms] == [
        ("breaker_opened", "error"),
        ("breaker_closed", "warning"),
    ]
    # Now that a probe proved us right, they are judged one by one.
    assert _accepted(rig, bad) == 0
    assert {row.state for row in rig.rows() if row.device_id in bad} == {"refused"}
    assert _unreachable(rig) == 10


def test_who_was_set_aside_before_half_were_bad_is_taken_back(rig: Rig) -> None:
    """Bad tokens come one after the other, each judged alone; the tenth shows the pattern."""
    guests = rig.phones(20)
    good, bad = guests[:10], guests[10:]
    refused = {token(number): {"status": 400, "reason": "BadDeviceToken"} for number in range(10, 20)}
    rig.apns.turn(token_answers=refused)
    with rig.working(), _locks(rig.database) as locked:
        rig.promise(good)
        rig.until(lambda: _accepted(rig, good) == 10)
        for number, one in enumerate(bad[:9]):
            rig.promise([one])
            rig.until(lambda n=number: _unreachable(rig) == n + 1)  # type: ignore[misc]
        rig.promise(bad[9:])
        rig.until(lambda: _open(rig) != [] and "sending" not in rig.states())
    assert _unreachable(rig) == 0
    assert {row.device_id for row in rig.rows() if row.state == "pending"} == set(bad)
    # Devices before their deliveries, as a registration locks them, or the two could wait in a circle.
    assert ["device", "delivery"] in locked
    assert not [tables for tables in locked if "device" in tables[tables.index("delivery") :]]


@contextmanager
def _locks(database: Database) -> Iterator[list[list[str]]]:
    """The tables that each transaction with deliveries updated, in order."""
    transactions: dict[int, list[str]] = {}
    ended: list[list[str]] = []

    def executed(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if found := re.match(r"UPDATE (device|delivery) ", statement):
            tables = transactions.setdefault(id(connection), [])
            if tables[-1:] != [found[1]]:
                tables.append(found[1])

    def over(connection: Connection) -> None:
        tables = transactions.pop(id(connection), [])
        if "delivery" in tables:
            ended.append(tables)

    listeners: list[tuple[str, Callable[..., Any]]] = [
        ("before_cursor_execute", executed),
        ("commit", over),
        ("rollback", over),
    ]
    for name, listener in listeners:
        event.listen(database.engine, name, listener)
    try:
        yield ended
    finally:
        for name, listener in listeners:
            event.remove(database.engine, name, listener)


def test_a_breaker_opened_by_bad_tokens_closes_at_the_next_guest_and_they_end(rig: Rig) -> None:
    (guest,) = rig.phones(1)
    made_up = _make_up(rig, 60, cards=30)
    ahead = timedelta(0)
    with rig.working(clock=lambda: now() + ahead):
        rig.promise(made_up)
        rig.until(lambda: _open(rig) != [] and "sending" not in rig.states())
        assert _unreachable(rig) == 0
        rig.promise([guest])
        ahead = breaker.PROBE_AFTER
        rig.until(lambda: [row.state for row in rig.rows() if row.device_id == guest] == ["accepted"])
        rig.until(lambda: _open(rig) == [])
        ahead *= 2
        rig.until(lambda: all(row.settled_at for row in rig.rows()))
    assert _open(rig) == []
    assert _unreachable(rig) == 60


def test_a_device_that_was_set_aside_is_pushed_again_after_it_registers(rig: Rig) -> None:
    guest, other = rig.phones(2)
    rig.apns.turn(token_answers={token(1): {"status": 400, "reason": "BadDeviceToken"}})
    with rig.working():
        rig.promise([guest, other])
        rig.until(lambda: _unreachable(rig) == 1)
        with rig.database.write() as tx:
            register(tx, rig.shop.issue(tx), "phone-1", token=token(77), now=now())
        rig.promise([other])
        rig.until(lambda: rig.states() == ["accepted", "refused", "accepted"])
    assert _unreachable(rig) == 0
