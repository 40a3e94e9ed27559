"""SQL of test cards, and of the designs that they alone are of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select

from app.db import Tx, insert
from app.db.identifiers import DesignId, ProgrammeId, WalletPassId
from app.passes.tables import design, test_card, wallet_pass


def add(tx: Tx, pass_id: WalletPassId, programme_id: ProgrammeId, actor: str, *, now: datetime) -> bool:
    """False where the person has one already."""
    statement = insert(tx, test_card).values(
        pass_id=pass_id, programme_id=programme_id, actor=actor, created_at=now
    )
    return tx.execute(statement.on_conflict_do_nothing().returning(test_card.c.pass_id)).first() is not None


def of(tx: Tx, programme_id: ProgrammeId, actor: str) -> WalletPassId | None:
    """The card of a person."""
    number: int | None = tx.scalar(
        select(test_card.c.pass_id).where(
            test_card.c.programme_id == programme_id, test_card.c.actor == actor
        )
    )
    return None if number is None else WalletPassId(number)


def is_one(tx: Tx, pass_id: WalletPassId) -> bool:
    """Whether the pass is a test card."""
    return tx.scalar(select(test_card.c.pass_id).where(test_card.c.pass_id == pass_id)) is not None


def by_design(tx: Tx, programme_id: ProgrammeId) -> dict[DesignId, list[WalletPassId]]:
    """A programme's test cards by the design that they are of."""
    rows = tx.execute(
        select(wallet_pass.c.design_id, wallet_pass.c.id)
        .join(test_card, test_card.c.pass_id == wallet_pass.c.id)
        .where(test_card.c.programme_id == programme_id, wallet_pass.c.voided_at.is_(None))
        .order_by(wallet_pass.c.id)
    )
    found: dict[DesignId, list[WalletPassId]] = {}
    for design_id, pass_id in rows:
        found.setdefault(DesignId(design_id), []).append(WalletPassId(pass_id))
    return found


def unused_designs(tx: Tx, programme_id: ProgrammeId, *, before: datetime) -> list[DesignId]:
    """Designs made for test cards that none is of any more."""
    found = tx.scalars(
        select(design.c.id).where(
            design.c.programme_id == programme_id,
            design.c.version.is_(None),
            design.c.created_at < before,
            ~exists().where(wallet_pass.c.design_id == design.c.id),
        )
    )
    return [DesignId(number) for number in found]
