"""SQL about numbers that were proved: whose they are, and which visits led back to a card."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.db import Tx, insert
from app.db.identifiers import MemberId
from app.loyalty import store_member_keys
from app.loyalty.guest_tables import returning_visit
from app.loyalty.store_enrolments import Enrolment
from app.loyalty.tables import enrolment, member


def holder(tx: Tx, brand_id: int, number: str) -> MemberId | None:
    """The one member of the brand who proved this number."""
    statement = select(member.c.id).where(
        member.c.brand_id == brand_id, member.c.phone == number, member.c.phone_verified_at.is_not(None)
    )
    found: MemberId | None = tx.execute(statement).scalar()
    return found


def set_proved(tx: Tx, member_id: int, number: str, *, now: datetime) -> bool:
    """The number is this member's from now on; False, and nothing is changed, where it is another's.

    Waits for who is about to have it. A member who has been removed is none.
    """
    statement = (
        update(member)
        .where(member.c.id == member_id, member.c.removed_at.is_(None))
        .values(phone=number, phone_verified_at=now)
    )
    try:
        with tx.begin_nested():
            proved = tx.execute(statement).rowcount == 1
    except IntegrityError:
        return False
    store_member_keys.renew(tx, member_id)
    return proved


def let_go(tx: Tx, member_id: int) -> None:
    """The number is nobody's for now."""
    tx.execute(update(member).where(member.c.id == member_id).values(phone=None, phone_verified_at=None))
    store_member_keys.renew(tx, member_id)


def card_of(tx: Tx, member_id: int, programme_id: int) -> Enrolment | None:
    """The member's one card of a programme, unless it has ended."""
    row = tx.execute(
        select(*(enrolment.c[name] for name in Enrolment.__dataclass_fields__)).where(
            enrolment.c.member_id == member_id,
            enrolment.c.programme_id == programme_id,
            enrolment.c.ended_at.is_(None),
            enrolment.c.merged_into_id.is_(None),  # follows, and names the index
        )
    ).first()
    return Enrolment(**row._mapping) if row else None


def add_returning(tx: Tx, visit_id: str, enrolment_id: int, *, now: datetime) -> None:
    """The visit led to a card that was there; of two the first counts."""
    tx.execute(
        insert(tx, returning_visit)
        .values(visit_id=visit_id, enrolment_id=enrolment_id, at=now)
        .on_conflict_do_nothing()
    )


def enrolment_of_returning(tx: Tx, visit_id: str) -> Enrolment | None:
    """The card that was there before the visit that leads to it."""
    row = tx.execute(
        select(*(enrolment.c[name] for name in Enrolment.__dataclass_fields__))
        .join(returning_visit, returning_visit.c.enrolment_id == enrolment.c.id)
        .where(returning_visit.c.visit_id == visit_id)
    ).first()
    return Enrolment(**row._mapping) if row else None
