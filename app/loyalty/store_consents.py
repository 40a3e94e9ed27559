"""SQL about who may be written to: the latest word of each member counts. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select

from app.db import Identifiers, Tx, among, insert
from app.db.identifiers import BrandId, MemberId
from app.loyalty.guest_tables import silenced_number
from app.loyalty.store_enrolments import ConsentRow, MemberRow
from app.loyalty.tables import consent, member


@dataclass(frozen=True, slots=True)
class LastWord:
    """What a member said last about a purpose."""

    member_id: MemberId
    granted: bool
    at: datetime


_MEMBER = select(*(member.c[name] for name in MemberRow.__dataclass_fields__))


@cache
def _last_words() -> Select[Any]:
    """By time, not by number: rows of merged members are written later than they were said.

    Of two words of one moment the stricter counts.
    """
    newest_first = (consent.c.at.desc(), consent.c.granted, consent.c.id.desc())
    ranked = (
        select(
            consent.c.member_id,
            consent.c.granted,
            consent.c.at,
            func.row_number().over(partition_by=consent.c.member_id, order_by=newest_first).label("place"),
        )
        .join(member, member.c.id == consent.c.member_id)
        .where(
            among(consent.c.member_id, bindparam("ids", type_=Identifiers())),
            consent.c.purpose == bindparam("of_purpose"),
            member.c.removed_at.is_(None),
        )
        .subquery("ranked")
    )
    return select(ranked.c.member_id, ranked.c.granted, ranked.c.at).where(ranked.c.place == 1)


def last_words(tx: Tx, member_ids: Sequence[int], purpose: str) -> list[LastWord]:
    """Of those among ``member_ids`` who said anything and were not removed."""
    rows = tx.execute(_last_words(), {"ids": sorted(set(member_ids)), "of_purpose": purpose})
    return [LastWord(*row) for row in rows]


def lock_member(tx: Tx, member_id: int) -> MemberRow | None:
    """The member, so that nobody else adds a word or merges it until the transaction ends."""
    statement = _MEMBER.where(member.c.id == member_id).with_for_update(key_share=True)
    row = tx.execute(statement).first()
    return MemberRow(**row._mapping) if row else None


def lock_members_of_number(tx: Tx, brand_id: int, number: str) -> list[MemberRow]:
    """Everybody in the brand who gave this number, proved or not; sorted and locked like one."""
    statement = (
        _MEMBER.where(
            member.c.brand_id == brand_id,
            member.c.phone == number,
            member.c.phone.is_not(None),
            member.c.removed_at.is_(None),
        )
        .order_by(member.c.id)
        .with_for_update(key_share=True)
    )
    return [MemberRow(**row._mapping) for row in tx.execute(statement)]


def add(tx: Tx, rows: Sequence[tuple[MemberId, ConsentRow]]) -> None:
    """Add evidence for several members."""
    names = ConsentRow.__dataclass_fields__
    values = [
        {"member_id": member_id, **{name: getattr(row, name) for name in names}} for member_id, row in rows
    ]
    if values:
        tx.execute(insert(tx, consent), values)


def silence(tx: Tx, brand_id: int, number: str, *, source: str, text: str, at: datetime) -> None:
    """Note what the number's holder told the brand, in place of what they told it before."""
    said = {"at": at, "source": source, "text": text}
    tx.execute(
        insert(tx, silenced_number)
        .values(brand_id=brand_id, number=number, **said)
        .on_conflict_do_update(index_elements=["brand_id", "number"], set_=said)
    )


def forget_silence(tx: Tx, brand_id: int, number: str) -> None:
    """Nothing is known of the number any more: nobody has it, so that nothing is sent to it."""
    tx.execute(
        delete(silenced_number).where(
            silenced_number.c.brand_id == brand_id, silenced_number.c.number == number
        )
    )


def silenced(tx: Tx, numbers: Sequence[str]) -> dict[tuple[BrandId, str], datetime]:
    """When which of these numbers were silenced, by brand."""
    rows = tx.execute(_SILENCED, {"numbers": sorted(set(numbers))})
    return {(row.brand_id, row.number): row.at for row in rows}


_SILENCED = select(silenced_number.c.brand_id, silenced_number.c.number, silenced_number.c.at).where(
    silenced_number.c.number.in_(bindparam("numbers", expanding=True))
)
