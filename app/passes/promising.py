"""Whoever holds a pass hears of its change: promises to phones, and to Google for its object."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from app.db import Tx
from app.db.identifiers import WalletPassId
from app.delivery import google
from app.delivery.google_promises import GooglePromise
from app.delivery.queue import Promise, promise
from app.passes import store_passes

PushKind = Literal["receipt", "level", "campaign", "silent"]
"""Why holders are told. Apple's pushes know no level of its own: there a new one goes with the receipts."""


def promise_to_holders(tx: Tx, pass_ids: Sequence[WalletPassId], *, kind: PushKind, now: datetime) -> None:
    """Promise a push to every phone and a change to every object of the passes, in that order everywhere."""
    if not pass_ids:
        return
    held = store_passes.holders(tx, pass_ids)
    promise(
        tx,
        [
            Promise(one, pass_type, "receipt" if kind == "level" else kind, now)
            for pass_type, ids in held.devices.items()
            for one in ids
        ],
        now=now,
    )
    if held.objects:
        changes = [
            GooglePromise(brand_id=brand, target=one, kind=kind, due_at=now)
            for brand, ids in held.objects.items()
            for one in ids
        ]
        google.promise(tx, changes, now=now)
