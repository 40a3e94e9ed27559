"""SQL of two cards that become one, and of two members that are one guest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert as plain_insert
from sqlalchemy import select, update

from app.db import Tx, among
from app.db.identifiers import EnrolmentId, LedgerEntryId, MemberId, ReceiptId
from app.loyalty import store_member_keys
from app.loyalty.store_enrolments import Enrolment, MemberRow
from app.loyalty.tables import enrolment, ledger_entry, lot, member, receipt


@dataclass(frozen=True, slots=True)
class OpenLot:
    """Points that are left of a lot, with where they came from."""

    points: int  # hundredths
    expires_at: datetime | None
    receipt_id: ReceiptId | None


def lock_cards(tx: Tx, member_ids: Sequence[int]) -> list[Enrolment]:
    """The cards of locked members that have not ended; all are locked, in the order in which tills find them.

    A till that waited for a card while it was merged keeps its lock, and goes on to the one that it was
    merged into: cards that ended earlier come first, those that have not come last.
    """
    rows = tx.execute(
        select(*(enrolment.c[name] for name in Enrolment.__dataclass_fields__))
        .where(among(enrolment.c.member_id, member_ids))
        .order_by(enrolment.c.ended_at.nulls_last(), enrolment.c.id)
        .with_for_update()
    )
    cards = [Enrolment(**row._mapping) for row in rows]
    return [card for card in cards if card.ended_at is None]


def lock_members(tx: Tx, member_ids: Sequence[int]) -> list[MemberRow]:
    """The members, sorted and locked: first of all locks."""
    rows = tx.execute(
        select(*(member.c[name] for name in MemberRow.__dataclass_fields__))
        .where(among(member.c.id, member_ids))
        .order_by(member.c.id)
        .with_for_update(key_share=True)
    )
    return [MemberRow(**row._mapping) for row in rows]


def open_lots(tx: Tx, enrolment_id: int) -> list[OpenLot]:
    """Lots with points left, the oldest first."""
    rows = tx.execute(
        select(lot.c.remaining, lot.c.expires_at, ledger_entry.c.receipt_id)
        .join(ledger_entry, ledger_entry.c.id == lot.c.entry_id)
        .where(lot.c.enrolment_id == enrolment_id, lot.c.remaining > 0)
        .order_by(lot.c.id)
    )
    return [OpenLot(*row) for row in rows]


def insert_moved(
    tx: Tx,
    enrolment_id: int,
    lots: Sequence[OpenLot],
    *,
    stamps: int,
    reverses_id: LedgerEntryId,
    now: datetime,
) -> None:
    """An entry and a lot for each of ``lots``; the first entry brings the stamps."""
    values = [
        {
            "enrolment_id": enrolment_id,
            "kind": "correction",
            "points": one.points,
            "stamps": 0,
            "receipt_id": one.receipt_id,
            "reverses_id": reverses_id,
            "at": now,
        }
        for one in lots or [OpenLot(0, None, None)]
    ]
    values[0]["stamps"] = stamps
    adding = plain_insert(ledger_entry).returning(ledger_entry.c.id, sort_by_parameter_order=True)
    entry_ids = list(tx.scalars(adding, values))
    if lots:
        tx.execute(
            plain_insert(lot),
            [
                {
                    "enrolment_id": enrolment_id,
                    "entry_id": entry_id,
                    "points": one.points,
                    "remaining": one.points,
                    "expires_at": one.expires_at,
                }
                for entry_id, one in zip(entry_ids, lots, strict=True)
            ],
        )


def move_receipts(tx: Tx, *, out_of: int, into: int) -> None:
    """What was spent under one card counts for the other."""
    tx.execute(update(receipt).where(receipt.c.enrolment_id == out_of).values(enrolment_id=into))


def end_card(tx: Tx, enrolment_id: EnrolmentId, *, into: EnrolmentId, now: datetime) -> None:
    """It is over, and points to the one that lives on."""
    tx.execute(
        update(enrolment)
        .where(enrolment.c.id == enrolment_id)
        .values(ended_at=now, tier_due_at=None, merged_into_id=into)
    )


def hand_over_cards(tx: Tx, *, out_of: MemberId, into: MemberId) -> None:
    """Every card of one member, ended ones too, is the other's."""
    tx.execute(update(enrolment).where(enrolment.c.member_id == out_of).values(member_id=into))


def end_member(tx: Tx, member_id: MemberId, *, into: MemberId, now: datetime) -> None:
    """Nothing is left of the member but a pointer to the one who lives on."""
    tx.execute(
        update(member)
        .where(member.c.id == member_id)
        .values(
            name=None,
            phone=None,
            phone_verified_at=None,
            birthday=None,
            removed_at=now,
            merged_into_id=into,
        )
    )
    store_member_keys.renew(tx, member_id)


def name_member(tx: Tx, member_id: MemberId, name: str) -> None:
    """What the other form said."""
    tx.execute(update(member).where(member.c.id == member_id).values(name=name))
    store_member_keys.renew(tx, member_id)
