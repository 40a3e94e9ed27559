"""What became of the last push to a device, as support asks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import Tx
from app.db.identifiers import DeviceId
from app.delivery import store_history
from app.delivery.promises import Kind, State


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPush:
    """The newest promise of a push to a device; settled ones are kept for some weeks only."""

    kind: Kind
    state: State
    created_at: datetime
    settled_at: datetime | None
    reason: str | None
    accepted_at: datetime | None  # when Apple last accepted any push to this device


def last_pushes(tx: Tx, device_ids: Sequence[DeviceId]) -> dict[DeviceId, LastPush]:
    """The last push of each; a device that was promised none lately is left out."""
    accepted = store_history.accepted(tx, device_ids)
    return {
        row.device_id: LastPush(
            kind=row.kind,
            state=row.state,
            created_at=row.created_at,
            settled_at=row.settled_at,
            reason=row.reason,
            accepted_at=accepted.get(row.device_id),
        )
        for row in store_history.newest(tx, device_ids)
    }
