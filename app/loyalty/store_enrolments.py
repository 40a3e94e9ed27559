"""SQL about members, their consents and their enrolments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, update

from app.db import Tx, insert
from app.db.identifiers import (
    BrandId,
    CardCode,
    EnrolmentId,
    MemberId,
    ProgrammeId,
    VenueId,
    VisitId,
    WalletPassId,
)
from app.loyalty import store_member_keys
from app.loyalty.guest_tables import card_act
from app.loyalty.tables import consent as consent_table
from app.loyalty.tables import enrolment as enrolment_table
from app.loyalty.tables import member as member_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A member in a programme: one card, one balance, one tier."""

    id: EnrolmentId
    member_id: MemberId
    programme_id: ProgrammeId
    brand_id: BrandId
    venue_id: VenueId  # where the guest enrolled
    pass_id: WalletPassId
    visit_id: VisitId | None
    card_code: CardCode
    card_link_version: int
    balance: int  # hundredths of a point
    stamps: int
    tier: str | None  # a key of the programme's rules
    tier_due_at: datetime | None
    enrolled_at: datetime
    ended_at: datetime | None
    blocked_at: datetime | None  # no till may use it until it is unblocked
    merged_into_id: EnrolmentId | None  # the guest's other card, which lives on


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A row of ``member``."""

    id: MemberId
    brand_id: BrandId
    name: str | None
    language: str
    created_at: datetime
    removed_at: datetime | None
    merged_into_id: MemberId | None  # the same guest's other row, which lives on


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRow:
    """What a guest agreed to, or took back, in which words."""

    purpose: str
    granted: bool
    text_version: str
    text: str
    language: str
    source: str
    at: datetime


_COLUMNS = tuple(enrolment_table.c[name] for name in Enrolment.__dataclass_fields__)


# Built once: that takes longer than SQLite takes to execute them, and a till waits for each.
_MEMBER = select(*(member_table.c[name] for name in MemberRow.__dataclass_fields__)).where(
    member_table.c.id == bindparam("of_member")
)
_BY_ID = select(*_COLUMNS).where(enrolment_table.c.id == bindparam("wanted"))
_BALANCE = enrolment_table.c.balance + bindparam("more_points", type_=enrolment_table.c.balance.type)
_STAMPS = enrolment_table.c.stamps + bindparam("more_stamps", type_=enrolment_table.c.stamps.type)
_ADD = (
    update(enrolment_table)
    .where(enrolment_table.c.id == bindparam("of_enrolment"), _BALANCE >= 0, _STAMPS >= 0)
    .values(balance=_BALANCE, stamps=_STAMPS)
)
_ADD_POINTS = (
    update(enrolment_table)
    .where(enrolment_table.c.id == bindparam("of_enrolment"))
    .values(balance=enrolment_table.c.balance + bindparam("points"))
)
_SET_TIER = (
    update(enrolment_table)
    .where(enrolment_table.c.id == bindparam("of_enrolment"))
    .values(
        tier=bindparam("new_tier"),
        tier_due_at=bindparam("new_due", type_=enrolment_table.c.tier_due_at.type),
    )
)


def _enrolment(row: Row[Any] | None) -> Enrolment | None:
    return Enrolment(**row._mapping) if row else None


def _select() -> Select[Any]:
    return select(*_COLUMNS)


def insert_member(tx: Tx, *, brand_id: int, name: str | None, language: str, now: datetime) -> MemberId:
    """The new member's id."""
    statement = insert(tx, member_table).values(
        brand_id=brand_id, name=name, language=language, created_at=now
    )
    member_id = MemberId(tx.execute(statement.returning(member_table.c.id)).scalar_one())
    store_member_keys.add(tx, member_id, brand_id, name)
    return member_id


def member(tx: Tx, member_id: int) -> MemberRow | None:
    """By number."""
    row = tx.execute(_MEMBER, {"of_member": member_id}).first()
    return MemberRow(**row._mapping) if row else None


def blank_member(tx: Tx, member_id: int, *, now: datetime) -> None:
    """Forget who the member was."""
    tx.execute(update(member_table).where(member_table.c.id == member_id).values(name=None, removed_at=now))
    store_member_keys.renew(tx, member_id)


def insert_consents(tx: Tx, member_id: int, rows: Sequence[ConsentRow]) -> None:
    """Add evidence; there is no way to change any."""
    values = [
        {"member_id": member_id, **{name: getattr(row, name) for name in ConsentRow.__dataclass_fields__}}
        for row in rows
    ]
    if values:
        tx.execute(insert(tx, consent_table), values)


def consents(tx: Tx, member_id: int) -> list[ConsentRow]:
    """Every consent and withdrawal of a member, oldest first."""
    columns = [consent_table.c[name] for name in ConsentRow.__dataclass_fields__]
    rows = tx.execute(
        select(*columns)
        .where(consent_table.c.member_id == member_id)
        .order_by(consent_table.c.at, consent_table.c.id)
    )
    return [ConsentRow(**row._mapping) for row in rows]


