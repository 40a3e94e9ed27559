"""SQL of the accounts that brands' cards are at Google with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from app.db import Tx, insert
from app.db.identifiers import BrandId, GoogleIssuerId
from app.passes.google_tables import google_account, google_object


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A row of ``google_account``, columns in the table's order."""

    brand_id: BrandId
    issuer_id: GoogleIssuerId
    credentials: str
    sealed_key: str | None
    email: str
    changed_at: datetime
    changed_by: str


def account(tx: Tx, brand_id: BrandId) -> AccountRow | None:
    """The brand's."""
    row = tx.execute(select(google_account).where(google_account.c.brand_id == brand_id)).first()
    return AccountRow(*row) if row else None


def every_account(tx: Tx) -> list[AccountRow]:
    """All, by brand: the oldest first."""
    return [
        AccountRow(*row) for row in tx.execute(select(google_account).order_by(google_account.c.brand_id))
    ]


def write(tx: Tx, brand_id: BrandId, values: Mapping[str, object]) -> None:
    """Have the brand's say this; made where there is none."""
    statement = insert(tx, google_account).values(brand_id=brand_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["brand_id"], set_=dict(values)))


def forget(tx: Tx, brand_id: BrandId) -> None:
    """The brand has none any more."""
    tx.execute(delete(google_account).where(google_account.c.brand_id == brand_id))


def issuer_of_cards(tx: Tx, brand_id: BrandId) -> GoogleIssuerId | None:
    """Under whom cards of the brand are at Google; None where none is."""
    asked = select(google_object.c.issuer_id).where(google_object.c.brand_id == brand_id).limit(1)
    found = tx.scalar(asked)
    return None if found is None else GoogleIssuerId(found)
