"""What became of the cards that a roll-out moved: fetched by their phones, or removed by their guests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select

from app.db import Tx
from app.db.identifiers import DesignId
from app.loyalty.tables import enrolment
from app.passes.tables import pass_evidence, registration, wallet_pass
from app.places.tables import visit_event


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutNumbers:
    """Counts of cards; those that were made with the new version from the start are not among them."""

    moved: int
    on_phones: int  # of those moved: some phone still asks for it, so it can learn of the new look
    fetched: int  # of those moved: a phone has it as it is now
    removed: int  # of those moved: its guest took it off the last phone since the roll-out began


def rollout_numbers(tx: Tx, target: DesignId, *, since: datetime) -> RolloutNumbers:
    """The numbers of the roll-out to ``target`` that began at ``since``."""
    is_moved = (
        wallet_pass.c.design_id == target,
        wallet_pass.c.previous_design_id.is_not(None),
        wallet_pass.c.voided_at.is_(None),
    )
    has_phone = exists().where(registration.c.pass_id == wallet_pass.c.id)
    holds = func.coalesce(pass_evidence.c.fetched_version, 0) >= wallet_pass.c.version
    counted = tx.execute(
        select(
            func.count().label("moved"),
            func.count().filter(has_phone).label("on_phones"),
            func.count().filter(holds).label("fetched"),
        )
        .select_from(wallet_pass.outerjoin(pass_evidence, pass_evidence.c.pass_id == wallet_pass.c.id))
        .where(*is_moved)
    ).one()
    removed = tx.execute(
        select(func.count(func.distinct(wallet_pass.c.id)))
        .select_from(
            wallet_pass.join(enrolment, enrolment.c.pass_id == wallet_pass.c.id).join(
                visit_event, visit_event.c.visit_id == enrolment.c.visit_id
            )
        )
        .where(*is_moved, visit_event.c.kind == "removed", visit_event.c.at >= since, ~has_phone)
    ).scalar_one()
    return RolloutNumbers(
        moved=counted.moved, on_phones=counted.on_phones, fetched=counted.fetched, removed=removed
    )
