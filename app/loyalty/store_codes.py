"""SQL about codes that prove a number: each is a row, and the rows are what the bounds are counted from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Delete, Select, bindparam, delete, func, select, text, update

from app.db import Tx, insert
from app.db.identifiers import BrandId, DeliveryId, EnrolmentId, PhoneCodeId, VenueId, VisitId
from app.loyalty.tables import phone_code

_LOCK = 0x7065726B636F6465  # "perkcode"
Among = Mapping[str, Any]
"""Columns that say whose codes are meant; one of them has an index and a bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """A row of ``phone_code``, without the digest."""

    id: PhoneCodeId
    brand_id: BrandId
    venue_id: VenueId
    visit_id: VisitId | None
    enrolment_id: EnrolmentId | None
    delivery_id: DeliveryId | None
    number: str  # E.164
    address_range: str
    tries: int
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ActiveCode:
    """What a try is judged by."""

    id: PhoneCodeId
    visit_id: VisitId | None
    enrolment_id: EnrolmentId | None
    digest: str
    tries: int
    created_at: datetime
    expires_at: datetime


def wait_for_turn(tx: Tx) -> None:
    """One code is asked for at a time until the transaction ends, or the counts would be of the past.

    SQLite has one writer anyway.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def asked(tx: Tx, among: Among, *, nth: int, since: datetime) -> datetime | None:
    """When the ``nth`` newest of these codes since then was asked for; None where there were fewer."""
    given = {**among, "since": since, "offset": nth - 1}
    found: datetime | None = tx.execute(_nth(tuple(sorted(among))), given).scalar()
    return found


@cache
def _nth(scopes: tuple[str, ...]) -> Select[Any]:
    return (
        select(phone_code.c.created_at)
        .where(
            *(phone_code.c[name] == bindparam(name, type_=phone_code.c[name].type) for name in scopes),
            phone_code.c.created_at > bindparam("since", type_=phone_code.c.created_at.type),
        )
        .order_by(phone_code.c.created_at.desc())
        .limit(1)
        .offset(bindparam("offset"))
    )


def count(tx: Tx, brand_id: int, *, since: datetime) -> int:
    """How many codes a brand's guests asked for."""
    statement = (
        select(func.count())
        .select_from(phone_code)
        .where(phone_code.c.brand_id == brand_id, phone_code.c.created_at > since)
    )
    return tx.execute(statement).scalar_one()


def end_active(tx: Tx, brand_id: int, number: str, *, now: datetime) -> list[DeliveryId]:
    """Whatever code this number has in the brand is over; waits for a try at it. The texts that carry it."""
    ended = tx.scalars(
        update(phone_code)
        .where(
            phone_code.c.brand_id == brand_id, phone_code.c.number == number, phone_code.c.ended_at.is_(None)
        )
        .values(ended_at=now)
        .returning(phone_code.c.delivery_id)
    )
    return [delivery_id for delivery_id in ended if delivery_id is not None]


def add(
    tx: Tx,
    *,
    brand_id: int,
    venue_id: int,
    visit_id: str | None,
    enrolment_id: int | None,
    number: str,
    address_range: str,
    digest: str,
    expires_at: datetime,
    now: datetime,
) -> PhoneCodeId:
    """A new code; the database refuses a second active one of a number."""
    statement = insert(tx, phone_code).values(
        brand_id=brand_id,
        venue_id=venue_id,
        visit_id=visit_id,
        enrolment_id=enrolment_id,
        number=number,
        address_range=address_range,
        digest=digest,
        created_at=now,
        expires_at=expires_at,
    )
    return PhoneCodeId(tx.execute(statement.returning(phone_code.c.id)).scalar_one())


def set_delivery(tx: Tx, code_id: int, delivery_id: int) -> None:
    """The text that carries it."""
    tx.execute(update(phone_code).where(phone_code.c.id == code_id).values(delivery_id=delivery_id))


_ACTIVE = (
    select(*(phone_code.c[name] for name in ActiveCode.__dataclass_fields__))
    .where(
        phone_code.c.brand_id == bindparam("of_brand"),
        phone_code.c.number == bindparam("of_number"),
        phone_code.c.ended_at.is_(None),
    )
    .with_for_update()
)


def lock_active(tx: Tx, brand_id: int, number: str) -> ActiveCode | None:
    """The number's one active code, locked until the transaction ends: tries come one after another."""
    row = tx.execute(_ACTIVE, {"of_brand": brand_id, "of_number": number}).first()
    return ActiveCode(*row) if row else None


def tried(tx: Tx, code_id: int, *, ended_at: datetime | None) -> None:
    """One more try at a locked code; ``ended_at`` where it was the last."""
    tx.execute(
        update(phone_code)
        .where(phone_code.c.id == code_id)
        .values(tries=phone_code.c.tries + 1, ended_at=ended_at)
    )


def end(tx: Tx, code_id: int, *, now: datetime) -> None:
    """It is over without a try."""
    tx.execute(update(phone_code).where(phone_code.c.id == code_id).values(ended_at=now))


def of_number(tx: Tx, brand_id: int, number: str) -> Sequence[CodeRow]:
    """Every code of a number in a brand that is still kept, oldest first."""
    rows = tx.execute(
        select(*(phone_code.c[name] for name in CodeRow.__dataclass_fields__))
        .where(phone_code.c.number == number, phone_code.c.brand_id == brand_id)
        .order_by(phone_code.c.created_at, phone_code.c.id)
    )
    return [CodeRow(**row._mapping) for row in rows]


@cache
def _purge() -> Delete:
    over = (
        select(phone_code.c.id)
        .where(phone_code.c.created_at < bindparam("before", type_=phone_code.c.created_at.type))
        .order_by(phone_code.c.created_at)
        .limit(bindparam("most"))
    )
    return delete(phone_code).where(phone_code.c.id.in_(over))


def purge(tx: Tx, *, before: datetime, limit: int) -> int:
    """Forget codes asked for earlier; returns how many."""
    return tx.execute(_purge(), {"before": before, "most": limit}).rowcount
