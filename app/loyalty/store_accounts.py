"""SQL of a card as a till meets it: all that a receipt needs to know, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, cast, func, select

from app.accounts.tables import brand
from app.db import Tx
from app.loyalty.store_enrolments import Enrolment
from app.loyalty.tables import enrolment, lot, member, programme


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An enrolment with what its programme, brand and guest say."""

    enrolment: Enrolment
    kind: str
    rules: dict[str, Any]
    currency: str
    name: str | None  # of the guest
    overdue: int  # hundredths of a point in its balance whose time is over


_FIELDS = tuple(Enrolment.__dataclass_fields__)
_OVERDUE = (
    select(cast(func.coalesce(func.sum(lot.c.remaining), 0), BigInteger))
    .where(
        lot.c.enrolment_id == enrolment.c.id,
        lot.c.remaining > 0,
        lot.c.expires_at <= bindparam("now", type_=lot.c.expires_at.type),
    )
    .correlate(enrolment)
    .scalar_subquery()
)
_ACCOUNT: Select[Any] = (
    select(
        *(enrolment.c[name] for name in _FIELDS),
        programme.c.kind,
        programme.c.rules,
        brand.c.currency,
        member.c.name,
        _OVERDUE,
    )
    .join(programme, programme.c.id == enrolment.c.programme_id)
    .join(brand, brand.c.id == enrolment.c.brand_id)
    .join(member, member.c.id == enrolment.c.member_id)
)
# Built once: that takes longer than SQLite takes to execute them, and a till waits for each.
_OF_CARD = _ACCOUNT.where(enrolment.c.card_code == bindparam("wanted"))
_OF_ENROLMENT = _ACCOUNT.where(enrolment.c.id == bindparam("wanted"))
# Cards that have ended are never locked: who follows one to the card that lives on waits for nobody twice.
_LOCK_CARD = _OF_CARD.where(enrolment.c.ended_at.is_(None)).with_for_update(of=enrolment)
_LOCK = _OF_ENROLMENT.where(enrolment.c.ended_at.is_(None)).with_for_update(of=enrolment)


def of_card(tx: Tx, card_code: str, *, now: datetime) -> AccountRow | None:
    """By the code in the barcode, to look at; of a card that was merged, the one that lives on."""
    found = _account(tx, _OF_CARD, card_code, now)
    while found is not None and found.enrolment.merged_into_id is not None:
        found = _account(tx, _OF_ENROLMENT, found.enrolment.merged_into_id, now)
    return found


def lock_card(tx: Tx, card_code: str, *, now: datetime) -> AccountRow | None:
    """By the code in the barcode; the enrolment is locked until the transaction ends: first of all locks.

    Of a card that was merged, the one that lives on. One that has ended otherwise is given unlocked.
    """
    found = _account(tx, _LOCK_CARD, card_code, now)
    return found or _living(tx, _account(tx, _OF_CARD, card_code, now), now)


def lock(tx: Tx, enrolment_id: int, *, now: datetime) -> AccountRow | None:
    """Like :func:`lock_card`, by number."""
    found = _account(tx, _LOCK, enrolment_id, now)
    return found or _living(tx, _account(tx, _OF_ENROLMENT, enrolment_id, now), now)


def _living(tx: Tx, ended: AccountRow | None, now: datetime) -> AccountRow | None:
    """Where a merged card lives on, locked."""
    if ended is None or ended.enrolment.merged_into_id is None:
        return ended
    return lock(tx, ended.enrolment.merged_into_id, now=now)


def _account(tx: Tx, statement: Select[Any], wanted: str | int, now: datetime) -> AccountRow | None:
    row = tx.execute(statement, {"wanted": wanted, "now": now}).first()
    if row is None:
        return None
    known = len(_FIELDS)
    return AccountRow(Enrolment(**dict(zip(_FIELDS, row[:known], strict=True))), *row[known:])
