"""SQL about how a member is reached and congratulated: columns of ``member`` that most leave empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from app.db import Tx
from app.db.identifiers import MemberId
from app.loyalty import store_member_keys
from app.loyalty.tables import member


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What a member told of themselves."""

    phone: str | None  # E.164
    phone_verified_at: datetime | None  # when they proved that it is theirs
    birthday: str | None  # "MM-DD"


def contact(tx: Tx, member_id: int) -> Contact:
    """Of this member; empty for one that is not there."""
    columns = member.c.phone, member.c.phone_verified_at, member.c.birthday
    row = tx.execute(select(*columns).where(member.c.id == member_id)).first()
    return Contact(
        phone=row.phone if row else None,
        phone_verified_at=row.phone_verified_at if row else None,
        birthday=row.birthday if row else None,
    )


def set_phone(tx: Tx, member_id: int, phone: str) -> None:
    """Keep the number, which nobody has verified."""
    given = {"phone": phone, "phone_verified_at": None}
    tx.execute(update(member).where(member.c.id == member_id).values(given))
    store_member_keys.renew(tx, member_id)


def set_birthday(tx: Tx, member_id: int, birthday: str) -> bool:
    """Keep the month and day; whether there is such a member, whom nobody has removed."""
    there = member.c.id == member_id, member.c.removed_at.is_(None)
    return tx.execute(update(member).where(*there).values(birthday=birthday)).rowcount > 0


def merged_into(tx: Tx, member_id: MemberId) -> list[MemberId]:
    """Those who were found to be this member, directly or by way of another."""
    found: list[MemberId] = []
    wave = [member_id]
    while wave:
        wave = list(tx.scalars(select(member.c.id).where(member.c.merged_into_id.in_(wave))))
        found += wave
    return found


def forget(tx: Tx, member_id: int) -> None:
    """Let go of all of it."""
    tx.execute(
        update(member)
        .where(member.c.id == member_id)
        .values(phone=None, phone_verified_at=None, birthday=None)
    )
    store_member_keys.renew(tx, member_id)
