"""The launch checklist: what a brand still needs before guests come, each item tested against the facts.

Nobody ticks anything. An item is done when what it stands for has happened: a phone holds a card, a till's
key was used, a receipt arrived. What the database cannot tell (is the certificate valid?) is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, exists, select

from app.accounts.tables import point_of_sale_key
from app.db import Tx
from app.db.identifiers import BrandId
from app.loyalty.tables import enrolment, programme, receipt
from app.passes.tables import design, registration
from app.places.tables import install_link, venue

Step = Literal["certificate", "programme", "design", "venue", "poster", "card", "till", "receipt"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a launch takes; ``faults`` are sentences for people, where there is anything to mend."""

    step: Step
    done: bool
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checklist:
    """All of them, in the order in which one does them."""

    items: tuple[Item, ...]

    @property
    def done(self) -> int:
        """How many are done."""
        return sum(item.done for item in self.items)

    @property
    def is_complete(self) -> bool:
        """Whether guests may come."""
        return self.done == len(self.items)

    @property
    def next(self) -> Item | None:
        """The first that is not done; None where all are."""
        return next((item for item in self.items if not item.done), None)


def checklist(tx: Tx, brand_id: BrandId, *, certificate_faults: Sequence[str]) -> Checklist:
    """What is done and what is not; ``certificate_faults`` is empty where the brand's certificate signs."""
    facts = tx.execute(facts_query(brand_id)).one()
    return Checklist(
        (
            Item("certificate", not certificate_faults, tuple(certificate_faults)),
            *(Item(step, bool(getattr(facts, step))) for step in _FACTS),
        )
    )


_FACTS: tuple[Step, ...] = ("programme", "design", "venue", "poster", "card", "till", "receipt")


def facts_query(brand_id: BrandId) -> Select[*tuple[Any, ...]]:
    """One row of one statement: each column stops at the first row that proves it."""
    # Through the venue: receipts are found by venue and number.
    receipts = select(receipt.c.id).where(receipt.c.venue_id == venue.c.id).exists()
    # A card in a phone proves itself by its registration; a guest who left proves nothing.
    phones = (
        exists()
        .where(enrolment.c.brand_id == brand_id)
        .where(enrolment.c.ended_at.is_(None))
        .where(registration.c.pass_id == enrolment.c.pass_id)
    )
    found: dict[Step, ColumnElement[bool]] = {
        "programme": exists().where(programme.c.brand_id == brand_id),
        "design": exists().where(programme.c.brand_id == brand_id, design.c.programme_id == programme.c.id),
        "venue": exists().where(venue.c.brand_id == brand_id, venue.c.closed_at.is_(None)),
        "poster": exists().where(
            install_link.c.brand_id == brand_id,
            install_link.c.retired_at.is_(None),
            install_link.c.printed_at.is_not(None),
        ),
        "card": phones,
        "till": exists().where(
            point_of_sale_key.c.brand_id == brand_id, point_of_sale_key.c.last_used_at.is_not(None)
        ),
        "receipt": exists().where(venue.c.brand_id == brand_id, receipts),
    }
    return select(*(found[step].label(step) for step in _FACTS))
