"""SQL of the devices that hold a pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.db import Tx
from app.db.identifiers import DeviceId, WalletPassId
from app.passes.tables import device, registration


@dataclass(frozen=True, slots=True)
class HolderRow:
    """A registration with its device."""

    pass_id: WalletPassId
    device_id: DeviceId
    registered_at: datetime
    contacted_at: datetime | None
    unreachable_since: datetime | None
    push_service: str


def of_passes(tx: Tx, pass_ids: Sequence[WalletPassId]) -> list[HolderRow]:
    """By pass, longest registered first."""
    statement = (
        select(
            registration.c.pass_id,
            device.c.id,
            registration.c.registered_at,
            device.c.contacted_at,
            device.c.unreachable_since,
            device.c.push_service,
        )
        .join(device, device.c.id == registration.c.device_id)
        .where(registration.c.pass_id.in_(pass_ids))
        .order_by(registration.c.pass_id, registration.c.created_at, device.c.id)
    )
    return [HolderRow(*row) for row in tx.execute(statement)]
