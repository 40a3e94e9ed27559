"""Members: who they were, what happened to them, and how they are forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.accounts import audit
from app.db import Tx
from app.db.identifiers import BrandId, MemberId
from app.errors import NotFound
from app.loyalty import store_enrolments as store
from app.loyalty import store_ledger
from app.loyalty.store_enrolments import ConsentRow, Enrolment
from app.loyalty.store_ledger import Entry, Receipt
from app.passes import issuing


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything that loyalty knows of a member, each list oldest first."""

    id: MemberId
    brand_id: BrandId
    name: str | None
    language: str
    created_at: datetime
    removed_at: datetime | None
    enrolments: list[Enrolment]
    consents: list[ConsentRow]
    receipts: list[Receipt]
    entries: list[Entry]


def show(tx: Tx, member_id: MemberId) -> Timeline:
    """The member with all that happened; raises NotFound."""
    row = _member(tx, member_id)
    enrolments = store.enrolments_of_member(tx, member_id)
    ids = [one.id for one in enrolments]
    return Timeline(
        id=row.id,
        brand_id=row.brand_id,
        name=row.name,
        language=row.language,
        created_at=row.created_at,
        removed_at=row.removed_at,
        enrolments=enrolments,
        consents=store.consents(tx, member_id),
        receipts=store_ledger.receipts(tx, ids),
        entries=store_ledger.entries(tx, ids),
    )


def remove(tx: Tx, member_id: MemberId, *, now: datetime, actor: str = "service") -> None:
    """Forget a member: the name goes, the card is voided and knows nobody, no till can use it.

    The ledger and the consents stay: they are the brand's books and its evidence, and name nobody now.
    Doing it twice changes nothing. Raises NotFound.
    """
    row = _member(tx, member_id)
    if row.removed_at is not None:
        return
    for known in store.enrolments_of_member(tx, member_id):
        store.lock(tx, known.id)
        store.end(tx, known.id, now=now)
        issuing.tombstone(tx, known.pass_id, now=now)
    store.blank_member(tx, member_id, now=now)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=row.brand_id,
        action="member.removed",
        subject=f"member {member_id}",
        detail={},
    )


def _member(tx: Tx, member_id: MemberId) -> store.MemberRow:
    if row := store.member(tx, member_id):
        return row
    raise NotFound("no-such-member", f"There is no member number {member_id}")
