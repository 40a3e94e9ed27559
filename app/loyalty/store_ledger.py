"""SQL about receipts, ledger entries and lots. Entries and uses of lots are only ever added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import bindparam, func, select, update
from sqlalchemy import insert as plain_insert

from app.db import Tx, insert
from app.db.identifiers import EnrolmentId, LedgerEntryId, ReceiptId, VenueId
from app.db.upsert import insert_in
from app.loyalty.points import Lot, LotUse
from app.loyalty.tables import ledger_entry, lot, lot_use, receipt
from app.loyalty.tiers import Spend

EntryKind = Literal[
    "accrual", "redemption", "receipt_refund", "redemption_refund", "correction", "expiry", "import", "offer"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A row of ``receipt``."""

    id: ReceiptId
    venue_id: VenueId
    enrolment_id: EnrolmentId
    number: str
    amount: int  # minor units
    currency: str
    at: datetime
    recorded_at: datetime
    refunded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of ``ledger_entry``."""

    id: LedgerEntryId
    enrolment_id: EnrolmentId
    kind: EntryKind
    points: int  # hundredths, signed
    stamps: int  # signed
    venue_id: VenueId | None
    receipt_id: ReceiptId | None
    reverses_id: LedgerEntryId | None
    at: datetime


_RECEIPT = [receipt.c[name] for name in Receipt.__dataclass_fields__]
_ENTRY = [ledger_entry.c[name] for name in Entry.__dataclass_fields__]
_LOT = [lot.c[name] for name in Lot.__dataclass_fields__]
# Built once: that takes longer than SQLite takes to execute them, and a till waits for each.
_SPENDS = select(receipt.c.enrolment_id, receipt.c.at, receipt.c.amount).where(
    receipt.c.enrolment_id.in_(bindparam("ids", expanding=True)),
    receipt.c.at > bindparam("since", type_=receipt.c.at.type),
    receipt.c.refunded_at.is_(None),
)
_OPEN_LOTS = select(*_LOT).where(lot.c.enrolment_id == bindparam("of_enrolment"), lot.c.remaining > 0)
_EXPIRED_LOTS = select(lot.c.enrolment_id, *_LOT).where(
    lot.c.enrolment_id.in_(bindparam("ids", expanding=True)),
    lot.c.remaining > 0,
    lot.c.expires_at <= bindparam("now", type_=lot.c.expires_at.type),
)
_ADD_ENTRY = plain_insert(ledger_entry).returning(ledger_entry.c.id)
_ADD_LOT = plain_insert(lot)
_TAKE = (
    update(lot).where(lot.c.id == bindparam("of_lot")).values(remaining=lot.c.remaining - bindparam("part"))
)


@cache
def _add_receipt(dialect: str) -> Any:
    new = insert_in(dialect, receipt)
    return new.on_conflict_do_nothing(index_elements=["venue_id", "number"]).returning(receipt.c.id)


def insert_receipt(
    tx: Tx,
    *,
    venue_id: int,
    enrolment_id: int,
    number: str,
    amount: int,
    currency: str,
    at: datetime,
    now: datetime,
) -> ReceiptId | None:
    """The new row's id; None where the venue has a receipt of this number."""
    found: ReceiptId | None = tx.execute(
        _add_receipt(tx.dialect.name),
        {
            "venue_id": venue_id,
            "enrolment_id": enrolment_id,
            "number": number,
            "amount": amount,
            "currency": currency,
            "at": at,
            "recorded_at": now,
        },
    ).scalar()
    return found


def receipt_by_number(tx: Tx, venue_id: int, number: str) -> Receipt | None:
    """A venue's receipt."""
    row = tx.execute(
        select(*_RECEIPT).where(receipt.c.venue_id == venue_id, receipt.c.number == number)
    ).first()
    return Receipt(**row._mapping) if row else None


def mark_refunded(tx: Tx, receipt_id: int, *, now: datetime) -> bool:
    """False where it was refunded before."""
    changed = tx.execute(
        update(receipt)
        .where(receipt.c.id == receipt_id, receipt.c.refunded_at.is_(None))
        .values(refunded_at=now)
    )
    return changed.rowcount == 1


def spends(tx: Tx, enrolment_ids: Sequence[int], *, since: datetime) -> dict[EnrolmentId, list[Spend]]:
    """What each spent after ``since`` and did not get back; who spent nothing is not in it."""
    found: dict[EnrolmentId, list[Spend]] = {}
    for row in tx.execute(_SPENDS, {"ids": list(enrolment_ids), "since": since}):
        found.setdefault(row.enrolment_id, []).append(Spend(row.at, row.amount))
    return found


def receipts(tx: Tx, enrolment_ids: Sequence[int]) -> list[Receipt]:
    """Every receipt of these enrolments, oldest first."""
    rows = tx.execute(
        select(*_RECEIPT).where(receipt.c.enrolment_id.in_(enrolment_ids)).order_by(receipt.c.id)
    )
    return [Receipt(**row._mapping) for row in rows]


