"""SQL that takes a guest out of texts: that one was sent, and what it cost, stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, update

from app.db import Tx, among
from app.db.identifiers import BrandId, DeliveryId, MemberId
from app.delivery.tables import delivery, text_message

NOBODY = "+0"
"""In the place of a number that was forgotten."""
FORGOTTEN = "MemberForgotten"


def forget_texts(
    tx: Tx,
    brand_id: BrandId,
    member_ids: Sequence[MemberId],
    number: str | None,
    carriers: Sequence[DeliveryId],
    *,
    now: datetime,
) -> int:
    """Blank the texts to these members, the ``carriers``, and the brand's to this number that name no member.

    What was not sent yet is not sent any more. Returns how many texts.
    """
    theirs: ColumnElement[bool] = or_(
        text_message.c.member_id.in_(member_ids), among(text_message.c.delivery_id, carriers)
    )
    if number is not None:
        to_number = and_(
            text_message.c.number == number,
            text_message.c.brand_id == brand_id,
            text_message.c.member_id.is_(None),
        )
        theirs = or_(theirs, to_number)
    ids = sorted(tx.scalars(select(text_message.c.delivery_id).where(theirs)))
    if not ids:
        return 0
    tx.execute(
        update(delivery)
        .where(delivery.c.id.in_(ids), delivery.c.state == "pending")
        .values(state="gone", settled_at=now, reason=FORGOTTEN, held_since=None)
    )
    # One that is on its way goes nowhere a second time: it is too late for it.
    tx.execute(
        update(text_message)
        .where(text_message.c.delivery_id.in_(ids))
        .values(number=NOBODY, text=None, not_after=now)
    )
    return len(ids)
