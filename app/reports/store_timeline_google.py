"""SELECTs behind what a timeline tells of Google Wallet: the objects of passes, and their promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.db import Tx
from app.db.identifiers import BrandId, GoogleIssuerId, GoogleObjectId, WalletPassId
from app.delivery.google_promises import GoogleKind
from app.delivery.promises import State
from app.delivery.stopped import GOOGLE, writer
from app.delivery.tables import breaker, delivery
from app.passes.google_tables import google_object

MOST_CHANGES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleRow:
    """A pass's card at Google."""

    id: GoogleObjectId
    pass_id: WalletPassId
    brand_id: BrandId
    issuer_id: GoogleIssuerId
    resource_id: str
    has_users: bool | None  # as Google last said
    created_at: datetime
    inserted_at: datetime | None  # since then Google has it
    first_saved_at: datetime | None
    removed_at: datetime | None  # since then nobody holds it any more


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A change that was promised to Google; settled ones are kept for some weeks."""

    google_object_id: GoogleObjectId
    kind: GoogleKind
    state: State
    created_at: datetime
    due_at: datetime
    attempts: int
    lease_until: datetime | None
    settled_at: datetime | None
    reason: str | None


def objects(tx: Tx, pass_ids: Sequence[WalletPassId]) -> list[GoogleRow]:
    """Those of these passes that are, or shall be, at Google."""
    columns = (google_object.c[name] for name in GoogleRow.__dataclass_fields__)
    rows = tx.execute(
        select(*columns).where(google_object.c.pass_id.in_(pass_ids)).order_by(google_object.c.id)
    )
    return [GoogleRow(**row._mapping) for row in rows]


def changes(tx: Tx, object_ids: Sequence[GoogleObjectId]) -> list[ChangeRow]:
    """The newest promises to these objects, newest first."""
    columns = (delivery.c[name] for name in ChangeRow.__dataclass_fields__)
    own = delivery.c.google_object_id
    rows = tx.execute(
        select(*columns)
        .where(own.in_(object_ids), own.is_not(None))
        .order_by(delivery.c.id.desc())
        .limit(MOST_CHANGES)
    )
    return [ChangeRow(**row._mapping) for row in rows]


def stopped_brands(tx: Tx, cards: Sequence[GoogleRow]) -> dict[BrandId, str]:
    """Whose account Google does not let in, of those who write these cards, and its reason."""
    named = {GOOGLE.subject_of(writer(one.issuer_id, one.brand_id)): one.brand_id for one in cards}
    rows = tx.execute(select(breaker.c.subject, breaker.c.reason).where(breaker.c.subject.in_(list(named))))
    return {named[row.subject]: row.reason for row in rows}


def newest_of_brand(tx: Tx, brand_id: BrandId) -> str | None:
    """The name of the brand's card that Google took last."""
    asked = select(google_object.c.resource_id).where(
        google_object.c.brand_id == brand_id, google_object.c.inserted_at.is_not(None)
    )
    found: str | None = tx.scalar(asked.order_by(google_object.c.id.desc()).limit(1))
    return found