def insert_entry(
    tx: Tx,
    *,
    enrolment_id: int,
    kind: EntryKind,
    points: int,
    stamps: int = 0,
    venue_id: int | None = None,
    receipt_id: int | None = None,
    reverses_id: int | None = None,
    now: datetime,
) -> LedgerEntryId:
    """The new entry's id."""
    values = {
        "enrolment_id": enrolment_id,
        "kind": kind,
        "points": points,
        "stamps": stamps,
        "venue_id": venue_id,
        "receipt_id": receipt_id,
        "reverses_id": reverses_id,
        "at": now,
    }
    return LedgerEntryId(tx.execute(_ADD_ENTRY, values).scalar_one())


def brought_by(tx: Tx, receipt_id: int) -> list[Entry]:
    """What a receipt earned, and after it what the offer brought that it redeemed."""
    rows = tx.execute(
        select(*_ENTRY)
        .where(ledger_entry.c.receipt_id == receipt_id, ledger_entry.c.kind.in_(("accrual", "offer")))
        .order_by(ledger_entry.c.kind)
    )
    return [Entry(**row._mapping) for row in rows]


def entries(tx: Tx, enrolment_ids: Sequence[int]) -> list[Entry]:
    """The ledger of these enrolments, oldest first."""
    rows = tx.execute(
        select(*_ENTRY).where(ledger_entry.c.enrolment_id.in_(enrolment_ids)).order_by(ledger_entry.c.id)
    )
    return [Entry(**row._mapping) for row in rows]


def insert_lot(tx: Tx, *, enrolment_id: int, entry_id: int, points: int, expires_at: datetime | None) -> None:
    """All of its points remain."""
    tx.execute(
        _ADD_LOT,
        {
            "enrolment_id": enrolment_id,
            "entry_id": entry_id,
            "points": points,
            "remaining": points,
            "expires_at": expires_at,
        },
    )


def open_lots(tx: Tx, enrolment_id: int) -> list[Lot]:
    """Lots with points left, in no order."""
    rows = tx.execute(_OPEN_LOTS, {"of_enrolment": enrolment_id})
    return [Lot(**row._mapping) for row in rows]


def moved_entries(tx: Tx, receipt_id: int) -> list[LedgerEntryId]:
    """The entries by which a receipt's points moved on from card to card, in that order; mostly none."""
    statement = select(ledger_entry.c.id).where(
        ledger_entry.c.receipt_id == receipt_id, ledger_entry.c.kind == "correction"
    )
    return list(tx.scalars(statement.order_by(ledger_entry.c.id)))


def expired_of_entries(tx: Tx, entry_ids: Sequence[int]) -> int:
    """How many of the points that lie in these entries' lots have expired since."""
    statement = (
        select(func.coalesce(func.sum(lot_use.c.points), 0))
        .select_from(lot)
        .join(lot_use, lot_use.c.lot_id == lot.c.id)
        .join(ledger_entry, ledger_entry.c.id == lot_use.c.entry_id)
        .where(
            lot.c.entry_id.in_(entry_ids),
            ledger_entry.c.enrolment_id == lot.c.enrolment_id,  # follows, and names the index
            ledger_entry.c.kind == "expiry",
        )
    )
    return int(tx.execute(statement).scalar_one())


def use_lots(tx: Tx, uses: Sequence[tuple[LedgerEntryId, LotUse]]) -> None:
    """Take points out of lots, each on account of an entry; the database refuses more than a lot has."""
    if not uses:
        return
    tx.execute(_TAKE, [{"of_lot": use.lot_id, "part": use.points} for _, use in uses])
    tx.execute(
        insert(tx, lot_use),
        [{"entry_id": entry_id, "lot_id": use.lot_id, "points": use.points} for entry_id, use in uses],
    )


def expired_lots(tx: Tx, enrolment_ids: Sequence[int], *, now: datetime) -> dict[EnrolmentId, list[Lot]]:
    """Lots of these enrolments with points whose time is over; who has none is not in it."""
    found: dict[EnrolmentId, list[Lot]] = {}
    for enrolment_id, *columns in tx.execute(_EXPIRED_LOTS, {"ids": list(enrolment_ids), "now": now}):
        found.setdefault(enrolment_id, []).append(Lot(*columns))
    return found


def insert_expiries(
    tx: Tx, points: Mapping[EnrolmentId, int], *, now: datetime
) -> dict[EnrolmentId, LedgerEntryId]:
    """An entry for each enrolment that loses so many points (positive hundredths)."""
    if not points:
        return {}
    rows = tx.execute(
        plain_insert(ledger_entry).returning(ledger_entry.c.enrolment_id, ledger_entry.c.id),
        [
            {"enrolment_id": one, "kind": "expiry", "points": -part, "stamps": 0, "at": now}
            for one, part in points.items()
        ],
    )
    return {row.enrolment_id: row.id for row in rows}


def due_lots(tx: Tx, *, now: datetime, limit: int) -> list[EnrolmentId]:
    """Enrolments with points whose time is over, the longest over first."""
    statement = (
        select(lot.c.enrolment_id)
        .where(lot.c.remaining > 0, lot.c.expires_at.is_not(None), lot.c.expires_at <= now)
        .group_by(lot.c.enrolment_id)
        .order_by(func.min(lot.c.expires_at), lot.c.enrolment_id)
        .limit(limit)
    )
    return list(tx.scalars(statement))
