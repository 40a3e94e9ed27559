"""Editions of a card's page: another one wherever the card, its design or its brand's words are others."""

from __future__ import annotations

from app.db import Tx
from app.db.identifiers import EnrolmentId
from app.loyalty import store_editions


def edition(tx: Tx, code: str, enrolment_id: EnrolmentId, card_link_version: int) -> str | None:
    """Words to compare, of the card that the install link ``code`` leads to; they mean nothing by themselves.

    None where it leads to no living card under this link version. One statement.
    """
    row = store_editions.edition(tx, code, enrolment_id, card_link_version)
    return None if row is None else repr(tuple(row))
