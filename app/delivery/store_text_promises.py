"""SQL of texts as they are promised."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert as plain_insert
from sqlalchemy import select, update

from app.db import Tx, among, insert
from app.db.identifiers import DeliveryId, MemberId
from app.delivery.tables import delivery, text_message
from app.delivery.text_promises import TEXT_PRIORITIES, TextDraft

CHANNEL: Final = "sms"
_HIGHEST_REFERENCE: Final = 2**31 - 1


def add(tx: Tx, drafts: Sequence[TextDraft], *, now: datetime) -> list[DeliveryId]:
    """Insert promises; their ids in the order of the drafts."""
    if not drafts:
        return []
    rows = [
        {
            "channel": CHANNEL,
            "login": draft.login,
            "kind": draft.kind,
            "priority": TEXT_PRIORITIES[draft.kind],
            "state": "pending",
            "due_at": draft.due_at,
            "created_at": now,
        }
        for draft in drafts
    ]
    made = plain_insert(delivery).returning(delivery.c.id, sort_by_parameter_order=True)
    ids = [DeliveryId(one) for one in tx.scalars(made, rows)]
    left = dict(zip(ids, drafts, strict=True))
    while left:  # a reference that another text has is drawn anew
        messages = [_message(delivery_id, draft) for delivery_id, draft in left.items()]
        statement = insert(tx, text_message).on_conflict_do_nothing(index_elements=["reference"])
        for stored in tx.scalars(statement.returning(text_message.c.delivery_id), messages).all():
            del left[stored]
    return ids


def supersede(tx: Tx, ids: Collection[DeliveryId], *, reason: str, now: datetime) -> list[DeliveryId]:
    """End those that wait and surely have not left; which they were."""
    doubted = select(text_message.c.delivery_id).where(
        among(text_message.c.delivery_id, sorted(ids)), text_message.c.in_doubt_since.is_not(None)
    )
    return list(
        tx.scalars(
            update(delivery)
            .where(
                among(delivery.c.id, sorted(ids)),
                delivery.c.state == "pending",
                delivery.c.id.not_in(doubted),
            )
            .values(state="superseded", reason=reason, settled_at=now)
            .returning(delivery.c.id)
        )
    )


def hand_over(tx: Tx, *, out_of: MemberId, into: MemberId) -> None:
    """Every text to ``out_of`` is one to ``into``."""
    tx.execute(update(text_message).where(text_message.c.member_id == out_of).values(member_id=into))


def _message(delivery_id: DeliveryId, draft: TextDraft) -> dict[str, Any]:
    return {
        "delivery_id": delivery_id,
        "brand_id": draft.brand_id,
        "member_id": draft.member_id,
        "number": draft.number,
        "text": draft.text,
        "sender": draft.sender,
        "reference": 1 + secrets.randbelow(_HIGHEST_REFERENCE),
        "not_after": draft.not_after,
        "encoding": draft.encoding,
        "parts": draft.parts,
        "price": draft.price,
        "currency": draft.currency,
    }
