"""SQL that looks back at what devices were promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.db import Tx
from app.db.identifiers import DeviceId
from app.delivery.promises import Kind, State
from app.delivery.tables import delivery


@dataclass(frozen=True, slots=True)
class PushRow:
    """A promise, without what only the worker needs."""

    device_id: DeviceId
    kind: Kind
    state: State
    created_at: datetime
    settled_at: datetime | None
    reason: str | None


def newest(tx: Tx, device_ids: Sequence[DeviceId]) -> list[PushRow]:
    """The promise with the highest number of each device, by device."""
    last = (
        select(func.max(delivery.c.id))
        .where(delivery.c.device_id.in_(device_ids))
        .group_by(delivery.c.device_id)
    )
    statement = select(
        delivery.c.device_id,
        delivery.c.kind,
        delivery.c.state,
        delivery.c.created_at,
        delivery.c.settled_at,
        delivery.c.reason,
    ).where(delivery.c.id.in_(last))
    return [PushRow(*row) for row in tx.execute(statement.order_by(delivery.c.device_id))]


def accepted(tx: Tx, device_ids: Sequence[DeviceId]) -> dict[DeviceId, datetime]:
    """When Apple last accepted a push, by device."""
    at = func.max(delivery.c.settled_at, type_=delivery.c.settled_at.type)
    statement = (
        select(delivery.c.device_id, at)
        .where(delivery.c.device_id.in_(device_ids), delivery.c.state == "accepted")
        .group_by(delivery.c.device_id)
    )
    return {row[0]: row[1] for row in tx.execute(statement)}
