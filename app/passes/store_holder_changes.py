"""SQL of what is noted for whoever keeps who holds which pass: that its holders changed."""

from __future__ import annotations

from sqlalchemy import insert

from app.db import Tx
from app.db.identifiers import DeviceId, WalletPassId
from app.passes.tables import holder_change

# Built once: a phone waits for it.
_CHANGE = insert(holder_change).inline()


def of_pass(tx: Tx, pass_id: WalletPassId) -> None:
    """Somebody holds the pass no more."""
    tx.execute(_CHANGE, {"pass_id": pass_id, "device_id": None})


def of_device(tx: Tx, device_id: DeviceId) -> None:
    """Whatever the device is registered for has another holder, or is reached in another way."""
    tx.execute(_CHANGE, {"pass_id": None, "device_id": device_id})
