"""What a campaign says to a text of its own at the moment of its claim: not any more, or not yet.

The last look before money is spent: a fetch that was written down meanwhile, a campaign that was halted. Who
fetches at this very moment is waited for, so that no text is claimed after a fetch that is in the database.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.campaigns import store_claims as store
from app.campaigns.looks import CANCELLED, HALTED, REACHED
from app.db import Tx
from app.db.identifiers import DeliveryId
from app.passes import watermarks

HALTED_REASON: Final = "CampaignHalted"
EVIDENCE_AWAITED: Final = "EvidenceAwaited"
_A_MOMENT: Final = timedelta(seconds=2)
_LOOK_AGAIN: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a text must not leave; ``until`` None: never."""

    reason: str
    until: datetime | None = None


def objections(tx: Tx, ids: Collection[DeliveryId], *, now: datetime) -> dict[DeliveryId, Objection]:
    """Those of these claimed texts that a campaign does not want sent now; texts of none are left out."""
    rows = store.of_texts(tx, ids)
    if not rows:
        return {}
    watermark = watermarks.oldest(tx, now)
    fetched, free = store.messages(tx, rows)
    found: dict[DeliveryId, Objection] = {}
    for row in rows:
        if row.campaign_state == "cancelled":
            found[row.delivery_id] = Objection(CANCELLED)
        elif row.delivery_id in fetched or row.recipient_state != "texting":
            found[row.delivery_id] = Objection(REACHED)
        elif row.campaign_state in HALTED:
            found[row.delivery_id] = Objection(HALTED_REASON, now + _LOOK_AGAIN)
        elif row.delivery_id not in free or (row.deadline_at is not None and row.deadline_at > watermark):
            found[row.delivery_id] = Objection(EVIDENCE_AWAITED, now + _A_MOMENT)
    return found
