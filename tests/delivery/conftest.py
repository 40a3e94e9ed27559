"""Devices to promise pushes to, and the answers that the delivery table gives about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Row, insert, select

from app.db import Database
from app.db.identifiers import DeviceId, PassTypeIdentifier
from app.delivery.tables import attempt, delivery
from app.passes.tables import device

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TYPE = PassTypeIdentifier("pass.example.cafe")
Devices = Callable[..., list[DeviceId]]


@pytest.fixture
def devices(database: Database) -> Devices:
    """``devices(3)`` makes three registered phones."""

    def make(count: int, pass_type: PassTypeIdentifier = TYPE) -> list[DeviceId]:
        rows = [
            {
                "device_library_identifier": f"phone-{number}",
                "pass_type_identifier": pass_type,
                "push_token": f"{number:064x}",
                "registered_at": NOON,
                "held_at": NOON,
            }
            for number in range(count)
        ]
        with database.write() as tx:
            tx.execute(insert(device), rows)
            made = select(device.c.id).where(device.c.pass_type_identifier == pass_type).order_by(device.c.id)
            return [DeviceId(number) for number in tx.scalars(made)]

    return make


def deliveries(database: Database) -> list[Row[Any]]:
    with database.read() as tx:
        return list(tx.execute(select(delivery).order_by(delivery.c.id)).all())


def attempts(database: Database) -> list[Row[Any]]:
    with database.read() as tx:
        return list(tx.execute(select(attempt).order_by(attempt.c.id)).all())
