"""Acceptance of a till: has what it must do been seen at this venue, and what were the last receipts.

A till is right when a receipt earned, points or a reward were redeemed, and a receipt was taken back: each
with a card of the brand, at this venue, by its key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.accounts.tables import point_of_sale_key
from app.db import Tx
from app.db.identifiers import VenueId
from app.loyalty.tables import enrolment, ledger_entry, programme, receipt

LOOKED_AT = 10
"""Receipts of a venue that are looked at, the newest."""


@dataclass(frozen=True, slots=True)
class SeenReceipt:
    """A receipt as the till sent it, and what it earned."""

    number: str
    amount: int  # minor units of ``currency``
    currency: str
    at: datetime  # by the till's clock
    recorded_at: datetime
    refunded_at: datetime | None
    card_code: str
    programme: str
    points: int  # hundredths
    stamps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What was seen of a venue's tills; ``key_used_at`` is the last use of any of its keys."""

    key_used_at: datetime | None
    receipts: tuple[SeenReceipt, ...]  # newest first
    redeemed: bool
    refunded: bool

    @property
    def earned(self) -> bool:
        """Whether a receipt gave points or stamps."""
        return any(each.points > 0 or each.stamps > 0 for each in self.receipts)

    @property
    def is_complete(self) -> bool:
        """Whether everything was seen that a till must do."""
        return self.key_used_at is not None and self.earned and self.redeemed and self.refunded


def acceptance(tx: Tx, venue_id: VenueId) -> Acceptance:
    """What the tills of this venue have done; asks of its newest receipts and of their cards alone."""
    used = tx.execute(
        select(func.max(point_of_sale_key.c.last_used_at)).where(point_of_sale_key.c.venue_id == venue_id)
    ).scalar()
    latest = (
        select(receipt).where(receipt.c.venue_id == venue_id).order_by(receipt.c.id.desc()).limit(LOOKED_AT)
    ).subquery()
    rows: Sequence[Any] = tx.execute(
        select(
            latest.c.number,
            latest.c.amount,
            latest.c.currency,
            latest.c.at,
            latest.c.recorded_at,
            latest.c.refunded_at,
            enrolment.c.card_code,
            programme.c.name,
            func.coalesce(ledger_entry.c.points, 0),
            func.coalesce(ledger_entry.c.stamps, 0),
        )
        .select_from(latest)
        .join(enrolment, enrolment.c.id == latest.c.enrolment_id)
        .join(programme, programme.c.id == enrolment.c.programme_id)
        .outerjoin(
            ledger_entry, (ledger_entry.c.receipt_id == latest.c.id) & (ledger_entry.c.kind == "accrual")
        )
        .order_by(latest.c.id.desc())
    ).all()
    kinds = (
        set(
            tx.execute(
                select(ledger_entry.c.kind)
                .distinct()
                .where(ledger_entry.c.enrolment_id.in_(select(latest.c.enrolment_id)))
                .where(ledger_entry.c.venue_id == venue_id)
                .where(ledger_entry.c.kind.in_(("redemption", "receipt_refund")))
            ).scalars()
        )
        if rows
        else set()
    )
    return Acceptance(
        key_used_at=used,
        receipts=tuple(SeenReceipt(*row) for row in rows),
        redeemed="redemption" in kinds,
        refunded="receipt_refund" in kinds or any(row.refunded_at is not None for row in rows),
    )
