"""SQL of the devices that hold no pass any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from app.db import Tx, among
from app.db.identifiers import DeviceId
from app.passes.tables import device, registration

_LONG_UNSEEN = (
    select(device.c.id)
    .where(device.c.held_at < bindparam("before", type_=device.c.held_at.type))
    .order_by(device.c.held_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)


def lock_long_unseen(tx: Tx, *, before: datetime, limit: int) -> list[DeviceId]:
    """Devices not known to have held a pass since ``before``, longest first, without those that are locked.

    None of them gets a registration until this transaction ends. Whether one has some is to be asked
    afterwards, as :func:`holding` does: this statement may have waited for one.
    """
    return list(tx.scalars(_LONG_UNSEEN, {"before": before, "most": limit}))


def holding(tx: Tx, device_ids: Sequence[DeviceId]) -> set[DeviceId]:
    """Of these devices the ones that are registered for a pass."""
    held = select(registration.c.device_id).where(among(registration.c.device_id, device_ids))
    return set(tx.scalars(held.distinct()))


def held_until(tx: Tx, device_ids: Sequence[DeviceId], at: datetime) -> None:
    """Note when these devices were last known to hold a pass."""
    tx.execute(update(device).where(among(device.c.id, device_ids)).values(held_at=at))


def delete_devices(tx: Tx, device_ids: Sequence[DeviceId]) -> None:
    """Forget devices that nothing refers to."""
    tx.execute(delete(device).where(among(device.c.id, device_ids)))
