"""SQL that takes a guest out of what else remembers them: codes, and answers kept for tills."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Text, cast, delete, func, or_, select, union, update

from app.db import Tx
from app.db.identifiers import DeliveryId
from app.loyalty.guest_tables import card_act, returning_visit
from app.loyalty.tables import enrolment, ledger_entry, phone_code, receipt, till_call

_NOBODY = "+0"


def forget_codes(
    tx: Tx, brand_id: int, number: str | None, enrolment_ids: Sequence[int], *, now: datetime
) -> list[DeliveryId]:
    """Blank the codes that were sent to the number, or asked for on the way to, or with, one of the cards.

    They still count towards the bounds of venue and brand. Returns the texts that carried them.
    """
    visits = union(
        select(enrolment.c.visit_id).where(enrolment.c.id.in_(enrolment_ids)),
        select(returning_visit.c.visit_id).where(returning_visit.c.enrolment_id.in_(enrolment_ids)),
    )
    theirs: list[ColumnElement[bool]] = [
        phone_code.c.visit_id.in_(select(visits.subquery().c.visit_id)),
        phone_code.c.enrolment_id.in_(enrolment_ids),
    ]
    if number is not None:
        theirs.append(phone_code.c.number == number)
    carriers = tx.scalars(
        update(phone_code)
        .where(phone_code.c.brand_id == brand_id, or_(*theirs))
        .values(
            number=_NOBODY,
            address_range="unknown",
            digest="",
            ended_at=func.coalesce(phone_code.c.ended_at, now, type_=phone_code.c.ended_at.type),
        )
        .returning(phone_code.c.delivery_id)
    )
    return [delivery_id for delivery_id in carriers if delivery_id is not None]


def forget_answers(tx: Tx, enrolment_ids: Sequence[int]) -> None:
    """Delete the answers that tills got about these cards: they hold the name's first letter.

    A till that asks again hears that there is no such card. They are found by the moments at which something
    happened to the cards, which have an index, and by the code.
    """
    moments = union(
        select(receipt.c.recorded_at).where(receipt.c.enrolment_id.in_(enrolment_ids)),
        select(receipt.c.refunded_at).where(
            receipt.c.enrolment_id.in_(enrolment_ids), receipt.c.refunded_at.is_not(None)
        ),
        select(ledger_entry.c.at).where(ledger_entry.c.enrolment_id.in_(enrolment_ids)),
    ).subquery()
    codes = union(
        select(enrolment.c.card_code).where(enrolment.c.id.in_(enrolment_ids)),
        select(card_act.c.former_card_code).where(
            card_act.c.enrolment_id.in_(enrolment_ids), card_act.c.former_card_code.is_not(None)
        ),
    )
    answer = cast(till_call.c.answer, Text)
    about = [answer.contains(code, autoescape=True) for code in tx.scalars(codes)]
    if about:
        tx.execute(delete(till_call).where(till_call.c.at.in_(select(moments.c[0])), or_(*about)))