def insert_enrolment(
    tx: Tx,
    *,
    member_id: int,
    programme_id: int,
    brand_id: int,
    venue_id: int,
    pass_id: int,
    visit_id: str | None,
    card_code: str,
    tier: str | None,
    now: datetime,
) -> EnrolmentId | None:
    """The new row's id; None where this visit has enrolled already (waits for one that is about to)."""
    found: EnrolmentId | None = tx.execute(
        insert(tx, enrolment_table)
        .values(
            member_id=member_id,
            programme_id=programme_id,
            brand_id=brand_id,
            venue_id=venue_id,
            pass_id=pass_id,
            visit_id=visit_id,
            card_code=card_code,
            tier=tier,
            enrolled_at=now,
        )
        .on_conflict_do_nothing(index_elements=["visit_id"])
        .returning(enrolment_table.c.id)
    ).scalar()
    return found


def enrolment(tx: Tx, enrolment_id: int) -> Enrolment | None:
    """By number."""
    return _enrolment(tx.execute(_BY_ID, {"wanted": enrolment_id}).first())


def enrolment_of_visit(tx: Tx, visit_id: str) -> Enrolment | None:
    """By the visit that led to it."""
    return _enrolment(tx.execute(_select().where(enrolment_table.c.visit_id == visit_id)).first())


def enrolment_of_pass(tx: Tx, pass_id: int) -> Enrolment | None:
    """By its card's row, also by one that was issued anew since."""
    found = _enrolment(tx.execute(_select().where(enrolment_table.c.pass_id == pass_id)).first())
    if found is not None:
        return found
    former = select(card_act.c.enrolment_id).where(card_act.c.former_pass_id == pass_id)
    return _enrolment(tx.execute(_select().where(enrolment_table.c.id.in_(former))).first())


def enrolment_of_card(tx: Tx, card_code: str) -> Enrolment | None:
    """By the code in the barcode."""
    return _enrolment(tx.execute(_select().where(enrolment_table.c.card_code == card_code)).first())


def enrolments_of_member(tx: Tx, member_id: int) -> list[Enrolment]:
    """Every card of a member, oldest first."""
    rows = tx.execute(
        _select().where(enrolment_table.c.member_id == member_id).order_by(enrolment_table.c.id)
    )
    return [Enrolment(**row._mapping) for row in rows]


def lock(tx: Tx, enrolment_id: int) -> Enrolment | None:
    """The enrolment, locked until the transaction ends: first of all locks."""
    statement = _select().where(enrolment_table.c.id == enrolment_id).with_for_update()
    return _enrolment(tx.execute(statement).first())


def add(tx: Tx, enrolment_id: int, *, points: int, stamps: int) -> bool:
    """Change balance and stamps; False, and nothing changed, where either would become negative."""
    change = {"of_enrolment": enrolment_id, "more_points": points, "more_stamps": stamps}
    return tx.execute(_ADD, change).rowcount == 1


def lock_many(tx: Tx, enrolment_ids: Sequence[int]) -> list[Enrolment]:
    """These enrolments, sorted and locked; those that a till works on right now are left out."""
    statement = (
        _select()
        .where(enrolment_table.c.id.in_(enrolment_ids))
        .order_by(enrolment_table.c.id)
        .with_for_update(skip_locked=True)
    )
    return [Enrolment(**row._mapping) for row in tx.execute(statement)]


def add_points(tx: Tx, points: Mapping[EnrolmentId, int]) -> None:
    """Change many balances by signed amounts; the database refuses a negative balance."""
    if points:
        tx.execute(_ADD_POINTS, [{"of_enrolment": one, "points": part} for one, part in points.items()])


def set_tiers(tx: Tx, tiers: Mapping[EnrolmentId, tuple[str, datetime | None]]) -> None:
    """The tier of each, and when to look again."""
    if tiers:
        tx.execute(
            _SET_TIER,
            [{"of_enrolment": one, "new_tier": tier, "new_due": due} for one, (tier, due) in tiers.items()],
        )


def end(tx: Tx, enrolment_id: int, *, now: datetime) -> None:
    """No till may use the card any more; the ledger stays."""
    tx.execute(
        update(enrolment_table)
        .where(enrolment_table.c.id == enrolment_id)
        .values(ended_at=now, tier_due_at=None)
    )


def raise_card_link_version(tx: Tx, enrolment_id: int) -> None:
    """Make every address of the card that was signed so far a stale one."""
    tx.execute(
        update(enrolment_table)
        .where(enrolment_table.c.id == enrolment_id)
        .values(card_link_version=enrolment_table.c.card_link_version + 1)
    )


def due_tiers(tx: Tx, *, now: datetime, limit: int) -> list[EnrolmentId]:
    """Enrolments whose tier may have fallen, the longest due first."""
    return list(
        tx.scalars(
            select(enrolment_table.c.id)
            .where(enrolment_table.c.tier_due_at <= now)
            .order_by(enrolment_table.c.tier_due_at, enrolment_table.c.id)
            .limit(limit)
        )
    )
