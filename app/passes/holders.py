"""Which devices hold a pass, as support asks it: no push token, and no name that Apple gave the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import Tx
from app.db.identifiers import DeviceId, WalletPassId
from app.passes import store_holders


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A device that is registered for a pass."""

    pass_id: WalletPassId
    device_id: DeviceId
    registered_at: datetime  # for this pass, the last time
    contacted_at: datetime | None  # when it last asked for its list
    unreachable_since: datetime | None  # pushes are pointless until it registers again
    push_service: str  # "apple"; "other": an Android pass app, which is not pushed to and asks by itself


def of_passes(tx: Tx, pass_ids: Sequence[WalletPassId]) -> list[Holder]:
    """Every device that is registered for one of the passes, by pass, longest registered first."""
    return [
        Holder(
            pass_id=row.pass_id,
            device_id=row.device_id,
            registered_at=row.registered_at,
            contacted_at=row.contacted_at,
            unreachable_since=row.unreachable_since,
            push_service=row.push_service,
        )
        for row in store_holders.of_passes(tx, pass_ids)
    ]
