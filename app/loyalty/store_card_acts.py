"""SQL of what people of the brand did to cards by hand. Rows are only added; a reason may be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import insert, select, update

from app.db import Tx
from app.db.identifiers import CardCode, EnrolmentId, LedgerEntryId, WalletPassId
from app.loyalty.guest_tables import card_act
from app.loyalty.tables import enrolment, ledger_entry

ActKind = Literal["correction", "block", "unblock", "reissue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardAct:
    """A row of ``card_act``."""

    enrolment_id: EnrolmentId
    kind: ActKind
    reason: str | None  # None once its member was forgotten
    actor: str
    at: datetime
    form_key: str
    entry_id: LedgerEntryId | None = None
    former_pass_id: WalletPassId | None = None
    former_card_code: CardCode | None = None


_COLUMNS = tuple(card_act.c[name] for name in CardAct.__dataclass_fields__)


def add(tx: Tx, act: CardAct) -> None:
    """Append it; the database refuses a form's key that was used."""
    values = {name: getattr(act, name) for name in CardAct.__dataclass_fields__}
    tx.execute(insert(card_act).values(values))


def of_form(tx: Tx, form_key: str) -> CardAct | None:
    """What the form with this key did."""
    row = tx.execute(select(*_COLUMNS).where(card_act.c.form_key == form_key)).first()
    return CardAct(**row._mapping) if row else None


def corrected(tx: Tx, act: CardAct) -> tuple[int, int]:
    """Points (hundredths) and stamps of a correction, both signed."""
    columns = ledger_entry.c.points, ledger_entry.c.stamps
    row = tx.execute(select(*columns).where(ledger_entry.c.id == act.entry_id)).one()
    return row.points, row.stamps


def of_enrolments(tx: Tx, enrolment_ids: Sequence[int]) -> list[CardAct]:
    """Everything that was done to these cards, oldest first."""
    statement = select(*_COLUMNS).where(card_act.c.enrolment_id.in_(enrolment_ids)).order_by(card_act.c.id)
    return [CardAct(**row._mapping) for row in tx.execute(statement)]


def forget_reasons(tx: Tx, enrolment_ids: Sequence[int]) -> None:
    """What people wrote about a guest goes with the guest."""
    tx.execute(update(card_act).where(card_act.c.enrolment_id.in_(enrolment_ids)).values(reason=None))


def set_blocked(tx: Tx, enrolment_id: int, blocked_at: datetime | None) -> None:
    """From now on no till may use the card, or any may again."""
    tx.execute(update(enrolment).where(enrolment.c.id == enrolment_id).values(blocked_at=blocked_at))


def replace_card(tx: Tx, enrolment_id: int, *, pass_id: int, card_code: str) -> None:
    """Another pass with another code; every address of the card that was signed so far is stale."""
    tx.execute(
        update(enrolment)
        .where(enrolment.c.id == enrolment_id)
        .values(pass_id=pass_id, card_code=card_code, card_link_version=enrolment.c.card_link_version + 1)
    )
