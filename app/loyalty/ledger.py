"""The ledger: every change of a balance is an entry that stays, and every point lies in a lot.

After each of these verbs: balance = sum of the entries' points = sum of what remains in the lots. The
caller holds the enrolment's lock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from app.db import Tx
from app.db.identifiers import EnrolmentId, LedgerEntryId, ReceiptId, VenueId
from app.errors import Conflict
from app.loyalty import store_enrolments, store_ledger, store_merging
from app.loyalty.points import LotUse, in_order_of_use, taken
from app.loyalty.rules import PointRules
from app.loyalty.store_ledger import EntryKind


def expiry(rules: PointRules, now: datetime) -> datetime | None:
    """When points accrued now expire; None for never."""
    return now + timedelta(days=rules.lifetime_days) if rules.lifetime_days else None


def accrue(
    tx: Tx,
    enrolment_id: EnrolmentId,
    points: int,
    *,
    stamps: int = 0,
    expires_at: datetime | None,
    venue_id: VenueId | None,
    receipt_id: ReceiptId | None = None,
    kind: EntryKind = "accrual",
    now: datetime,
) -> LedgerEntryId:
    """Add points (hundredths) as one lot, and stamps."""
    entry_id = store_ledger.insert_entry(
        tx,
        enrolment_id=enrolment_id,
        kind=kind,
        points=points,
        stamps=stamps,
        venue_id=venue_id,
        receipt_id=receipt_id,
        now=now,
    )
    if points:
        store_ledger.insert_lot(
            tx, enrolment_id=enrolment_id, entry_id=entry_id, points=points, expires_at=expires_at
        )
    store_enrolments.add(tx, enrolment_id, points=points, stamps=stamps)
    return entry_id


def take(
    tx: Tx,
    enrolment_id: EnrolmentId,
    points: int,
    *,
    kind: EntryKind,
    stamps: int = 0,
    first_of: Collection[LedgerEntryId] = (),
    venue_id: VenueId | None = None,
    receipt_id: ReceiptId | None = None,
    reverses_id: LedgerEntryId | None = None,
    now: datetime,
) -> LedgerEntryId:
    """Take points and stamps away: lots that expire first are used first, after those of ``first_of``.

    Raises :class:`Conflict` where there are not that many; nothing was changed then.
    """
    if not store_enrolments.add(tx, enrolment_id, points=-points, stamps=-stamps):
        raise Conflict("not-enough", "There is not enough on this card.")
    entry_id = store_ledger.insert_entry(
        tx,
        enrolment_id=enrolment_id,
        kind=kind,
        points=-points,
        stamps=-stamps,
        venue_id=venue_id,
        receipt_id=receipt_id,
        reverses_id=reverses_id,
        now=now,
    )
    if points:
        lots = in_order_of_use(store_ledger.open_lots(tx, enrolment_id))
        lots.sort(key=lambda lot: lot.entry_id not in first_of)  # stable: the rest keeps its order
        store_ledger.use_lots(tx, [(entry_id, use) for use in taken(lots, points)])
    return entry_id


def move(tx: Tx, *, out_of: EnrolmentId, into: EnrolmentId, points: int, stamps: int, now: datetime) -> None:
    """Move all points (hundredths) and stamps of one card to another; both are locked.

    Each lot goes on as a lot of its own, with the expiry and the receipt it had; the entries on both sides
    compensate each other, and those that bring name the one that took.
    """
    if not points and not stamps:
        return
    lots = store_merging.open_lots(tx, out_of)
    left = take(tx, out_of, points, kind="correction", stamps=stamps, now=now)
    store_merging.insert_moved(tx, into, lots, stamps=stamps, reverses_id=left, now=now)
    store_enrolments.add(tx, into, points=points, stamps=stamps)


def expire(tx: Tx, enrolment_ids: Sequence[EnrolmentId], *, now: datetime) -> dict[EnrolmentId, int]:
    """Let go of points whose time is over; returns how many (hundredths) each of those concerned lost."""
    over = store_ledger.expired_lots(tx, enrolment_ids, now=now)
    lost = {one: sum(lot.remaining for lot in lots) for one, lots in over.items()}
    entry_ids = store_ledger.insert_expiries(tx, lost, now=now)
    store_ledger.use_lots(
        tx,
        [(entry_ids[one], LotUse(lot.id, lot.remaining)) for one, lots in over.items() for lot in lots],
    )
    store_enrolments.add_points(tx, {one: -points for one, points in lost.items()})
    return lost
