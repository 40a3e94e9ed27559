"""SQL about the ways that led to cards: visits that enrolled, and those that came back to a card."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, union

from app.db import Tx, among
from app.db.identifiers import VisitId
from app.loyalty.guest_tables import returning_visit
from app.loyalty.tables import enrolment


def visits_to_cards(tx: Tx, enrolment_ids: Sequence[int]) -> list[VisitId]:
    """Every visit that led to one of these cards, in one order for all who erase them."""
    made = select(enrolment.c.visit_id).where(
        among(enrolment.c.id, enrolment_ids), enrolment.c.visit_id.is_not(None)
    )
    back = select(returning_visit.c.visit_id).where(among(returning_visit.c.enrolment_id, enrolment_ids))
    return sorted(tx.execute(union(made, back)).scalars())
